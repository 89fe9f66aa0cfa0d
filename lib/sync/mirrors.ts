/**
 * Shows static pods at the API server: makes, re-makes and removes their
 * mirror pods, one pass for each name. Started by the agent's wiring.
 */
import type { Reader } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort, nextOf } from "../base/errors.ts";
import type { KeyedQueue } from "../base/keyed_queue.ts";
import type { Logger } from "../base/log.ts";
import { fullNameOf, isStatic, podNameOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { type MirrorOwner, mirrorPod, mirrorStep } from "../pod/mirror.ts";
import type { ClusterPods } from "../port/cluster.ts";
import type { Desired } from "../source/types.ts";
import { rememberedName } from "./facts.ts";
import type { PodsReader } from "./store.ts";

/** A refusal (a secret in a static pod, say) rarely ends by itself. */
const REFUSED_RETRY_MS = 300_000;
const RETRY_MS = 2_000;

export interface MirrorPorts {
  readonly pods: Pick<ClusterPods, "create" | "remove">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly desired: Reader<Desired>;
  readonly memory: PodsReader;
  /** Undefined until the API server has told of this node. */
  readonly owner: () => MirrorOwner | undefined;
  /** By full name. */
  readonly queue: KeyedQueue<string>;
}

/** Wakes every name that has a static pod or a mirror. */
export function wakeMirrors({ desired, queue }: MirrorPorts): void {
  const { mirrors } = desired.get();
  for (const name of mirrors.keys()) queue.wake(name);
  for (const name of staticPods(desired.get()).keys()) queue.wake(name);
}

/** Runs until `signal` aborts. */
export async function followMirrors(
  ports: MirrorPorts,
  signal: AbortSignal,
): Promise<void> {
  let before = ports.desired.get();
  wakeMirrors(ports);
  for await (const now of ports.desired.changes(signal)) {
    const isSame = before.mirrors === now.mirrors &&
      before.isReady === now.isReady &&
      sameValues(staticPods(before), staticPods(now));
    before = now;
    if (!isSame) wakeMirrors(ports);
  }
}

/** One look at one name; returns when to look again. */
export async function mirrorPass(
  ports: MirrorPorts,
  name: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { clock, log } = ports;
  try {
    await settle(ports, name, signal);
    return undefined;
  } catch (error) {
    if (isAbort(error, signal)) return undefined;
    const isRefused = nextOf(error) === "give-up";
    const retryInMs = isRefused ? REFUSED_RETRY_MS : RETRY_MS;
    const fields = { pod: name, error: chainOf(error), retryInMs };
    if (isRefused) log.warn("Cannot mirror a static pod", fields);
    else log.debug("Cannot mirror a static pod", fields);
    return clock.nowMs() + retryInMs;
  }
}

async function settle(
  ports: MirrorPorts,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const owner = ports.owner();
  const desired = ports.desired.get();
  if (owner === undefined || !desired.readySources.has("api")) return;
  const pod = staticPods(desired).get(name);
  const step = mirrorStep({
    pod,
    mirror: desired.mirrors.get(name),
    isLeft: !desired.isReady || desired.unread.length > 0 ||
      isRemembered(ports.memory, name),
    isDone: isDone(ports.memory, name),
  });
  switch (step.kind) {
    case "keep":
      return;
    case "remove":
      // The watch tells of its end, and the next pass makes another.
      return await orAlreadySo(
        ports.pods.remove(podNameOf(step.mirror), signal),
      );
    case "create":
      if (pod === undefined) return;
      await orAlreadySo(ports.pods.create(mirrorPod(pod, owner), signal));
  }
}

async function orAlreadySo(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (nextOf(error) !== "already-so") throw error;
  }
}

function staticPods({ pods }: Desired): ReadonlyMap<string, V1Pod> {
  return new Map(
    [...pods.values()].filter(({ pod }) => isStatic(pod))
      .map(({ pod }) => [fullNameOf(pod), pod]),
  );
}

function isRemembered(memory: PodsReader, name: string): boolean {
  return [...memory].some(([uid, each]) => {
    const found = rememberedName(uid, each);
    return `${found?.name}_${found?.namespace}` === name;
  });
}

function isDone(memory: PodsReader, name: string): boolean {
  return [...memory.values()].some(({ pod, state }) =>
    state.kind === "done" && pod !== undefined && fullNameOf(pod) === name
  );
}

function sameValues<Key, Value>(
  one: ReadonlyMap<Key, Value>,
  other: ReadonlyMap<Key, Value>,
): boolean {
  return one.size === other.size &&
    [...one].every(([key, value]) => other.get(key) === value);
}
