/**
 * Containers on their way out: hook, turn, stop signal, kill. Ordered by the
 * passes, which never wait for it; a pod is woken when one of its containers
 * has ended or could not be stopped. The sole writer of what is under way.
 * Compat: kubelet 1.36 killContainer, executePreStopHook.
 *
 * Invariant: a hook runs at most once in an agent's life for one container;
 * an agent that died inside of one runs it again.
 */
import { chainOf, isAbort } from "../base/errors.ts";
import { orAborted } from "../base/wait.ts";
import type { ContainerId, PodUid } from "../api/id.ts";
import type { ContainerToStop } from "../pod/action.ts";
import type { ObservedPod, StopUnderWay } from "../pod/facts.ts";
import { Deadline } from "./deadline.ts";
import { isUnavailable, nextFailure } from "./failure.ts";
import { type Entry, stopOne, type StopOnePorts } from "./stop_one.ts";

/** Ended by what the runtime says, and running by what it shows. */
const CONTRADICTION_MS = 1_000;

export interface StopPorts extends StopOnePorts {
  /** Asks for a pass of the pod, as long as `isNews` says it is one. */
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
  /** The runtime did not answer; somebody should look at it. */
  readonly suspect: () => void;
}

export class Stops {
  /** Made once: to make one takes a look at the whole stack. */
  readonly #ended = new DOMException("The container has ended", "AbortError");
  readonly #ports: StopPorts;
  readonly #entries = new Map<PodUid, Map<ContainerId, Entry>>();
  readonly #begun = Promise.withResolvers<AbortSignal>();
  readonly #running = new Set<Promise<void>>();

  constructor(ports: StopPorts) {
    this.#ports = ports;
  }

  /** Lets stops go on until `signal` aborts; what was signalled stays so. */
  async run(signal: AbortSignal): Promise<void> {
    this.#begun.resolve(signal);
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    await Promise.all(this.#running);
  }

  /** Orders, or shortens; never waits. */
  order(uid: PodUid, containers: readonly ContainerToStop[]): void {
    const entries = this.#entries.get(uid) ?? new Map<ContainerId, Entry>();
    this.#entries.set(uid, entries);
    const fresh: [Entry, ContainerToStop][] = [];
    for (const container of containers) {
      const killAtMs = container.killAtMs ??
        this.#ports.clock.nowMs() + container.graceSeconds * 1000;
      const known = entries.get(container.id);
      const entry = known ?? this.#enter(uid, container, killAtMs);
      entries.set(container.id, entry);
      entry.deadline.shorten(killAtMs);
      entry.hasFailed = false;
      if (!entry.isRunning) fresh.push([entry, container]);
      entry.isRunning = true;
    }
    for (const [entry, container] of fresh) {
      const before = (container.after ?? [])
        .flatMap((id) => entries.get(id)?.ended.signal ?? []);
      this.#start(entry, container, before);
    }
  }

  /**
   * What is under way for one pod, now that a pass has seen this of it: of
   * what has ended nothing is kept.
   */
  seen(
    uid: PodUid,
    observed: ObservedPod,
  ): ReadonlyMap<ContainerId, StopUnderWay> {
    const entries = this.#entries.get(uid);
    if (entries === undefined) return new Map();
    const states = new Map(observed.containers.map((c) => [c.id, c.state]));
    for (const [id, entry] of entries) {
      const state = states.get(id);
      if (state === undefined || state === "exited") {
        entry.ended.abort(this.#ended);
        entries.delete(id);
        entry.isNews = false;
      } else {
        this.#contradict(entry, observed.atMs);
      }
    }
    if (entries.size === 0) this.#entries.delete(uid);
    return new Map([...entries].map(([id, entry]) => [id, underWay(entry)]));
  }

  /** Resolves when a stop worked or failed, or is not under way. */
  async settled(
    uid: PodUid,
    id: ContainerId,
    signal: AbortSignal,
  ): Promise<void> {
    const task = this.#entries.get(uid)?.get(id)?.task;
    await orAborted(task ?? Promise.resolve(), signal);
  }

  /** The pod is gone. */
  forget(uid: PodUid): void {
    for (const entry of this.#entries.get(uid)?.values() ?? []) {
      entry.ended.abort(this.#ended);
      entry.isNews = false;
    }
    this.#entries.delete(uid);
  }

  #enter(uid: PodUid, container: ContainerToStop, killAtMs: number): Entry {
    const { id, name, message } = container;
    this.#ports.recorder.record(uid, {
      type: "Normal",
      reason: "Killing",
      message,
      container: name,
    });
    return {
      uid,
      id,
      name,
      deadline: new Deadline(this.#ports.clock, killAtMs),
      ended: new AbortController(),
      hook: "due",
      task: Promise.resolve(),
      isRunning: false,
      endedAtMs: undefined,
      failure: undefined,
      hasFailed: false,
      isNews: false,
    };
  }

  /** A failure is read here; an end must show up in what is observed. */
  #contradict(entry: Entry, observedAtMs: number): void {
    if (entry.hasFailed) entry.isNews = false;
    const { endedAtMs } = entry;
    if (endedAtMs === undefined || observedAtMs <= endedAtMs) return;
    const failedAtMs = this.#ports.clock.nowMs();
    entry.endedAtMs = undefined;
    entry.hasFailed = true;
    entry.isNews = false;
    entry.failure = {
      reason: "FailedKillPod",
      message: `Container ${entry.name} was stopped, and runs`,
      count: 1,
      failedAtMs,
      retryAtMs: failedAtMs + CONTRADICTION_MS,
    };
  }

  #start(
    entry: Entry,
    container: ContainerToStop,
    before: readonly AbortSignal[],
  ): void {
    const task = this.#begun.promise
      .then((signal) => this.#end(entry, { container, before }, signal))
      .finally(() => this.#running.delete(task));
    this.#running.add(task);
    entry.task = task;
  }

  async #end(
    entry: Entry,
    order: {
      readonly container: ContainerToStop;
      readonly before: readonly AbortSignal[];
    },
    signal: AbortSignal,
  ): Promise<void> {
    const all = AbortSignal.any([signal, entry.ended.signal]);
    try {
      await stopOne(this.#ports, { entry, ...order }, all);
      entry.endedAtMs = this.#ports.clock.nowMs();
      entry.ended.abort(this.#ended);
    } catch (error) {
      if (isAbort(error, all)) return;
      this.#fail(entry, error);
    } finally {
      entry.isRunning = false;
    }
    entry.isNews = true;
    this.#ports.hint(entry.uid, () => entry.isNews);
  }

  #fail(entry: Entry, error: unknown): void {
    const { clock, suspect, recorder, log } = this.#ports;
    const nowMs = clock.nowMs();
    const message = chainOf(error);
    const failure = nextFailure(
      entry.failure,
      { reason: "FailedKillPod", message },
      nowMs,
    );
    const { uid, name } = entry;
    log.warn("Cannot stop a container", { uid, name, error: message });
    entry.hasFailed = true;
    if (isUnavailable(error)) {
      // Tried again by the first pass that sees the runtime.
      entry.failure = { ...failure, retryAtMs: nowMs };
      suspect();
      return;
    }
    entry.failure = failure;
    recorder.record(uid, {
      type: "Warning",
      reason: "FailedKillPod",
      message: `error killing pod: ${message}`,
    });
  }
}

function underWay({ deadline, failure, hasFailed }: Entry): StopUnderWay {
  const { atMs: killAtMs } = deadline;
  return hasFailed && failure !== undefined
    ? { killAtMs, failure }
    : { killAtMs };
}
