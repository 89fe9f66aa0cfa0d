/**
 * The slow relist: finds what no event told of, and what pods left behind that
 * nobody knows any more. Its listing is also the first that the agent learns of
 * the pods that are here.
 */
import { Alarm } from "../base/alarm.ts";
import type { Reader } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { KeyedQueue } from "../base/keyed_queue.ts";
import type { Logger } from "../base/log.ts";
import type { Trail } from "../base/trail.ts";
import { within } from "../base/wait.ts";
import type { PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import type { ObservedPod, PodSettings, RuntimeHealth } from "../pod/facts.ts";
import type { Cgroups } from "../port/cgroups.ts";
import type { Files, HostFacts } from "../port/host.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { Desired } from "../source/types.ts";
import type { VolumeRunner } from "../volume/run.ts";
import type { Allocations } from "./allocations.ts";
import type { LastWords } from "./last_words.ts";
import { limitDeadContainers } from "./dead_containers.ts";
import { differingPods, listPod, observePod } from "./observe.ts";
import { EMPTY_MEMORY, type Pods } from "./store.ts";
import {
  joinSwept,
  type Left,
  sweepCgroups,
  sweepFiles,
  type Swept,
} from "./sweep.ts";

/** How long the first look at one pod may take. */
const MEET_MS = 5_000;

export interface LoopPorts {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queue: KeyedQueue<PodUid>;
  readonly desired: Reader<Desired>;
  readonly health: Reader<RuntimeHealth>;
  readonly pods: Pods;
  readonly files: Files;
  readonly cgroups: Cgroups;
  readonly lastWords: LastWords;
  readonly settings: PodSettings;
  readonly volumes: Pick<VolumeRunner, "release" | "request" | "stateOf">;
  readonly allocations: Pick<Allocations, "podOf" | "keepOnly">;
  readonly suspect: () => void;
  /** After an audit, which is at rest most often. */
  readonly host: Pick<HostFacts, "giveBackMemory">;
  readonly auditMs: number;
  readonly meters?: Pick<
    Meters,
    | "relistSeconds"
    | "relistInterval"
    | "orphanVolumes"
    | "orphanVolumeErrors"
  >;
  /** Where it is noted what runs. */
  readonly trail?: Pick<Trail, "note">;
}

/** Every pod that somebody wants or that is known from the runtime. */
export function wakeAll(ports: LoopPorts): void {
  for (const uid of ports.desired.get().pods.keys()) ports.queue.wake(uid);
  for (const uid of ports.pods.keys()) ports.queue.wake(uid);
}

export class Audit {
  readonly #ports: LoopPorts;
  #everyMs: number;
  readonly #alarm = new Alarm();
  #isListed = false;
  #left: readonly Left[] = [];
  lastAtMs: number | undefined;

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    this.#everyMs = ports.auditMs;
  }

  /** True while the last listing and the events since tell everything. */
  get isListed(): boolean {
    return this.#isListed;
  }

  /** What is left of pods that are gone and could not be removed, and why. */
  get left(): readonly Left[] {
    return this.#left;
  }

  /** Events were missed: what was listed may not be all. */
  forget(): void {
    this.#isListed = false;
  }

  /** Relists soon. */
  now(): void {
    this.#alarm.ring();
  }

  /** Relists at least this often from now on. */
  hasten(everyMs: number): void {
    this.#everyMs = Math.min(this.#everyMs, everyMs);
    this.now();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#ports.health.get().isReady) await this.#relist(signal);
      await this.#alarm.wait(this.#ports.clock, this.#everyMs, signal);
    }
  }

  /** Looks at pods for the first time, so that each knows its rivals. */
  async #meet(uids: readonly PodUid[], signal: AbortSignal): Promise<void> {
    const { pods } = this.#ports;
    await Promise.all(uids.map(async (uid) => {
      const observed = await this.#meetOne(uid, signal);
      if (!pods.has(uid)) pods.set(uid, { ...EMPTY_MEMORY, observed });
    }));
  }

  /** A pod of which nothing can be told is no reason to wait for all others. */
  async #meetOne(uid: PodUid, signal: AbortSignal): Promise<ObservedPod> {
    const { runtime, clock, lastWords, log } = this.#ports;
    const nowMs = clock.nowMs();
    try {
      return await within(
        { clock, ms: MEET_MS, signal },
        (each) => observePod(runtime, uid, { nowMs, signal: each, lastWords }),
      );
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      log.warn("The runtime does not tell of a pod; the others go on", {
        uid,
        error: chainOf(error),
      });
      return await listPod(runtime, uid, { nowMs, signal });
    }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { desired, pods, files, settings, volumes, log } = this.#ports;
    const isKnown = (uid: PodUid) =>
      pods.has(uid) || desired.get().pods.has(uid);
    const { isReady, unread } = desired.get();
    if (!isReady || unread.length > 0) return;
    this.#ports.allocations.keepOnly(isKnown);
    const { removed, left } = joinSwept([
      await sweepFiles(files, settings, {
        isKnown,
        release: (uid) => volumes.release(uid, signal),
        running: runningIds(pods),
      }),
      await sweepCgroups(this.#ports.cgroups, settings, { isKnown }),
    ]);
    if (removed.length > 0) {
      log.info("Removed what is left of pods that are gone", { removed });
    }
    const news = left.filter(({ path }) =>
      !this.#left.some((known) => known.path === path)
    );
    if (news.length > 0) {
      log.warn("Left of pods that are gone, and not removed", { left: news });
    }
    this.#left = left;
    this.#count({ removed, left });
  }

  /** Pods' own directories, with their volumes. */
  #count({ removed, left }: Swept): void {
    const { settings, meters } = this.#ports;
    const isPods = (path: string) => path.startsWith(`${settings.podsDir}/`);
    meters?.orphanVolumes.set({}, removed.filter(isPods).length);
    const stuck = left.filter(({ path }) => isPods(path));
    meters?.orphanVolumeErrors.set({}, stuck.length);
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { runtime, pods, queue, log, clock, meters, trail } = this.#ports;
    const { host } = this.#ports;
    const startedMs = clock.monotonicMs();
    try {
      const differing = await differingPods(runtime, pods, signal);
      trail?.note("the audit");
      await this.#meet([...differing].filter((uid) => !pods.has(uid)), signal);
      const isFirst = this.lastAtMs === undefined;
      const nowMs = clock.nowMs();
      if (this.lastAtMs !== undefined) {
        const intervalMs = nowMs - this.lastAtMs;
        meters?.relistInterval.observe({}, Math.max(intervalMs, 0) / 1000);
      }
      const tookMs = clock.monotonicMs() - startedMs;
      meters?.relistSeconds.observe({}, tookMs / 1000);
      this.lastAtMs = nowMs;
      this.#isListed = true;
      if (isFirst) wakeAll(this.#ports);
      for (const uid of differing) queue.wake(uid);
      await this.#sweep(signal);
      await limitDeadContainers(this.#ports, clock.nowMs(), signal);
      host.giveBackMemory();
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      log.debug("The relist failed", { error: chainOf(error) });
      this.#ports.suspect();
    }
  }
}

function runningIds(pods: Pods): ReadonlySet<string> {
  return new Set(
    [...pods.values()].flatMap(({ observed }) =>
      observed.containers.filter(({ state }) => state !== "exited")
        .map(({ id }) => id)
    ),
  );
}
