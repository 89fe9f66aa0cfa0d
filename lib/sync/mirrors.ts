/**
 * Shows static pods at the API server: makes, re-makes and removes their
 * mirror pods, one pass for each name. Started by the agent's wiring.
 */
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import type { Reader } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort, nextOf, orAlreadySo } from "../base/errors.ts";
import { KeyedQueue } from "../base/keyed_queue.ts";
import type { Logger } from "../base/log.ts";
import { fullNameOf, isStatic, podNameOf, uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { type MirrorOwner, mirrorPod, mirrorStep } from "../pod/mirror.ts";
import type { ClusterPods } from "../port/cluster.ts";
import type { Recorder } from "../port/recorder.ts";
import type { Desired } from "../source/types.ts";
import { isNamed } from "./facts.ts";
import type { PodsReader } from "./store.ts";

/**
 * Most refusals (a secret in a static pod, say) do not end by themselves; one
 * does: the server may not know yet which uid a new node has.
 */
const REFUSED = { initialMs: 500, maxMs: 300_000, forgetAfterMs: 600_000 };
const FAILED = { ...REFUSED, maxMs: 4_000 };

export interface MirrorPorts {
  readonly pods: Pick<ClusterPods, "create" | "remove">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where `denolet explain` finds why there is no mirror. */
  readonly steps: Recorder;
  readonly desired: Reader<Desired>;
  readonly memory: PodsReader;
  /** Undefined until the API server has told of this node. */
  readonly owner: () => MirrorOwner | undefined;
}

export class Mirrors {
  readonly #ports: MirrorPorts;
  /** By full name. */
  readonly #queue: KeyedQueue<string>;
  /** What went wrong, for which static pod. */
  readonly #failed = new Map<
    string,
    { readonly pod: V1Pod | undefined; readonly backoff: Backoff }
  >();

  constructor(ports: MirrorPorts) {
    this.#ports = ports;
    this.#queue = new KeyedQueue(ports.clock);
  }

  /** Looks at every name that has a static pod or a mirror. */
  wake(): void {
    const desired = this.#ports.desired.get();
    for (const name of desired.mirrors.keys()) this.#queue.wake(name);
    for (const name of staticPods(desired).keys()) this.#queue.wake(name);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run((name, each) => this.#pass(name, each), signal);
  }

  /** Wakes when a manifest or a mirror changes, until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { desired } = this.#ports;
    let before = desired.get();
    let known = staticPods(before);
    this.wake();
    for await (const now of desired.changes(signal)) {
      const found = staticPods(now);
      const isSame = before.mirrors === now.mirrors &&
        before.isReady === now.isReady && sameValues(known, found);
      before = now;
      known = found;
      if (!isSame) this.wake();
    }
  }

  async #pass(name: string, signal: AbortSignal): Promise<number | undefined> {
    const { clock, log, steps, desired } = this.#ports;
    const pod = staticPods(desired.get()).get(name);
    const failed = this.#failed.get(name);
    const known = failed?.pod === pod ? failed?.backoff : undefined;
    if (known !== undefined && dueAtMs(known) > clock.nowMs()) {
      return dueAtMs(known);
    }
    try {
      await this.#settle(name, pod, signal);
      this.#failed.delete(name);
      return undefined;
    } catch (error) {
      if (isAbort(error, signal)) return undefined;
      const limits = nextOf(error) === "give-up" ? REFUSED : FAILED;
      const backoff = afterFailure(known, clock.nowMs(), limits);
      this.#failed.set(name, { pod, backoff });
      const message = chainOf(error);
      log.warn("Cannot mirror a static pod; trying again", {
        pod: name,
        error: message,
        retryInMs: backoff.delayMs,
      });
      if (pod !== undefined) {
        const step = { type: "Warning", reason: "FailedMirror" } as const;
        steps.record(uidOf(pod), { ...step, message });
      }
      return dueAtMs(backoff);
    }
  }

  async #settle(
    name: string,
    pod: V1Pod | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { desired: reader, memory, owner, pods } = this.#ports;
    const desired = reader.get();
    const node = owner();
    if (node === undefined || !desired.readySources.has("api")) return;
    const step = mirrorStep({
      pod,
      mirror: desired.mirrors.get(name),
      isLeft: !desired.isReady || desired.unread.length > 0 ||
        isRemembered(memory, name),
      isDone: isDone(memory, name),
    });
    switch (step.kind) {
      case "keep":
        return;
      case "remove":
        // The watch tells of its end, and the next pass makes another.
        return await orAlreadySo(pods.remove(podNameOf(step.mirror), signal));
      case "create":
        if (pod === undefined) return;
        await orAlreadySo(pods.create(mirrorPod(pod, node), signal));
    }
  }
}

function staticPods({ pods }: Desired): ReadonlyMap<string, V1Pod> {
  return new Map(
    [...pods.values()].filter(({ pod }) => isStatic(pod))
      .map(({ pod }) => [fullNameOf(pod), pod]),
  );
}

function isRemembered(memory: PodsReader, fullName: string): boolean {
  return [...memory].some(([uid, each]) => isNamed(uid, each, fullName));
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
