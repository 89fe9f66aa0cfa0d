/**
 * A `Recorder` that tells the steps of pods to the cluster as well: every step
 * goes on to `inner` first, then becomes an event if the pod is known.
 */
import type { PodUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import type { Recorder } from "../port/recorder.ts";
import { namedNotIds, nodeTarget, podTarget } from "./event.ts";
import type { EventWriter } from "./run.ts";

export interface PodEventPorts {
  readonly inner: Recorder;
  readonly events: Pick<EventWriter, "record">;
  readonly nodeName: string;
  readonly podOf: (uid: PodUid) => V1Pod | undefined;
  /** Names of the pod's containers by the runtime's ids. */
  readonly containerNames: (uid: PodUid) => ReadonlyMap<string, string>;
}

export class PodEvents implements Recorder {
  readonly #ports: PodEventPorts;

  constructor(ports: PodEventPorts) {
    this.#ports = ports;
  }

  record(uid: PodUid, step: Step): void {
    const { inner, events, nodeName, podOf, containerNames } = this.#ports;
    inner.record(uid, step);
    const pod = podOf(uid);
    if (pod === undefined) return;
    const message = step.container === undefined
      ? step.message
      : namedNotIds(step.message, containerNames(uid));
    const { annotations, ofNode, ...said } = step;
    const target = podTarget(pod, step.container);
    events.record(target, { ...said, message }, annotations);
    if (ofNode === undefined) return;
    events.record(nodeTarget(nodeName), { ...said, message: ofNode });
  }
}
