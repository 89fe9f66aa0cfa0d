/**
 * The sync loop's loops: passes by key, wakes from the sources, the runtime's
 * events and the audit. Started by `agent.ts`.
 */
import { Alarm } from "../base/alarm.ts";
import type { Reader } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { KeyedQueue } from "../base/keyed_queue.ts";
import type { Logger } from "../base/log.ts";
import type { PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import { isDeleted } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { PodSettings, RuntimeHealth } from "../pod/facts.ts";
import type { Cgroups } from "../port/cgroups.ts";
import type { Files } from "../port/host.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { Desired } from "../source/types.ts";
import type { VolumeRunner } from "../volume/run.ts";
import type { Allocations } from "./allocations.ts";
import type { LastWords } from "./last_words.ts";
import { differingPods, isNews, observePod } from "./observe.ts";
import { EMPTY_MEMORY, type Pods } from "./store.ts";
import { sweepCgroups, sweepFiles } from "./sweep.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** Relisting where the runtime has no events, as the kubelet does always. */
const EVENTLESS_AUDIT_MS = 1_000;

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
  readonly auditMs: number;
  readonly meters?: Pick<
    Meters,
    | "relistSeconds"
    | "relistInterval"
    | "orphanVolumes"
    | "orphanVolumeErrors"
  >;
}

/**
 * Wakes what the sources changed, and everything once they are all heard: only
 * then can the audit tell what is left of pods that went with an agent's death.
 */
export async function followSources(
  ports: LoopPorts,
  audit: Pick<Audit, "now">,
  signal: AbortSignal,
): Promise<void> {
  let before = ports.desired.get();
  wakeAll(ports);
  for await (const now of ports.desired.changes(signal)) {
    const isHeard = now.isReady && now.unread.length === 0;
    const wasHeard = before.isReady && before.unread.length === 0;
    if (isHeard && !wasHeard) {
      wakeAll(ports);
      audit.now();
    }
    for (const [uid, { pod }] of now.pods) {
      const old = before.pods.get(uid)?.pod;
      if (old === undefined) ports.queue.wake(uid);
      else if (old !== pod && !isSameWish(old, pod)) rouse(ports, uid, pod);
    }
    for (const uid of before.pods.keys()) {
      if (!now.pods.has(uid)) dismiss(ports, uid);
    }
    before = now;
  }
}

function rouse(ports: LoopPorts, uid: PodUid, pod: V1Pod): void {
  // Files that tell of labels and annotations are written anew.
  if (ports.volumes.stateOf(uid) !== undefined) {
    ports.volumes.request(ports.allocations.podOf(pod));
  }
  const state = ports.pods.get(uid)?.state;
  const isShorter = state?.kind === "stopping" &&
    (pod.metadata?.deletionGracePeriodSeconds ?? Infinity) <
      state.order.graceSeconds;
  if (isShorter) ports.queue.interrupt(uid);
  else if (isDeleted(pod)) dismiss(ports, uid);
  else ports.queue.wake(uid);
}

/**
 * Whether two versions of a pod ask for the same: our own words about it come
 * back with each watch and need no pass.
 */
function isSameWish(one: V1Pod, other: V1Pod): boolean {
  return JSON.stringify(wishOf(one)) === JSON.stringify(wishOf(other));
}

function wishOf({ metadata, spec, status }: V1Pod) {
  const { generation, labels, annotations } = metadata ?? {};
  const gates = spec?.readinessGates ?? [];
  return [
    generation ?? spec,
    labels,
    annotations,
    metadata?.deletionTimestamp,
    metadata?.deletionGracePeriodSeconds,
    gates.map(({ conditionType }) =>
      status?.conditions?.find(({ type }) => type === conditionType)
    ),
  ];
}

/** A pass that still builds the pod is cut short; a stopping one is not. */
function dismiss(ports: LoopPorts, uid: PodUid): void {
  const kind = ports.pods.get(uid)?.state.kind;
  if (kind === "stopping" || kind === "cleaning") ports.queue.wake(uid);
  else ports.queue.interrupt(uid);
}

/** Every pod that somebody wants or that is known from the runtime. */
export function wakeAll(ports: LoopPorts): void {
  for (const uid of ports.desired.get().pods.keys()) ports.queue.wake(uid);
  for (const uid of ports.pods.keys()) ports.queue.wake(uid);
}

/** Events are hints to look; a broken stream is a reason to relist. */
export async function followEvents(
  ports: LoopPorts,
  audit: Audit,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    const sinceMs = ports.clock.monotonicMs();
    const ended = await drain(ports, signal);
    if (ended.next === "give-up") {
      ports.log.warn("The runtime has no events; relisting instead", {
        everyMs: EVENTLESS_AUDIT_MS,
      });
      return audit.hasten(EVENTLESS_AUDIT_MS);
    }
    audit.forget();
    ports.suspect();
    const ranMs = ports.clock.monotonicMs() - sinceMs;
    retryMs = ranMs > LONGEST_RETRY_MS
      ? FIRST_RETRY_MS
      : Math.min(retryMs * 2, LONGEST_RETRY_MS);
    await ports.clock.sleep(retryMs, signal);
    audit.now();
  }
}

async function drain(
  ports: LoopPorts,
  signal: AbortSignal,
): Promise<AgentError> {
  try {
    for await (const event of ports.runtime.events(signal)) {
      ports.queue.hint(event.podUid, () => isNews(ports.pods, event));
    }
    return new AgentError("The event stream ended", { next: "retry" });
  } catch (error) {
    if (isAbort(error, signal) || !(error instanceof AgentError)) throw error;
    ports.log.debug("The event stream broke", { error: chainOf(error) });
    return error;
  }
}

/** The slow relist: finds what no event told of. */
export class Audit {
  readonly #ports: LoopPorts;
  #everyMs: number;
  readonly #alarm = new Alarm();
  #isListed = false;
  lastAtMs: number | undefined;

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    this.#everyMs = ports.auditMs;
  }

  /** True while the last listing and the events since tell everything. */
  get isListed(): boolean {
    return this.#isListed;
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
    const { runtime, pods, clock, lastWords } = this.#ports;
    await Promise.all(uids.map(async (uid) => {
      const nowMs = clock.nowMs();
      const options = { nowMs, signal, lastWords };
      const observed = await observePod(runtime, uid, options);
      if (!pods.has(uid)) pods.set(uid, { ...EMPTY_MEMORY, observed });
    }));
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { desired, pods, files, settings, volumes, log, meters } =
      this.#ports;
    const isKnown = (uid: PodUid) =>
      pods.has(uid) || desired.get().pods.has(uid);
    const { isReady, unread } = desired.get();
    if (!isReady || unread.length > 0) return;
    this.#ports.allocations.keepOnly(isKnown);
    const swept = await sweepFiles(files, settings, {
      isKnown,
      release: (uid) => volumes.release(uid, signal),
      signal,
    });
    meters?.orphanVolumes.set({}, swept.podCount);
    meters?.orphanVolumeErrors.set({}, swept.failures.length);
    const removed = [
      ...swept.removed,
      ...await sweepCgroups(this.#ports.cgroups, settings, { isKnown }),
    ];
    if (removed.length > 0) {
      log.info("Removed what is left of pods that are gone", { removed });
    }
    if (swept.failures.length > 0) throw swept.failures[0];
  }

  async #relist(signal: AbortSignal): Promise<void> {
    const { runtime, pods, queue, log, clock, meters } = this.#ports;
    const startedMs = clock.monotonicMs();
    try {
      const differing = await differingPods(runtime, pods, signal);
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
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      log.debug("The relist failed", { error: chainOf(error) });
      this.#ports.suspect();
    }
  }
}
