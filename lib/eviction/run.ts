/**
 * The loop of eviction: every ten seconds, and as soon as memory is short, it
 * measures, decides and gives at most one pod an order to go. Sole writer of
 * the orders and of the pressure; ends no container itself.
 * Compat: kubelet 1.36 managerImpl. Memory is looked at in between, the more
 * often the less of it is left above a threshold.
 */
import { Alarm } from "../base/alarm.ts";
import type { Writer } from "../base/cell.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import { titleOf, uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { awaitEnd, type CleanUpPorts } from "./clean_up.ts";
import { hasLimits, IMMEDIATE_SECONDS, passedLimit } from "./limits.ts";
import { evictionWords, rankedText, shortTexts } from "./message.ts";
import { observe, type ObserveSettings } from "./observe.ts";
import { rank } from "./rank.ts";
import { reclaim, type ReclaimPorts } from "./reclaim.ts";
import { Rest, type RestPorts, ROUND_MS } from "./rest.ts";
import { resourceOf } from "./thresholds.ts";
import {
  EVICTED,
  type EvictionOrder,
  type EvictionOrders,
  type EvictionView,
  type PressureKind,
  type Resource,
  type Threshold,
} from "./types.ts";
import { readUses, type UsePorts } from "./uses.ts";
import { NodeWatch } from "./watch.ts";

/** How many pods `explain` and the log name. */
const MOST_RANKED = 5;

export interface EvictionPorts
  extends RestPorts, UsePorts, ReclaimPorts, CleanUpPorts {
  /** Those that have not ended, and what of them may run. */
  readonly pods: () => readonly V1Pod[];
  /** Nobody remembers this pod any more. */
  readonly isForgotten: (uid: PodUid) => boolean;
  readonly orders: Writer<EvictionOrders>;
  readonly pressure: Writer<readonly PressureKind[]>;
  readonly unmeasured: Writer<ReadonlyMap<PressureKind, string>>;
  /** An order is there: whatever is done for the pod can end. */
  readonly interrupt: (uid: PodUid) => void;
  readonly nodeRecorder: { record(step: Step): void };
  /** `ageMs`: how old what was measured is; undefined at a pod's own limit. */
  readonly counted: (signal: string, ageMs: number | undefined) => void;
}

export interface EvictionSettings extends ObserveSettings {
  readonly thresholds: readonly Threshold[];
  readonly transitionMs: number;
  /** Longest grace at a soft threshold. */
  readonly maxGraceSeconds: number;
  /** Pods' own limits of the disk count. */
  readonly isStorageIsolated: boolean;
}

export class EvictionLoop {
  readonly #ports: EvictionPorts;
  readonly #settings: EvictionSettings;
  readonly #alarm = new Alarm();
  readonly #watch: NodeWatch;
  readonly #rest: Rest;
  #ranking: EvictionView["ranking"] = [];

  constructor(ports: EvictionPorts, settings: EvictionSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#watch = new NodeWatch(ports, settings);
    this.#rest = new Rest(ports, settings, this.#watch);
  }

  /** What was measured last, and who would go first. */
  view(): EvictionView {
    return {
      ...this.#watch.view(),
      pressures: this.#ports.pressure.get(),
      ranking: this.#ranking,
    };
  }

  /** Something of this pod is another: it may have been cleaned up. */
  seen(uid: PodUid): void {
    if (this.#ports.orders.get().has(uid)) this.#alarm.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { thresholds, isStorageIsolated } = this.#settings;
    if (thresholds.length === 0 && !isStorageIsolated) return;
    while (!signal.aborted) {
      try {
        await this.#round(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#ports.log.warn("Cannot judge whether pods have to go", {
          error: chainOf(error),
        });
        await this.#ports.clock.sleep(ROUND_MS, signal).catch((cause) => {
          if (!isAbort(cause, signal)) throw cause;
        });
      }
    }
  }

  /** Measures, acts, and waits for what came of it or for the next time. */
  async #round(signal: AbortSignal): Promise<void> {
    const scope = "everything";
    const settings = { ...this.#settings, scope } as const;
    const measured = await observe(this.#ports, settings, signal);
    const { due, pressures, wakeAtMs } = this.#watch.decide(measured);
    this.#tell(pressures);
    const evicted = await this.#act(due, signal);
    if (evicted.length === 0) {
      return await this.#rest.wait(measured, wakeAtMs, signal);
    }
    const orders = this.#ports.orders.get();
    const going = evicted.map((uid) => {
      const { graceSeconds = 0 } = orders.get(uid) ?? {};
      return { uid, graceSeconds };
    });
    await awaitEnd(this.#ports, { going, alarm: this.#alarm }, signal);
  }

  #tell(pressures: readonly PressureKind[]): void {
    const { pressure, unmeasured } = this.#ports;
    const known = unmeasured.get();
    const now = this.#watch.unmeasured;
    const isSame = pressure.get().join() === pressures.join() &&
      [...known].join() === [...now].join();
    if (isSame) return;
    unmeasured.set(now);
    // Who follows the one reads both.
    pressure.set(pressures);
  }

  /** Those that got an order. */
  async #act(
    due: readonly Threshold[],
    signal: AbortSignal,
  ): Promise<readonly PodUid[]> {
    if (!this.#watch.isShort) this.#ranking = [];
    this.#prune();
    const passed = await this.#judgeLimits(signal);
    if (passed.length > 0) return passed;
    const [first] = due;
    if (first === undefined) return [];
    const resource = resourceOf(first.signal);
    const { log, nodeRecorder } = this.#ports;
    log.warn("The node is short of a resource", {
      resource,
      measured: shortTexts(due, this.#watch.observations),
    });
    nodeRecorder.record({
      type: "Warning",
      reason: "EvictionThresholdMet",
      message: `Attempting to reclaim ${resource}`,
    });
    const { layout, thresholds: all } = this.#watch;
    const how = { ...this.#settings, layout, all, first };
    if (await reclaim(this.#ports, how, signal)) return [];
    return await this.#evictOne(due, { first, resource }, signal);
  }

  /** Pods that take more than their own limits; every one of them goes. */
  async #judgeLimits(signal: AbortSignal): Promise<readonly PodUid[]> {
    if (!this.#settings.isStorageIsolated) return [];
    const limited = this.#candidates().filter(hasLimits);
    if (limited.length === 0) return [];
    const uses = await readUses(this.#ports, limited, {
      detail: "cpu-and-memory",
      disks: "with-hosts",
      signal,
    });
    return uses.flatMap((use) => {
      const order = passedLimit(use, this.#watch.layout);
      if (order === undefined) return [];
      this.#order(use.pod, order);
      return [use.uid];
    });
  }

  async #evictOne(
    due: readonly Threshold[],
    { first, resource }: {
      readonly first: Threshold;
      readonly resource: Resource;
    },
    signal: AbortSignal,
  ): Promise<readonly PodUid[]> {
    const { log } = this.#ports;
    const { observations } = this.#watch;
    const isOnDisk = resource === "ephemeral-storage" || resource === "inodes";
    const uses = await readUses(this.#ports, this.#candidates(), {
      detail: resource === "pids" ? "main" : "cpu-and-memory",
      disks: isOnDisk ? "without-hosts" : "none",
      signal,
    });
    const ranked = rank(uses, first.signal, this.#watch.layout);
    this.#ranking = ranked.slice(0, MOST_RANKED)
      .map((each) => ({
        uid: each.use.uid,
        text: rankedText(each, resource),
      }));
    const [victim] = ranked;
    if (victim === undefined) {
      log.warn("No pod can be evicted", { resource, running: uses.length });
      return [];
    }
    const { pod, uid } = victim.use;
    const words = evictionWords(victim.use, resource, { due, observations });
    this.#order(pod, {
      signal: first.signal,
      graceSeconds: this.#graceOf(first, pod),
      message: words.message,
      isNodeShort: true,
    }, words.annotations);
    return [uid];
  }

  /** Compat: kubelet 1.36: never below a second, also where it is negative. */
  #graceOf({ graceMs }: Threshold, { spec }: V1Pod): number {
    if (graceMs === 0) return IMMEDIATE_SECONDS;
    const { maxGraceSeconds } = this.#settings;
    const own = spec?.terminationGracePeriodSeconds ?? maxGraceSeconds;
    return Math.max(IMMEDIATE_SECONDS, Math.min(maxGraceSeconds, own));
  }

  #order(
    pod: V1Pod,
    order: EvictionOrder,
    annotations?: Readonly<Record<string, string>>,
  ): void {
    const { orders, recorder, interrupt, counted, log } = this.#ports;
    const uid = uidOf(pod);
    log.warn("Evicting a pod", {
      pod: titleOf(pod),
      signal: order.signal,
      graceSeconds: order.graceSeconds,
      message: order.message,
      ranking: this.#ranking.map(({ text }) => text),
    });
    orders.set(new Map([...orders.get(), [uid, order]]));
    recorder.record(uid, {
      type: "Warning",
      reason: EVICTED,
      message: order.message,
      ...annotations === undefined ? {} : { annotations },
    });
    counted(order.signal, this.#ageMs(order));
    interrupt(uid);
  }

  #ageMs({ signal }: EvictionOrder): number | undefined {
    const found = this.#watch.observed(signal);
    return found && this.#ports.clock.nowMs() - found.atMs;
  }

  /** Pods that are not on their way already. */
  #candidates(): readonly V1Pod[] {
    const orders = this.#ports.orders.get();
    return this.#ports.pods().filter((pod) => !orders.has(uidOf(pod)));
  }

  /** Orders of pods that are not remembered any more. */
  #prune(): void {
    const { orders, isForgotten } = this.#ports;
    const before = orders.get();
    const left = [...before].filter(([uid]) => !isForgotten(uid));
    if (left.length < before.size) orders.set(new Map(left));
  }
}
