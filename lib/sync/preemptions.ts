/**
 * The pods that have to go for critical ones. Sole writer of these orders:
 * a pass orders them, and whoever waits for the room is woken as they end.
 */
import type { Logger } from "../base/log.ts";
import type { Meters } from "../api/meters.ts";
import type { PodUid } from "../api/id.ts";
import type { Action } from "../pod/action.ts";
import {
  PREEMPTED,
  PREEMPTING,
  type Preemption,
  type Preemptions as Orders,
} from "../pod/preempt.ts";
import type { Recorder } from "../port/recorder.ts";
import type { PodsReader } from "./store.ts";

export interface PreemptionPorts {
  readonly pods: PodsReader;
  readonly recorder: Recorder;
  readonly meters: Pick<Meters, "preemptions">;
  readonly log: Logger;
  readonly queue: {
    interrupt(uid: PodUid): void;
    wake(uid: PodUid): void;
  };
}

export class Preemptions {
  readonly #ports: PreemptionPorts;
  readonly #orders = new Map<PodUid, Preemption>();

  constructor(ports: PreemptionPorts) {
    this.#ports = ports;
  }

  get orders(): Orders {
    return this.#orders;
  }

  order({ victims, resource }: Extract<Action, { kind: "preempt" }>): void {
    const { recorder, meters, log, queue } = this.#ports;
    for (const { uid, title, preemption } of victims) {
      if (this.#orders.has(uid)) continue;
      log.warn("A pod goes for a critical one", { pod: title, resource });
      this.#orders.set(uid, preemption);
      recorder.record(uid, {
        type: "Warning",
        reason: PREEMPTING,
        message: PREEMPTED,
      });
      meters.preemptions.add({ preemption_signal: resource });
      queue.interrupt(uid);
    }
  }

  /** Something of this pod is another: it may have ended. */
  seen(uid: PodUid): void {
    if (!this.#orders.has(uid)) return;
    const { pods, queue } = this.#ports;
    const { state } = pods.get(uid) ?? {};
    if (state !== undefined && state.kind !== "done") return;
    for (const [other, { state }] of pods) {
      if (state.kind === "waiting" && state.for === "room") queue.wake(other);
    }
  }

  /** Nobody remembers this pod any more. */
  forget(uid: PodUid): void {
    this.seen(uid);
    this.#orders.delete(uid);
  }
}
