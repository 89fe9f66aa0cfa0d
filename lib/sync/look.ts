/** A pass's looks at the runtime; undefined while the runtime is away. */
import type { Clock } from "../base/clock.ts";
import type { PodUid } from "../api/id.ts";
import type { ObservedPod, RuntimeHealth } from "../pod/facts.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { LastWords } from "./last_words.ts";
import { observePod, refreshPod } from "./observe.ts";
import type { PodsReader } from "./store.ts";

export interface LookPorts {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly pods: PodsReader;
  readonly wanted: () => { readonly podOf: (uid: PodUid) => unknown };
  readonly lastWords: LastWords;
  readonly health: () => RuntimeHealth;
  /** Everything in the runtime is known: listed once, followed since. */
  readonly isListed: () => boolean;
  /** False until the first listing: rivals are not known before. */
  readonly hasListed: () => boolean;
}

/** The first look of a pass. */
export async function look(
  ports: LookPorts,
  uid: PodUid,
  signal: AbortSignal,
): Promise<ObservedPod | undefined> {
  if (!ports.health().isReady || !ports.hasListed()) return undefined;
  const nowMs = ports.clock.nowMs();
  const isNew = !ports.pods.has(uid) && ports.isListed() &&
    ports.wanted().podOf(uid) !== undefined;
  // A pod that no listing and no event has shown has nothing to look at.
  if (isNew) return { sandboxes: [], containers: [], atMs: nowMs };
  const { lastWords, pods } = ports;
  const known = pods.get(uid)?.observed;
  return await observePod(ports.runtime, uid, {
    ...{ nowMs, signal, lastWords, known },
  });
}

/** After actions: at what was known and at what they made. */
export async function lookAgain(
  ports: LookPorts,
  known: Parameters<typeof refreshPod>[1],
  signal: AbortSignal,
): Promise<ObservedPod | undefined> {
  if (!ports.health().isReady) return undefined;
  const nowMs = ports.clock.nowMs();
  const { lastWords } = ports;
  return await refreshPod(ports.runtime, known, { nowMs, signal, lastWords });
}
