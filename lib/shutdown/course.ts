/**
 * The course of one shutdown: pods are given orders to go, group by group;
 * then the API server is told. Sole writer of the orders and of the word that
 * the machine goes down; ends no container itself.
 * Compat: kubelet 1.36 processShutdownEvent, killPods. Beyond it, statuses are
 * written before the machine may go on.
 */
import { Alarm } from "../base/alarm.ts";
import type { Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import { within } from "../base/wait.ts";
import type { Files } from "../port/host.ts";
import { type ShutdownTurn, shutdownTurns, wholeSeconds } from "./plan.ts";
import {
  parseTimes,
  renderTimes,
  secondsOf,
  type ShutdownTimes,
} from "./state_file.ts";
import type { ShutdownGroup, ShutdownOrders, ShutdownStage } from "./types.ts";

/** For the last statuses, also when the pods have taken all the time. */
const LEAST_TELLING_MS = 1_000;
/** Of the first group's time, where an agent begins as the machine goes. */
const KNOWN_MS = 5_000;
const LARGEST_STATE_BYTES = 4096;

export interface CoursePorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: Pick<Files, "read" | "replace">;
  readonly meters: Pick<Meters, "shutdownStart" | "shutdownEnd">;
  readonly nodeRecorder: { record(step: Step): void };
  readonly orders: Writer<ShutdownOrders>;
  readonly isShuttingDown: Writer<boolean>;
  /** Resolves when every source of pods has reported once. */
  readonly known: (signal: AbortSignal) => Promise<void>;
  /** Those that have not ended. */
  readonly pods: () => readonly V1Pod[];
  /** Nothing of it runs any more, and its volumes are let go. */
  readonly isCleanedUp: (uid: PodUid) => boolean;
  /** Nobody remembers this pod any more. */
  readonly isForgotten: (uid: PodUid) => boolean;
  /** It is no object of the API server's. */
  readonly isStatic: (uid: PodUid) => boolean;
  /** An order is there, or is none any more. */
  readonly interrupt: (uid: PodUid) => void;
  /** Resolves when the API server holds what there is to say of the pods. */
  readonly told: (
    uids: readonly PodUid[],
    signal: AbortSignal,
  ) => Promise<void>;
}

export interface CourseSettings {
  readonly groups: readonly ShutdownGroup[];
  readonly statePath: string;
  /** Compat: times are kept only with groups by priority. */
  readonly keepsTimes: boolean;
}

/** `endMs`: monotonic. */
interface Limit {
  readonly endMs: number;
  readonly signal: AbortSignal;
}

export class Course {
  readonly #ports: CoursePorts;
  readonly #settings: CourseSettings;
  readonly #alarm = new Alarm();
  #end = new AbortController();
  #turn: { readonly turn: ShutdownTurn; readonly untilMs: number } | undefined;
  #stage: ShutdownStage = { kind: "up" };

  constructor(ports: CoursePorts, settings: CourseSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  get stage(): ShutdownStage {
    if (this.#turn === undefined) return this.#stage;
    const { turn, untilMs } = this.#turn;
    return {
      kind: "ending-pods",
      priority: turn.priority,
      left: this.#left(turn.pods.map(({ uid }) => uid)).length,
      untilMs,
    };
  }

  /** What the metrics tell of the shutdown before this start. */
  async recall(): Promise<void> {
    const { files, log } = this.#ports;
    const { statePath, keepsTimes } = this.#settings;
    if (!keepsTimes) return;
    try {
      const bytes = await files.read(statePath, LARGEST_STATE_BYTES);
      if (bytes === undefined) return;
      const times = parseTimes(new TextDecoder().decode(bytes));
      if (times === undefined) throw new Error("It is not JSON as we write it");
      this.#measure(times);
    } catch (error) {
      const fields = { path: statePath, error: chainOf(error) };
      log.warn("Cannot read when the last shutdown was", fields);
    }
  }

  /** Something of this pod is another: it may have gone. */
  seen(uid: PodUid): void {
    const { orders, isForgotten } = this.#ports;
    if (!orders.get().has(uid)) return;
    if (isForgotten(uid)) this.#drop((each) => each === uid);
    this.#alarm.ring();
  }

  /** Resolves when the machine may go on, or it does not after all. */
  async run(parent: AbortSignal): Promise<void> {
    const { clock, log, isShuttingDown } = this.#ports;
    const { groups } = this.#settings;
    this.#end = new AbortController();
    const signal = AbortSignal.any([parent, this.#end.signal]);
    const startMs = clock.nowMs();
    const endMs = clock.monotonicMs() + 1000 * wholeSeconds(groups);
    this.#record("Shutdown manager detected shutdown event");
    isShuttingDown.set(true);
    await this.#keep({ startMs, endMs: undefined });
    try {
      await this.#know(signal);
      const turns = shutdownTurns(groups, this.#ports.pods());
      for (const turn of turns) await this.#take(turn, signal);
      this.#turn = undefined;
      this.#stage = { kind: "telling" };
      const uids = turns.flatMap(({ pods }) => pods.map(({ uid }) => uid));
      await this.#tell(uids, { endMs, signal });
      log.info("Pods have ended; the machine may go down");
      this.#stage = { kind: "done", atMs: clock.nowMs() };
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally {
      this.#turn = undefined;
      await this.#keep({ startMs, endMs: clock.nowMs() });
    }
  }

  /**
   * The machine does not go down: no pod gets an order any more. Who has had
   * one has failed, but for static pods, which nobody would make anew.
   */
  cancel(): void {
    const { isShuttingDown, orders, isStatic, interrupt } = this.#ports;
    this.#record("Shutdown manager detected shutdown cancellation");
    this.#end.abort(new DOMException("It is cancelled", "AbortError"));
    this.#stage = { kind: "up" };
    isShuttingDown.set(false);
    const back = [...orders.get().keys()].filter(isStatic);
    this.#drop((uid) => back.includes(uid));
    for (const uid of back) interrupt(uid);
  }

  /** An agent that has just begun does not know its pods yet. */
  async #know(signal: AbortSignal): Promise<void> {
    const { clock, log, known } = this.#ports;
    try {
      await within({ clock, ms: KNOWN_MS, signal }, known);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      log.warn("Not every source of pods is heard before the shutdown", {
        error: chainOf(error),
      });
    }
  }

  async #take(turn: ShutdownTurn, signal: AbortSignal): Promise<void> {
    const { clock, log, orders, interrupt } = this.#ports;
    const { priority, seconds, pods } = turn;
    log.info("Ending pods, as the machine goes down", {
      priority,
      seconds,
      pods: pods.length,
    });
    const waitMs = seconds * 1000;
    this.#turn = { turn, untilMs: clock.nowMs() + waitMs };
    orders.set(
      new Map([
        ...orders.get(),
        ...pods.map(({ uid, graceSeconds }) =>
          [uid, { graceSeconds }] as const
        ),
      ]),
    );
    for (const { uid } of pods) interrupt(uid);
    const endMs = clock.monotonicMs() + waitMs;
    const uids = pods.map(({ uid }) => uid);
    const left = await this.#gone(uids, { endMs, signal });
    if (left.length > 0) {
      log.warn("Pods are not gone in time", { priority, uids: left });
    }
  }

  /** Waits until they are, or the time is over; gives those that are left. */
  async #gone(
    uids: readonly PodUid[],
    { endMs, signal }: Limit,
  ): Promise<readonly PodUid[]> {
    const { clock } = this.#ports;
    for (;;) {
      const left = this.#left(uids);
      const leftMs = endMs - clock.monotonicMs();
      if (left.length === 0 || leftMs <= 0) return left;
      await this.#alarm.wait(clock, leftMs, signal);
    }
  }

  #left(uids: readonly PodUid[]): readonly PodUid[] {
    return uids.filter((uid) => !this.#ports.isCleanedUp(uid));
  }

  /** Also of those that were not gone in their group's time. */
  async #tell(uids: readonly PodUid[], { endMs, signal }: Limit) {
    const { clock, log, told } = this.#ports;
    const leastMs = clock.monotonicMs() + LEAST_TELLING_MS;
    await this.#gone(uids, { endMs: Math.max(endMs, leastMs), signal });
    const ms = Math.max(endMs - clock.monotonicMs(), LEAST_TELLING_MS);
    try {
      await within({ clock, ms, signal }, (each) => told(uids, each));
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      log.warn("The API server does not know of all pods that ended", {
        error: chainOf(error),
      });
    }
  }

  /** A disk that fails does not keep the machine from going down. */
  async #keep(times: ShutdownTimes): Promise<void> {
    const { files, log } = this.#ports;
    const { statePath, keepsTimes } = this.#settings;
    if (!keepsTimes) return;
    this.#measure(times);
    try {
      const bytes = new TextEncoder().encode(renderTimes(times));
      await files.replace(statePath, bytes, 0o644);
    } catch (error) {
      const fields = { path: statePath, error: chainOf(error) };
      log.warn("Cannot keep when the shutdown was", fields);
    }
  }

  #measure({ startMs, endMs }: ShutdownTimes): void {
    const { shutdownStart, shutdownEnd } = this.#ports.meters;
    shutdownStart.set({}, secondsOf(startMs));
    shutdownEnd.set({}, secondsOf(endMs));
  }

  #record(message: string): void {
    this.#ports.log.info(message);
    const step = { type: "Normal", reason: "Shutdown", message } as const;
    this.#ports.nodeRecorder.record(step);
  }

  #drop(isGone: (uid: PodUid) => boolean): void {
    const { orders } = this.#ports;
    const left = [...orders.get()].filter(([uid]) => !isGone(uid));
    orders.set(new Map(left));
  }
}
