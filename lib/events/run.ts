/**
 * Sends events to the API server. Recording never waits and never fails: a
 * bounded queue takes the event, one loop correlates and stores it. What
 * cannot be stored in time is dropped with a line in the log.
 */
import { Alarm } from "../base/alarm.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort, nextOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Step } from "../api/step.ts";
import type { ClusterEvents } from "../port/cluster.ts";
import { type Bucket, type Rate, take, waitMs } from "./bucket.ts";
import { type Correlated, Correlator } from "./correlate.ts";
import {
  asObject,
  countPatch,
  type EventJson,
  makeEvent,
  type Target,
} from "./event.ts";

/** Compat: client-go 0.36 maxQueuedEvents, maxTriesPerEvent */
const MOST_QUEUED = 1000;
const MOST_TRIES = 12;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
const FOREVER_MS = 2 ** 31 - 1;
const NANOS_PER_MS = 1_000_000n;

interface EventPorts {
  readonly events: ClusterEvents;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface EventSettings {
  /** The node's name: who reports. */
  readonly host: string;
  /** `eventRecordQPS` and `eventBurst`; 0 a second: no bound. */
  readonly rate: Rate;
}

interface Queued {
  readonly event: EventJson;
  readonly atMs: number;
  readonly nanos: bigint;
}

export class EventWriter {
  readonly #ports: EventPorts;
  readonly #settings: EventSettings;
  readonly #queue: Queued[] = [];
  readonly #alarm = new Alarm();
  readonly #correlator = new Correlator();
  #bucket: Bucket | undefined;
  #lastNanos = 0n;
  #dropped = 0;

  constructor(ports: EventPorts, settings: EventSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  /** How many events wait to be stored. */
  get queuedCount(): number {
    return this.#queue.length;
  }

  /** Takes note of a step; says nothing about when it is stored. */
  record(
    target: Target,
    step: Step,
    annotations?: Readonly<Record<string, string>>,
  ): void {
    if (this.#queue.length >= MOST_QUEUED) {
      this.#dropped++;
      return;
    }
    const atMs = this.#ports.clock.nowMs();
    const nanos = this.#nanos(atMs);
    const facts = {
      target,
      step,
      nowMs: atMs,
      nanos,
      ...annotations === undefined ? {} : { annotations },
    };
    const event = makeEvent(facts, this.#settings.host);
    this.#queue.push({ event, atMs, nanos });
    this.#alarm.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) {
        await this.#alarm.wait(this.#ports.clock, FOREVER_MS, signal);
        continue;
      }
      await this.#store(next, signal);
      this.#tellDropped();
    }
  }

  async #store(
    { event, atMs, nanos }: Queued,
    signal: AbortSignal,
  ): Promise<void> {
    const correlated = this.#correlator.correlate(event, atMs, nanos);
    if (correlated.kind === "skip") return;
    let retryMs = FIRST_RETRY_MS;
    for (let attempt = 1;; attempt++) {
      try {
        await this.#sendOnce(correlated, signal);
        return;
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        const next = nextOf(error);
        if (next === "already-so") return;
        if (next === "give-up" || attempt >= MOST_TRIES) {
          this.#drop(correlated.event, error);
          return;
        }
      }
      // Nodes that lost one server do not come back at one moment.
      const { clock, random } = this.#ports;
      const share = attempt === 1 ? random.fraction() : 1;
      await clock.sleep(retryMs * share, signal);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  async #sendOnce(
    { kind, event }: Exclude<Correlated, { kind: "skip" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { events } = this.#ports;
    if (kind === "count") {
      await this.#turn(signal);
      try {
        await events.patch(event.metadata, countPatch(event), signal);
        return;
      } catch (error) {
        // Stored events expire after an hour; then it is stored anew.
        const isGone = !isAbort(error, signal) && nextOf(error) !== "retry";
        if (!isGone) throw error;
      }
    }
    await this.#turn(signal);
    await events.create(asObject(event), signal);
  }

  /** Waits until the rate allows one more request. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const { rate } = this.#settings;
    if (rate.perSecond <= 0) return;
    this.#bucket = take(this.#bucket, rate, clock.monotonicMs());
    const ms = waitMs(this.#bucket, rate);
    if (ms > 0) await clock.sleep(ms, signal);
  }

  #drop(event: EventJson, error: unknown): void {
    const { namespace, name } = event.involvedObject;
    this.#ports.log.warn("Dropped an event that could not be stored", {
      object: namespace === undefined ? name : `${namespace}/${name}`,
      reason: event.reason,
      error: chainOf(error),
    });
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#ports.log.warn("Dropped events: too many were waiting", {
      count: this.#dropped,
    });
    this.#dropped = 0;
  }

  /** Grows with each event, so that no two of one object share a name. */
  #nanos(atMs: number): bigint {
    const now = BigInt(Math.trunc(atMs)) * NANOS_PER_MS;
    const next = this.#lastNanos + 1n;
    this.#lastNanos = now > next ? now : next;
    return this.#lastNanos;
  }
}
