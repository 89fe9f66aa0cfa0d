/**
 * Makes the volumes of pods ready before their containers start, and keeps
 * their files as the world is: a config map or secret that changes, labels and
 * annotations, tokens. The sole writer of the volume states; the sync loop asks
 * and is hinted when something is known.
 */
import { Alarm } from "../base/alarm.ts";
import { dueAtMs } from "../base/backoff.ts";
import { isAbort } from "../base/errors.ts";
import { orAborted } from "../base/wait.ts";
import type { PodUid } from "../api/id.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { Recorder } from "../port/recorder.ts";
import type { ReferencedObjects } from "../reference/types.ts";
import { collect } from "./collect.ts";
import {
  aboutPod,
  backedOff,
  endEntry,
  type Entry,
  holdFor,
  newEntry,
  redo,
  refreshAtMs,
} from "./entry.ts";
import {
  type PlannedVolume,
  planVolumes,
  type VolumeSettings,
} from "./plan.ts";
import { type Failure, failureOf } from "./failure.ts";
import { releaseVolumes } from "./release.ts";
import { OldContent, type SetUpPorts, setUpVolume } from "./set_up.ts";
import { type TokenPorts, Tokens } from "./tokens.ts";
import type { MountedVolume, VolumeState } from "./types.ts";

/** A new pod rings the alarm; this is only the longest sleep. */
const LONGEST_SLEEP_MS = 3_600_000;
/** An object that changes all the time is written this seldom. */
const QUIET_MS = 200;

export interface VolumePorts extends SetUpPorts, TokenPorts {
  readonly references: ReferencedObjects;
  readonly recorder: Recorder;
  /** Asks for a pass of the pod, as long as `isNews` says it is one. */
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
}

interface Attempt {
  readonly pod: V1Pod;
  readonly volumes: readonly PlannedVolume[];
}

export class VolumeRunner {
  readonly #ports: VolumePorts;
  readonly #settings: VolumeSettings;
  readonly #tokens: Tokens;
  readonly #entries = new Map<PodUid, Entry>();
  readonly #releases = new Map<PodUid, Promise<void>>();
  readonly #asked = Promise.withResolvers<AbortSignal>();
  readonly #alarm = new Alarm();

  constructor(ports: VolumePorts, settings: VolumeSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#tokens = new Tokens(ports);
  }

  /** Lets requests run and keeps files fresh until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#asked.resolve(signal);
    try {
      for (;;) {
        await this.#alarm.wait(this.#ports.clock, this.#sleepMs(), signal);
        this.#refresh();
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
    await Promise.all([...this.#entries.values()].map(({ work }) => work));
  }

  /**
   * Asks; never waits. Asking again costs little: it starts what is due, and
   * has files rewritten that tell of labels or annotations which changed.
   */
  request(pod: V1Pod): void {
    const uid = uidOf(pod);
    const entry = this.#entries.get(uid) ?? this.#enter(uid, pod);
    entry.pod = pod;
    if (entry.told !== aboutPod(pod)) redo(entry, "downward-api");
    if (entry.work !== undefined) return;
    const { backoff } = entry;
    if (backoff !== undefined && dueAtMs(backoff) > this.#now()) return;
    const isDone = entry.state.kind === "ready" && entry.todo.size === 0;
    if (!isDone) this.#begin(entry);
  }

  /** As its source has it now: labels and annotations may be others. */
  update(uid: PodUid, pod: V1Pod): void {
    const entry = this.#entries.get(uid);
    if (entry === undefined || entry.pod === pod) return;
    entry.pod = pod;
    if (entry.told === aboutPod(pod)) return;
    redo(entry, "downward-api");
    entry.isUrgent = entry.todo.size > 0;
    this.#alarm.ring();
  }

  /** Undefined: nobody asked. */
  stateOf(uid: PodUid): VolumeState | undefined {
    return this.#entries.get(uid)?.state;
  }

  /** The pod is gone; what is being done for it ends soon. */
  forget(uid: PodUid): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) endEntry(entry);
    this.#entries.delete(uid);
    this.#tokens.forget(uid);
  }

  /**
   * Forgets the pod, waits until nothing is written for it any more, and
   * unmounts all its volumes; to be called before its directory is removed,
   * also for pods that nobody knows any more. Doing it again is success.
   */
  async release(uid: PodUid, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const work = this.#entries.get(uid)?.work;
    this.forget(uid);
    const running = this.#releases.get(uid) ?? this.#unmount(uid, work);
    await orAborted(running, signal);
  }

  #unmount(uid: PodUid, work: Promise<void> | undefined): Promise<void> {
    const done = Promise.resolve(work)
      .then(() => releaseVolumes(this.#ports, this.#settings, uid))
      .finally(() => this.#releases.delete(uid));
    this.#releases.set(uid, done);
    return done;
  }

  #enter(uid: PodUid, pod: V1Pod): Entry {
    const entry = newEntry(uid, pod, this.#now());
    entry.planned = planVolumes(pod, this.#settings);
    for (const { name } of entry.planned) entry.todo.add(name);
    entry.told = aboutPod(pod);
    this.#entries.set(uid, entry);
    return entry;
  }

  #begin(entry: Entry): void {
    // Volumes that are ready stay so while they are refreshed.
    if (entry.state.kind === "failed") {
      entry.state = { kind: "preparing", sinceMs: this.#now() };
    }
    const { pod, todo } = entry;
    entry.planned = planVolumes(pod, this.#settings);
    entry.told = aboutPod(pod);
    entry.isUrgent = false;
    entry.quietUntilMs = this.#now() + QUIET_MS;
    const volumes = entry.planned.filter(({ name }) => todo.has(name));
    todo.clear();
    if (volumes.length === 0) return this.#settle(entry);
    entry.work = this.#prepare(entry, { pod, volumes }).finally(() => {
      entry.work = undefined;
      this.#alarm.ring();
    });
  }

  /** Never rejects. */
  async #prepare(entry: Entry, attempt: Attempt): Promise<void> {
    const { stop, uid } = entry;
    const { pod, volumes } = attempt;
    try {
      const common = await orAborted(this.#asked.promise, stop.signal);
      await this.#releases.get(uid);
      const signal = AbortSignal.any([common, stop.signal]);
      const { clock, references } = this.#ports;
      const allocatable = this.#settings.allocatable();
      const parts = { tokens: this.#tokens, clock, allocatable };
      const from = { references, changed: () => this.#alarm.ring() };
      const results = await Promise.allSettled(
        volumes.map((each) =>
          setUpVolume(this.#ports, each, {
            pod,
            settings: this.#settings,
            signal,
            collect: (volume) =>
              collect(
                { ...parts, hold: holdFor(entry, volume, from) },
                { pod, volume, signal },
              ),
          })
        ),
      );
      if (!signal.aborted) this.#conclude(entry, attempt, results);
    } catch (error) {
      if (isAbort(error, stop.signal)) return;
      this.#fail(entry, volumes.map((volume) => ({ volume, error })));
    }
  }

  #conclude(
    entry: Entry,
    { volumes }: Attempt,
    results: readonly PromiseSettledResult<MountedVolume>[],
  ): void {
    const failures: Failure[] = [];
    volumes.forEach((volume, index) => {
      const result = results[index];
      const error = result?.status === "rejected" ? result.reason : undefined;
      const mounted = result?.status === "fulfilled"
        ? result.value
        : error instanceof OldContent
        ? error.volume
        : undefined;
      if (mounted !== undefined) entry.mounted.set(volume.name, mounted);
      if (result?.status !== "fulfilled") failures.push({ volume, error });
    });
    this.#settle(entry);
    if (failures.length > 0) return this.#fail(entry, failures);
    entry.backoff = undefined;
  }

  /** Files that were refreshed are no news: the paths are the same. */
  #settle(entry: Entry): void {
    const { planned, mounted, state } = entry;
    const isUsable = planned.every(({ name }) => mounted.has(name));
    if (!isUsable || state.kind === "ready") return;
    entry.state = {
      kind: "ready",
      paths: new Map([...mounted].map(([name, { path }]) => [name, path])),
      mounted: new Map(mounted),
    };
    this.#hint(entry);
  }

  /** Volumes that were ready stay so; only their files are old. */
  #fail(entry: Entry, failures: readonly Failure[]): void {
    const backoff = backedOff(entry, this.#now());
    entry.backoff = backoff;
    for (const { volume } of failures) entry.todo.add(volume.name);
    const messages = failures.map(failureOf).map(({ reason, words }) => {
      const step = { type: "Warning", reason, message: words } as const;
      this.#ports.recorder.record(entry.uid, step);
      return words;
    });
    if (entry.state.kind === "ready") return;
    entry.state = {
      kind: "failed",
      reason: "FailedMount",
      message: messages.join("; "),
      count: backoff.count,
      retryAtMs: dueAtMs(backoff),
    };
    this.#hint(entry);
  }

  #hint({ uid, state }: Entry): void {
    const isNews = () => this.#entries.get(uid)?.state === state;
    this.#ports.hint(uid, isNews);
  }

  #refresh(): void {
    const nowMs = this.#now();
    for (const entry of this.#entries.values()) {
      if (entry.work !== undefined || this.#dueAtMs(entry) > nowMs) continue;
      if (this.#renewAtMs(entry) <= nowMs) redo(entry, "token");
      this.#begin(entry);
    }
  }

  #sleepMs(): number {
    const nowMs = this.#now();
    let firstMs = LONGEST_SLEEP_MS;
    for (const entry of this.#entries.values()) {
      if (entry.work !== undefined) continue;
      firstMs = Math.min(firstMs, this.#dueAtMs(entry) - nowMs);
    }
    return Math.max(0, firstMs);
  }

  #dueAtMs(entry: Entry): number {
    return refreshAtMs(entry, this.#renewAtMs(entry));
  }

  #renewAtMs({ uid }: Entry): number {
    return this.#tokens.renewAtMs(uid) ?? Infinity;
  }

  #now(): number {
    return this.#ports.clock.nowMs();
  }
}
