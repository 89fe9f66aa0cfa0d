/**
 * What is known of the node's needs between two rounds: which thresholds hold
 * for its disks, since when they are met, and what was measured last. Belongs
 * to `run.ts`, which measures; waits for nothing.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { MemoryMark } from "../port/kernel.ts";
import { Blindness } from "./blindness.ts";
import {
  decide,
  type Decision,
  type EvictionMemory,
  memoryMargin,
  NOTHING_SHORT,
} from "./decide.ts";
import { memoryMarks } from "./marks.ts";
import { judge, layoutOf, type Measured } from "./measure.ts";
import { arithmetic } from "./message.ts";
import { thresholdText, withContainerDisk } from "./thresholds.ts";
import type {
  DiskLayout,
  EvictionView,
  Observation,
  Observations,
  PressureKind,
  Threshold,
} from "./types.ts";

export class NodeWatch {
  readonly #ports: { readonly clock: Clock; readonly log: Logger };
  readonly #configured: readonly Threshold[];
  readonly #transitionMs: number;
  #thresholds: readonly Threshold[];
  #layout: DiskLayout | undefined;
  #memory: EvictionMemory = NOTHING_SHORT;
  #lastAtMs: number | undefined;
  #rootDevice: bigint | undefined;
  readonly #blindness: Blindness;

  constructor(
    ports: { readonly clock: Clock; readonly log: Logger },
    settings: {
      readonly thresholds: readonly Threshold[];
      readonly transitionMs: number;
    },
  ) {
    this.#ports = ports;
    this.#configured = settings.thresholds;
    this.#transitionMs = settings.transitionMs;
    this.#thresholds = settings.thresholds;
    this.#blindness = new Blindness(ports.log);
  }

  /** By the pressure of which too little is known for a while, what. */
  get unmeasured(): ReadonlyMap<PressureKind, string> {
    return this.#blindness.lasting(this.#ports.clock.monotonicMs());
  }

  /** As configured, and for the disk of the writable layers. */
  get thresholds(): readonly Threshold[] {
    return this.#thresholds;
  }

  get layout(): DiskLayout {
    return this.#layout ?? "one";
  }

  get observations(): Observations {
    return this.#memory.observations;
  }

  /** Of a signal; undefined for what is none, too. */
  observed(signal: string): Observation | undefined {
    const found = [...this.observations].find(([each]) => each === signal);
    return found?.[1];
  }

  get isShort(): boolean {
    return this.#memory.firstMetMs.size > 0;
  }

  /** Everything was measured: what is due now? */
  decide(measured: Measured): Decision {
    const { clock } = this.#ports;
    const known = this.#withOwnDisk(measured);
    this.#fit(layoutOf(known));
    const { observations, unknown } = judge(known, clock.nowMs());
    this.#blindness.see(this.#thresholds, unknown, clock.monotonicMs());
    const decision = decide(
      { thresholds: this.#thresholds, observations },
      this.#memory,
      { nowMs: clock.monotonicMs(), transitionMs: this.#transitionMs },
    );
    this.#memory = decision.next;
    this.#lastAtMs = measured.atMs;
    return decision;
  }

  /**
   * Bytes until memory is short, for thresholds that are not met yet: the
   * others are looked at in the rounds.
   */
  margin(measured: Measured): bigint | undefined {
    const { observations } = judge(measured, this.#ports.clock.nowMs());
    return memoryMargin(this.#unmet(), observations);
  }

  /** Where the kernel is to tell that one of these is met. */
  marks(measured: Measured): readonly MemoryMark[] {
    return memoryMarks(this.#unmet(), measured);
  }

  #unmet(): readonly Threshold[] {
    const { firstMetMs } = this.#memory;
    return this.#thresholds.filter((each) => !firstMetMs.has(each));
  }

  view(): Pick<EvictionView, "thresholds" | "lastAtMs"> {
    const { firstMetMs, observations } = this.#memory;
    return {
      thresholds: this.#thresholds.map((each) => ({
        threshold: thresholdText(each),
        detail: arithmetic(each, observations),
        isMet: firstMetMs.has(each),
      })),
      lastAtMs: this.#lastAtMs,
    };
  }

  /** Thresholds are known by identity: what was met is met anew. */
  #fit(layout: DiskLayout | undefined): void {
    if (layout === undefined || layout === this.#layout) return;
    this.#layout = layout;
    this.#thresholds = withContainerDisk(this.#configured, layout);
    const kept = new Set(this.#thresholds);
    const { firstMetMs, standing } = this.#memory;
    this.#memory = {
      ...this.#memory,
      firstMetMs: new Map([...firstMetMs].filter(([each]) => kept.has(each))),
      standing: standing.filter((each) => kept.has(each)),
    };
  }

  /** Where the disk was taken away, what is below it is none of ours. */
  #withOwnDisk(measured: Measured): Measured {
    const { root } = measured;
    this.#rootDevice ??= root?.device;
    return root === undefined || root.device === this.#rootDevice
      ? measured
      : { ...measured, root: undefined };
  }
}
