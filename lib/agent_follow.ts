/**
 * Who is woken when something becomes known that pods wait for: the node, the
 * runtime classes, a name that is free again; and what the runtime is told of
 * the node.
 */
import { cell, type Reader } from "./base/cell.ts";
import type { KeyedQueue } from "./base/keyed_queue.ts";
import type { PodUid } from "./api/id.ts";
import type { Loop, Membership } from "./agent_cluster.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { followPodCidr } from "./node/pod_cidr.ts";
import type { KnownNode } from "./node/types.ts";
import type { Desired } from "./source/types.ts";
import { wakeAll } from "./sync/audit.ts";
import type { Resizes } from "./sync/resizes.ts";
import type { PodMeter } from "./sync/pod_meter.ts";
import type { PodsReader } from "./sync/store.ts";

export interface Followed {
  readonly membership: Membership | undefined;
  readonly pods: PodsReader;
  readonly queue: KeyedQueue<PodUid>;
  readonly resizes: Pick<Resizes, "retry">;
  readonly desiredReader: Reader<Desired>;
  readonly loopPorts: Parameters<typeof wakeAll>[0];
}

/** Once the API server has told of the node, and for pods that wait for it. */
export async function followNode(
  parts: Followed,
  signal: AbortSignal,
): Promise<void> {
  const { membership, pods, queue } = parts;
  if (membership === undefined) return;
  let before: unknown;
  for await (const node of membership.node.node.changes(signal)) {
    if (before === undefined) wakeAll(parts.loopPorts);
    before = node;
    parts.resizes.retry("periodic_retry");
    for (const [uid, { state }] of pods) {
      if (state.kind === "waiting" && state.for === "node") queue.wake(uid);
    }
  }
}

/** For pods whose runtime class was not known. */
export async function followClasses(parts: Followed, signal: AbortSignal) {
  const { membership, pods, queue } = parts;
  if (membership === undefined) return;
  for await (const _ of membership.classes.changes(signal)) {
    for (const [uid, { state, pod }] of pods) {
      if (state.kind === "waiting" && pod?.spec?.runtimeClassName) {
        queue.wake(uid);
      }
    }
  }
}

/** Pods that waited for the name, or the same pod wanted again. */
export function wakeHeirs(parts: Followed, uid: PodUid): void {
  for (const other of parts.desiredReader.get().pods.keys()) {
    const state = parts.pods.get(other)?.state;
    const waits = state?.kind === "waiting" && state.for === "name";
    if (other === uid || waits) parts.queue.wake(other);
  }
}

/** Pods are counted from the moment a source names them. */
export async function followStarts(
  { desiredReader, pods: known, podMeter }: {
    readonly desiredReader: Reader<Desired>;
    readonly pods: PodsReader;
    readonly podMeter: Pick<PodMeter, "seen" | "keepOnly">;
  },
  signal: AbortSignal,
): Promise<void> {
  const note = ({ pods }: Desired) => {
    for (const [uid, { pod }] of pods) podMeter.seen(uid, pod);
    podMeter.keepOnly((uid) => pods.has(uid) || known.has(uid));
  };
  note(desiredReader.get());
  for await (const desired of desiredReader.changes(signal)) note(desired);
}

/** The cluster's word where there is one, the configuration's before it. */
export function podCidrLoop(
  { config, ports, membership }: {
    readonly config: Config;
    readonly ports: Pick<AgentPorts, "runtime" | "clock" | "log">;
    readonly membership: Membership | undefined;
  },
): Loop {
  const [, nobody] = cell<KnownNode | undefined>(undefined);
  const node = membership?.node.node ?? nobody;
  const configured = config.kubelet.podCIDR;
  return {
    name: "pod-cidr",
    run: (signal) => followPodCidr({ ...ports, node, configured }, signal),
  };
}
