/**
 * Tells the API server what became of its pods: one patch for whatever has
 * changed since the server's last word, never a read before it, nothing where
 * nothing changed. A deleted pod whose containers are gone is taken off the
 * server after its last status. Static pods are told through their mirrors.
 */
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import type { Reader } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort, nextOf, orAlreadySo } from "../base/errors.ts";
import { KeyedQueue } from "../base/keyed_queue.ts";
import type { Logger } from "../base/log.ts";
import type { PodUid } from "../api/id.ts";
import {
  isDeleted,
  isMirror,
  isStatic,
  podNameOf,
  titleOf,
  uidOf,
} from "../api/pod.ts";
import type { PodStatusChange, PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { versionOf } from "../api/version.ts";
import { shownAs } from "../pod/mirror.ts";
import type { PodState } from "../pod/state.ts";
import { statusChange, withTimesOf } from "../pod/status_change.ts";
import { heldStatus } from "../pod/status_held.ts";
import type { ClusterPods } from "../port/cluster.ts";
import type { Desired } from "../source/types.ts";
import type { PodMemory, PodsReader } from "./store.ts";

const RETRY = { initialMs: 500, maxMs: 4_000, forgetAfterMs: 60_000 };
/**
 * How long news that may wait does so for better ones to join. Ours: most pods
 * run by then, so `ContainerCreating` need not be written at all.
 */
const PATIENCE_MS = 1_000;
/** Where many start at once, each takes longer: so much more for each other. */
const PATIENCE_EACH_MS = 200;
const LONGEST_PATIENCE_MS = 10_000;

export interface ReportPorts {
  readonly pods: Pick<ClusterPods, "patchStatus" | "remove">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly desired: Reader<Desired>;
  readonly memory: PodsReader;
  /** The server has taken a status that had changed `sinceMs` ago. */
  readonly written?: (uid: PodUid, sinceMs: number) => void;
}

/** What the reporter itself remembers of a pod. */
interface Told {
  /** The server's last answer, which its watch may not have told yet. */
  readonly answer?: V1Pod;
  /** The server was told to let go of it. */
  readonly isRemoved?: boolean;
  /** News that may wait: since when, and until when at the latest. */
  readonly held?: { readonly sinceMs: number; readonly untilMs: number };
  readonly failure?: Backoff;
}

export class StatusReports {
  readonly #ports: ReportPorts;
  readonly #queue: KeyedQueue<PodUid>;
  readonly #told = new Map<PodUid, Told>();

  constructor(ports: ReportPorts) {
    this.#ports = ports;
    this.#queue = new KeyedQueue(ports.clock);
  }

  /** Statuses that wait to be written, or are being written. */
  get waitingCount(): number {
    return this.#queue.busyCount;
  }

  /**
   * Resolves when the server holds the statuses of these pods as they are now,
   * or will never.
   */
  settled(uids: readonly PodUid[], signal: AbortSignal): Promise<void> {
    return this.#queue.idle(uids, signal);
  }

  /** The projected status may be another. */
  wake(uid: PodUid): void {
    this.#queue.wake(uid);
  }

  forget(uid: PodUid): void {
    this.#told.delete(uid);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#queue.run((uid, each) => this.#pass(uid, each), signal);
  }

  /** What others wrote into a status is looked at as well. */
  async follow(signal: AbortSignal): Promise<void> {
    const { desired } = this.#ports;
    let before = desired.get();
    for await (const now of desired.changes(signal)) {
      for (const [uid, { pod }] of now.pods) {
        const isSame = before.pods.get(uid)?.pod === pod &&
          (before.mirrors === now.mirrors || !isStatic(pod));
        if (!isSame) this.wake(uid);
      }
      // Most often the end of a silence, or its beginning.
      for (const [uid, { failure }] of this.#told) {
        if (failure !== undefined) this.wake(uid);
      }
      before = now;
    }
  }

  async #pass(uid: PodUid, signal: AbortSignal): Promise<number | undefined> {
    const { clock, log } = this.#ports;
    const target = this.#targetOf(uid);
    if (target === undefined) return undefined;
    try {
      const laterMs = await this.#settle(uid, target, signal);
      this.#note(uid, { failure: undefined });
      // Forgotten while the server was asked.
      if (!this.#ports.memory.has(uid)) this.#told.delete(uid);
      return laterMs;
    } catch (error) {
      if (isAbort(error, signal)) return undefined;
      const pod = titleOf(target);
      // Gone, or another: the watch will tell.
      if (nextOf(error) === "give-up") {
        log.debug("Cannot report a pod", { pod, error: chainOf(error) });
        return undefined;
      }
      const before = this.#told.get(uid)?.failure;
      const failure = afterFailure(before, clock.nowMs(), RETRY);
      this.#note(uid, { failure });
      if (before === undefined) {
        const fields = { pod, error: chainOf(error) };
        log.warn("Cannot report a pod; trying again", fields);
      }
      return dueAtMs(failure);
    }
  }

  async #settle(
    uid: PodUid,
    target: V1Pod,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { memory, pods } = this.#ports;
    const known = memory.get(uid);
    if (known?.status === undefined) return undefined;
    const status = isMirror(target)
      ? withTimesOf(heldStatus(target), known.status)
      : known.status;
    const change = statusChange(target.status, status);
    if (change === undefined) this.#note(uid, { held: undefined });
    else {
      if (mayWait(target, { ...known, status }, change)) {
        const untilMs = this.#patience(uid);
        if (untilMs > this.#ports.clock.nowMs()) return untilMs;
      }
      const ref = podNameOf(target);
      const { clock, written } = this.#ports;
      const changedAtMs = this.#told.get(uid)?.held?.sinceMs ?? clock.nowMs();
      const answer = await pods.patchStatus(ref, change, signal);
      this.#note(uid, { answer, held: undefined });
      written?.(uid, clock.nowMs() - changedAtMs);
    }
    if (mayRemove(known) && !this.#told.get(uid)?.isRemoved) {
      await orAlreadySo(pods.remove(podNameOf(target), signal));
      this.#note(uid, { isRemoved: true });
    }
    return undefined;
  }

  /** Until when news that may wait does so; never sooner than said before. */
  #patience(uid: PodUid): number {
    const nowMs = this.#ports.clock.nowMs();
    const before = this.#told.get(uid)?.held;
    const others = [...this.#told].filter(([other, { held }]) =>
      other !== uid && held !== undefined
    );
    const patienceMs = Math.min(
      PATIENCE_MS + others.length * PATIENCE_EACH_MS,
      LONGEST_PATIENCE_MS,
    );
    const sinceMs = before?.sinceMs ?? nowMs;
    const untilMs = Math.max(before?.untilMs ?? 0, sinceMs + patienceMs);
    this.#note(uid, { held: { sinceMs, untilMs } });
    return untilMs;
  }

  /** The object at the server that shows this pod, as last heard of. */
  #targetOf(uid: PodUid): V1Pod | undefined {
    const { pods, mirrors } = this.#ports.desired.get();
    const pod = pods.get(uid)?.pod;
    if (pod === undefined) return undefined;
    const held = shownAs(pod, mirrors);
    const answer = this.#told.get(uid)?.answer;
    if (held === undefined || answer === undefined) return held;
    return uidOf(answer) === uidOf(held) && isNewer(answer, held)
      ? answer
      : held;
  }

  #note(uid: PodUid, news: { [Key in keyof Told]?: Told[Key] | undefined }) {
    const { answer, isRemoved, held, failure } = {
      ...this.#told.get(uid),
      ...news,
    };
    this.#told.set(uid, {
      ...held === undefined ? {} : { held },
      ...answer === undefined ? {} : { answer },
      ...isRemoved === undefined ? {} : { isRemoved },
      ...failure === undefined ? {} : { failure },
    });
  }
}

/** A start or an end goes its usual way, or only a new version was seen. */
function mayWait(
  { metadata, status: stored }: V1Pod,
  { state, status }: { state: PodState; status: PodStatusJson },
  change: PodStatusChange,
): boolean {
  const isStarting = metadata?.deletionTimestamp === undefined &&
    status.phase === "Pending" &&
    status.containerStatuses.every(({ state }) =>
      state.waiting?.message === undefined && state.terminated === undefined
    );
  // Its network is taken down now, and then it has its last status.
  const isEnding = (state.kind === "stopping" || state.kind === "done") &&
    (status.phase === "Pending" || status.phase === "Running") &&
    [...status.initContainerStatuses ?? [], ...status.containerStatuses]
      .every(({ state }) => state.running === undefined);
  return isStarting || isEnding || isGenerationAlone(stored, change);
}

function isGenerationAlone(
  stored: V1Pod["status"],
  { observedGeneration: _, conditions = [], ...rest }: PodStatusChange,
): boolean {
  const held = new Map(stored?.conditions?.map((each) => [each.type, each]));
  return Object.keys(rest).length === 0 &&
    conditions.every(({ type, status, reason, message }) => {
      const old = held.get(type);
      return old?.status === status && (old.reason ?? "") === (reason ?? "") &&
        (old.message ?? "") === (message ?? "");
    });
}

/** Stopped for good, its network too, by the word of the API server. */
function mayRemove({ pod, state, observed }: PodMemory): boolean {
  return pod !== undefined && isDeleted(pod) && state.kind === "done" &&
    observed.sandboxes.every(({ isReady }) => !isReady);
}

function isNewer(one: V1Pod, other: V1Pod): boolean {
  const first = versionOf(one.metadata?.resourceVersion);
  const second = versionOf(other.metadata?.resourceVersion);
  return first !== undefined && (second === undefined || first > second);
}
