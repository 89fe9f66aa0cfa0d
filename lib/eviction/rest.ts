/**
 * The time between two rounds: until the next one is due, or memory has become
 * short. The kernel says so where it is asked to; besides, memory is looked at
 * the more often the less of it is left.
 */
import { Alarm } from "../base/alarm.ts";
import { chainOf, isAbort, nextOf } from "../base/errors.ts";
import type { KernelNews } from "../port/kernel.ts";
import type { Measured } from "./measure.ts";
import { observe, type ObservePorts, type ObserveSettings } from "./observe.ts";
import type { NodeWatch } from "./watch.ts";

/** Compat: kubelet 1.36 evictionMonitoringPeriod. */
export const ROUND_MS = 10_000;
/** As fast as memory is expected to fill up, in bytes a millisecond. */
const FILL_RATE = 1024n * 1024n;
const SHORTEST_LOOK_MS = 250n;
/** Usage that swings around a mark is looked at no more often than this. */
const NEWS_GAP_MS = 100;

export interface RestPorts extends ObservePorts {
  /** Undefined: the kernel is not asked. */
  readonly kernel: Pick<KernelNews, "memoryPassed"> | undefined;
}

export class Rest {
  readonly #ports: RestPorts;
  readonly #settings: ObserveSettings;
  readonly #watch: NodeWatch;
  #isKernelSilent = false;

  constructor(ports: RestPorts, settings: ObserveSettings, watch: NodeWatch) {
    this.#ports = ports;
    this.#settings = settings;
    this.#watch = watch;
  }

  /** `dueAtMs`: of a soft threshold; monotonic milliseconds. */
  async wait(
    measured: Measured,
    dueAtMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#ports;
    const endMs = Math.min(clock.monotonicMs() + ROUND_MS, dueAtMs);
    const settings = { ...this.#settings, scope: "memory" } as const;
    let seen = measured;
    let isNews = false;
    for (;;) {
      const leftMs = endMs - clock.monotonicMs();
      const margin = this.#watch.margin(seen);
      if (leftMs <= 0 || (margin !== undefined && margin < 0n)) return;
      const ms = Math.min(leftMs, lookMs(margin));
      if (margin === undefined) {
        await clock.sleep(ms, signal);
        continue;
      }
      if (isNews) await clock.sleep(Math.min(ms, NEWS_GAP_MS), signal);
      isNews = isNews ? false : await this.#orNews(seen, ms, signal);
      seen = await observe(this.#ports, settings, signal);
    }
  }

  /** True when the kernel has told something before the time was over. */
  async #orNews(
    seen: Measured,
    ms: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, kernel } = this.#ports;
    if (kernel === undefined || this.#isKernelSilent) {
      await clock.sleep(ms, signal);
      return false;
    }
    const alarm = new Alarm();
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    let isNews = false;
    const asked = kernel.memoryPassed(this.#watch.marks(seen), both).then(
      () => {
        isNews = true;
        alarm.ring();
      },
      (error) => this.#silent(error, both),
    );
    try {
      await alarm.wait(clock, ms, signal);
    } finally {
      over.abort(new DOMException("The rest is over", "AbortError"));
      await asked;
    }
    return isNews;
  }

  #silent(error: unknown, signal: AbortSignal): void {
    // A cgroup that has just gone is asked for no more, others are.
    if (isAbort(error, signal) || nextOf(error) !== "give-up") return;
    this.#isKernelSilent = true;
    this.#ports.log.warn("The kernel does not tell when memory is short", {
      error: chainOf(error),
      instead: `it is measured, every ${SHORTEST_LOOK_MS} ms when it is scarce`,
    });
  }
}

/** When memory may be short at the earliest. */
function lookMs(margin: bigint | undefined): number {
  if (margin === undefined) return ROUND_MS;
  const ms = margin / FILL_RATE;
  if (ms >= BigInt(ROUND_MS)) return ROUND_MS;
  return Number(ms < SHORTEST_LOOK_MS ? SHORTEST_LOOK_MS : ms);
}
