/**
 * Gives pods what they ask for by now, if there is room: the sole writer of
 * what waits for it. All that wait are asked together, in their order, in one
 * turn that waits for nothing: when a pod is looked at that asks for something
 * new, when a pod has gone or has less, and from time to time.
 * Compat: kubelet 1.36 allocation.Manager.
 */
import type { Reader } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import type { PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import type { PodConditionJson } from "../api/status.ts";
import { isDeleted } from "../api/pod.ts";
import { requestsHeldBy } from "../api/requests.ts";
import type { V1Pod } from "../api/types.ts";
import type { AdmissionNode } from "../pod/admit.ts";
import type { Facts, PodSettings } from "../pod/facts.ts";
import {
  resizeOperations,
  resizeOrder,
  type WaitingResize,
  weighResize,
} from "../pod/resize_admit.ts";
import { PENDING } from "../pod/resize_conditions.ts";
import { pendingStep, startedStep } from "../pod/resize_events.ts";
import type { PendingResize, StartedResize } from "../pod/resize_facts.ts";
import { heldStatus } from "../pod/status_held.ts";
import type { Recorder } from "../port/recorder.ts";
import type { Desired } from "../source/types.ts";
import { heldPod, othersOf } from "./admission.ts";
import type { Allocations } from "./allocations.ts";
import type { Preemptions } from "./preemptions.ts";
import type { PodMemory, PodsReader } from "./store.ts";
import { wantedBy } from "./wanted.ts";

/** Compat: kubelet 1.36 retryDelay. */
const AUDIT_MS = 180_000;
/** Compat: kubelet 1.36 initialRetryDelay: not every source has been heard. */
const UNHEARD_MS = 30_000;

/** Compat: kubelet 1.36 TriggerReason…, by which acceptances are counted. */
export type ResizeTrigger =
  | "pod_updated"
  | "pod_resized"
  | "pods_added"
  | "pods_removed"
  | "pod_terminated"
  | "periodic_retry";

export interface ResizePorts {
  readonly allocations: Pick<Allocations, "podOf" | "isGiven" | "resize">;
  readonly desired: Reader<Desired>;
  readonly pods: PodsReader;
  readonly node: () => AdmissionNode | undefined;
  readonly pressures: () => Facts["pressures"];
  readonly isShuttingDown: () => boolean;
  readonly settings: PodSettings;
  readonly preemptions: Pick<Preemptions, "orders" | "order">;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly meters: Pick<
    Meters,
    "requestedResizes" | "infeasibleResizes" | "deferredAccepted"
  >;
  /** It has been given something else. */
  readonly given: (uid: PodUid, pod: V1Pod) => void;
  readonly wake: (uid: PodUid) => void;
}

type Waiting = WaitingResize & { readonly uid: PodUid };

export class Resizes {
  readonly #ports: ResizePorts;
  /** Asked for and not given, in this agent's life. */
  readonly #waiting = new Set<PodUid>();
  readonly #pending = new Map<PodUid, PendingResize>();
  readonly #started = new Map<PodUid, StartedResize>();
  /** As last looked at: what is asked for anew is seen from it. */
  readonly #wishes = new Map<PodUid, V1Pod>();
  /** What each pod held of the node, while somebody waits for room. */
  readonly #held = new Map<PodUid, Held>();

  constructor(ports: ResizePorts) {
    this.#ports = ports;
  }

  of(uid: PodUid): {
    readonly pending: PendingResize | undefined;
    readonly started: StartedResize | undefined;
  } {
    return {
      pending: this.#pending.get(uid),
      started: this.#started.get(uid),
    };
  }

  /** A pass is about to look at the pod: is it asked for something new? */
  look(uid: PodUid): void {
    const { desired, allocations, settings, meters } = this.#ports;
    const { pods } = desired.get();
    const wish = pods.get(uid)?.pod;
    const old = this.#wishes.get(uid);
    if (wish === undefined || wish === old) return;
    if (!allocations.isGiven(uid)) return void this.#wishes.set(uid, wish);
    if (!this.#isKnown()) return;
    this.#wishes.set(uid, wish);
    if (old !== undefined) {
      for (const each of resizeOperations(old, wish, settings)) {
        meters.requestedResizes.add({ ...each });
      }
    }
    if (allocations.podOf(wish) === wish) return this.#clear(uid);
    const pending = this.#pending.get(uid);
    if (pending?.generation === generationOf(wish)) return;
    if (this.#waiting.size === 0) this.#measureAll();
    this.#waiting.add(uid);
    this.retry(old === undefined ? "pods_added" : "pod_updated", uid);
  }

  /** Asks for all that wait; `self` is looked at anyway. */
  retry(trigger: ResizeTrigger, self?: PodUid): void {
    if (this.#waiting.size === 0 || !this.#isKnown()) return;
    const waiting = [...this.#waiting].flatMap((uid) => {
      const found = this.#waitingOf(uid);
      if (found === undefined) this.#clear(uid);
      return found ?? [];
    });
    for (const each of resizeOrder(waiting)) this.#ask(each, trigger, self);
  }

  /** The pod has another status: is there more room by it? */
  projected(uid: PodUid): void {
    const memory = this.#ports.pods.get(uid);
    if (this.#waiting.size === 0 || memory === undefined) return;
    const before = this.#held.get(uid);
    const now = heldBy(memory);
    this.#held.set(uid, now);
    if (before === undefined || !isLess(now, before)) return;
    this.retry(now.isOver ? "pod_terminated" : "pod_resized");
  }

  /** Somebody waits from now on: what becomes less is seen from this. */
  #measureAll(): void {
    this.#held.clear();
    for (const [uid, memory] of this.#ports.pods) {
      this.#held.set(uid, heldBy(memory));
    }
  }

  /** The end of its resize has been told. */
  over(uid: PodUid): void {
    this.#started.delete(uid);
  }

  forget(uid: PodUid): void {
    this.#clear(uid);
    this.#started.delete(uid);
    this.#wishes.delete(uid);
    this.#held.delete(uid);
    this.retry("pods_removed");
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, desired } = this.#ports;
    while (!signal.aborted) {
      const { isReady } = desired.get();
      await clock.sleep(isReady ? AUDIT_MS : UNHEARD_MS, signal);
      this.retry("periodic_retry");
    }
  }

  /** Who else is here, and what there is to share. */
  #isKnown(): boolean {
    const { desired, node } = this.#ports;
    return desired.get().isReady && node() !== undefined;
  }

  #waitingOf(uid: PodUid): Waiting | undefined {
    const { desired, allocations, pods } = this.#ports;
    const wish = desired.get().pods.get(uid)?.pod;
    const kind = pods.get(uid)?.state.kind ?? "running";
    const isGoing = kind !== "running" && kind !== "waiting";
    if (wish === undefined || isDeleted(wish) || isGoing) return undefined;
    const given = allocations.podOf(wish);
    if (given === wish) return undefined;
    const since = this.#toldOf(uid, wish)?.lastTransitionTime;
    const sinceMs = since === undefined ? undefined : Date.parse(since);
    return { uid, given, wish, sinceMs };
  }

  #ask(waiting: Waiting, trigger: ResizeTrigger, self?: PodUid): void {
    const { pressures, settings, desired, pods, allocations } = this.#ports;
    const { preemptions, clock } = this.#ports;
    const { uid, wish } = waiting;
    const others = othersOf(uid, pods, wantedBy(desired, allocations));
    const node = this.#ports.node();
    const at = {
      ...{ node, others, settings, preemptions: preemptions.orders },
      pressures: pressures(),
      isShuttingDown: this.#ports.isShuttingDown(),
    };
    const verdict = weighResize(at, waiting, clock.nowMs());
    if (verdict.kind === "deferred") {
      for (const each of verdict.preempts) preemptions.order(each);
    }
    const isNews = verdict.kind === "fits"
      ? this.#give(uid, wish, trigger)
      : this.#keepWaiting(uid, wish, verdict);
    if (isNews && uid !== self) this.#ports.wake(uid);
  }

  #give(uid: PodUid, wish: V1Pod, trigger: ResizeTrigger): boolean {
    const { allocations, recorder, clock, meters, given } = this.#ports;
    const generation = generationOf(wish);
    if (this.#pending.get(uid)?.reason === "Deferred") {
      meters.deferredAccepted.add({ retry_trigger: trigger });
    }
    allocations.resize(wish);
    this.#clear(uid);
    this.#started.set(uid, { generation, atMs: clock.nowMs() });
    recorder.record(uid, startedStep(wish, generation));
    given(uid, wish);
    return true;
  }

  #keepWaiting(
    uid: PodUid,
    wish: V1Pod,
    verdict: Exclude<ReturnType<typeof weighResize>, { kind: "fits" }>,
  ): boolean {
    const { recorder, meters } = this.#ports;
    const { message } = verdict;
    const isDeferred = verdict.kind === "deferred";
    const pending: PendingResize = {
      reason: isDeferred ? "Deferred" : "Infeasible",
      message,
      generation: generationOf(wish),
      words: isDeferred ? verdict.words : `Resize infeasible: ${message}`,
    };
    if (!isDeferred) {
      this.#waiting.delete(uid);
      meters.infeasibleResizes.add({ reason_detail: verdict.detail });
    }
    const before = this.#pending.get(uid);
    this.#pending.set(uid, pending);
    const told = this.#toldOf(uid, wish);
    const isTold = before === undefined
      ? told?.reason === pending.reason &&
        told.observedGeneration === pending.generation
      : before.reason === pending.reason &&
        before.generation === pending.generation;
    if (!isTold) recorder.record(uid, pendingStep(wish, pending));
    return !isTold || before?.message !== message;
  }

  /** What this agent, or one before it, has told of it. */
  #toldOf(uid: PodUid, wish: V1Pod): PodConditionJson | undefined {
    const status = this.#ports.pods.get(uid)?.status ?? heldStatus(wish);
    return status?.conditions.find(({ type }) => type === PENDING);
  }

  #clear(uid: PodUid): void {
    this.#waiting.delete(uid);
    this.#pending.delete(uid);
  }
}

function generationOf({ metadata }: V1Pod): number {
  return metadata?.generation ?? 0;
}

interface Held {
  readonly isOver: boolean;
  readonly cpu: bigint;
  readonly memory: bigint;
}

function heldBy(memory: PodMemory): Held {
  const held = heldPod({ ...memory, isGiven: false });
  const amounts = held === undefined ? undefined : requestsHeldBy(held);
  return {
    isOver: held === undefined,
    cpu: amounts?.get("cpu") ?? 0n,
    memory: amounts?.get("memory") ?? 0n,
  };
}

function isLess(now: Held, before: Held): boolean {
  return now.cpu < before.cpu || now.memory < before.memory;
}
