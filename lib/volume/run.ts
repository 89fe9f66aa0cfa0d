/**
 * Makes the volumes of pods ready before their containers start, and keeps
 * their tokens fresh. The sole writer of the volume states; the sync loop asks
 * and is hinted when something is known.
 */
import { Alarm } from "../base/alarm.ts";
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { Recorder } from "../port/recorder.ts";
import { collect } from "./collect.ts";
import { ObjectCache } from "./objects.ts";
import {
  type PlannedVolume,
  planVolumes,
  type VolumeSettings,
} from "./plan.ts";
import { unmountVolumes } from "./release.ts";
import { OldContent, type SetUpPorts, setUpVolume } from "./set_up.ts";
import { type TokenPorts, Tokens } from "./tokens.ts";
import type { VolumeState } from "./types.ts";
import { orAborted } from "../base/wait.ts";

/** Compat: kubelet 1.36 exponentialbackoff; it never forgets by itself. */
const BACKOFF = {
  initialMs: 500,
  maxMs: 122_000,
  forgetAfterMs: Infinity,
};
/** A new pod rings the alarm; this is only the longest sleep. */
const LONGEST_SLEEP_MS = 3_600_000;

export interface VolumePorts extends SetUpPorts, TokenPorts {
  readonly recorder: Recorder;
  /** Asks for a pass of the pod, as long as `isNews` says it is one. */
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
}

interface Entry {
  readonly uid: PodUid;
  /** As last asked for. */
  pod: V1Pod;
  state: VolumeState;
  /** After a failure, until a success. */
  backoff: (Backoff & { readonly count: number }) | undefined;
  /** What the files tell of the pod itself; see aboutPod(). */
  told: string;
  readonly stop: AbortController;
  work: Promise<void> | undefined;
}

interface Failure {
  readonly volume: PlannedVolume;
  readonly error: unknown;
}

export class VolumeRunner {
  readonly #ports: VolumePorts;
  readonly #settings: VolumeSettings;
  readonly #objects: ObjectCache;
  readonly #tokens: Tokens;
  readonly #entries = new Map<PodUid, Entry>();
  readonly #releases = new Map<PodUid, Promise<void>>();
  readonly #asked = Promise.withResolvers<AbortSignal>();
  readonly #alarm = new Alarm();

  constructor(ports: VolumePorts, settings: VolumeSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#objects = new ObjectCache(ports.objects, ports.clock);
    this.#tokens = new Tokens(ports);
  }

  /** Lets requests run and renews tokens until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#asked.resolve(signal);
    try {
      for (;;) {
        await this.#alarm.wait(this.#ports.clock, this.#sleepMs(), signal);
        this.#renew();
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
    if (entry.work !== undefined) return;
    const { backoff } = entry;
    if (backoff !== undefined && dueAtMs(backoff) > this.#now()) return;
    const isDone = entry.state.kind === "ready" && backoff === undefined &&
      entry.told === aboutPod(pod);
    if (!isDone) this.#begin(entry);
  }

  /** Undefined: nobody asked. */
  stateOf(uid: PodUid): VolumeState | undefined {
    return this.#entries.get(uid)?.state;
  }

  /** The pod is gone; what is being done for it ends soon. */
  forget(uid: PodUid): void {
    const entry = this.#entries.get(uid);
    entry?.stop.abort(new DOMException("The pod is gone", "AbortError"));
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
      .then(() => unmountVolumes(this.#ports, this.#settings.podsDir, uid))
      .finally(() => this.#releases.delete(uid));
    this.#releases.set(uid, done);
    return done;
  }

  #enter(uid: PodUid, pod: V1Pod): Entry {
    const entry: Entry = {
      uid,
      pod,
      state: { kind: "preparing", sinceMs: this.#now() },
      backoff: undefined,
      told: "",
      stop: new AbortController(),
      work: undefined,
    };
    this.#entries.set(uid, entry);
    return entry;
  }

  #begin(entry: Entry): void {
    // Volumes that are ready stay so while they are refreshed.
    if (entry.state.kind === "failed") {
      entry.state = { kind: "preparing", sinceMs: this.#now() };
    }
    const planned = planVolumes(entry.pod, this.#settings);
    if (planned.length === 0) {
      entry.told = aboutPod(entry.pod);
      entry.state = { kind: "ready", paths: new Map() };
      return this.#hint(entry);
    }
    entry.work = this.#prepare(entry, planned).finally(() => {
      entry.work = undefined;
      this.#alarm.ring();
    });
  }

  /** Never rejects. */
  async #prepare(
    entry: Entry,
    planned: readonly PlannedVolume[],
  ): Promise<void> {
    const { pod, stop, uid } = entry;
    try {
      const common = await orAborted(this.#asked.promise, stop.signal);
      await this.#releases.get(uid);
      const own = AbortSignal.any([common, stop.signal]);
      const parts = {
        objects: this.#objects,
        tokens: this.#tokens,
        allocatable: this.#settings.allocatable(),
      };
      const results = await Promise.allSettled(
        planned.map((each) =>
          setUpVolume(
            this.#ports,
            each,
            (volume) =>
              collect(parts, { pod, volume, signals: { own, common } }),
          )
        ),
      );
      if (!own.aborted) this.#conclude(entry, { pod, planned, results });
    } catch (error) {
      if (isAbort(error, stop.signal)) return;
      this.#fail(entry, planned.map((volume) => ({ volume, error })));
    }
  }

  #conclude(
    entry: Entry,
    done: {
      readonly pod: V1Pod;
      readonly planned: readonly PlannedVolume[];
      readonly results: readonly PromiseSettledResult<string>[];
    },
  ): void {
    const paths = new Map<string, string>();
    const failures: Failure[] = [];
    done.planned.forEach((volume, index) => {
      const result = done.results[index];
      if (result?.status === "fulfilled") paths.set(volume.name, result.value);
      else failures.push({ volume, error: result?.reason });
    });
    for (const { volume, error } of failures) {
      if (error instanceof OldContent) paths.set(volume.name, error.path);
    }
    const isUsable = paths.size === done.planned.length;
    // Files that were refreshed are no news: the paths are the same.
    if (isUsable && entry.state.kind !== "ready") {
      entry.state = { kind: "ready", paths };
      this.#hint(entry);
    }
    if (failures.length > 0) return this.#fail(entry, failures);
    entry.backoff = undefined;
    entry.told = aboutPod(done.pod);
  }

  /** Volumes that were ready stay so; only their files are old. */
  #fail(entry: Entry, failures: readonly Failure[]): void {
    const nowMs = this.#now();
    const backoff = {
      ...afterFailure(entry.backoff, nowMs, BACKOFF),
      count: (entry.backoff?.count ?? 0) + 1,
    };
    entry.backoff = backoff;
    const messages = failures.map(({ volume, error }) =>
      `MountVolume.SetUp failed for volume "${volume.name}" : ${chainOf(error)}`
    );
    for (const message of messages) {
      const step = { type: "Warning", reason: "FailedMount", message } as const;
      this.#ports.recorder.record(entry.uid, step);
    }
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

  #hint(entry: Entry): void {
    const { uid, state } = entry;
    const isNews = () => this.#entries.get(uid)?.state === state;
    this.#ports.hint(uid, isNews);
  }

  #renew(): void {
    const nowMs = this.#now();
    for (const entry of this.#entries.values()) {
      const isDue = this.#renewAtMs(entry) <= nowMs;
      if (isDue && entry.work === undefined) this.#begin(entry);
    }
  }

  #sleepMs(): number {
    const times = [...this.#entries.values()]
      .filter(({ work }) => work === undefined)
      .map((entry) => this.#renewAtMs(entry) - this.#now());
    return Math.max(0, Math.min(LONGEST_SLEEP_MS, ...times));
  }

  /** Pods that have not started yet are asked for again by the sync loop. */
  #renewAtMs({ uid, state, backoff }: Entry): number {
    if (state.kind !== "ready") return Infinity;
    return backoff === undefined
      ? this.#tokens.renewAtMs(uid) ?? Infinity
      : dueAtMs(backoff);
  }

  #now(): number {
    return this.#ports.clock.nowMs();
  }
}

/** What of a pod its files may tell and may change while it runs. */
function aboutPod({ metadata, spec }: V1Pod): string {
  const tells = (spec?.volumes ?? []).some(({ downwardAPI, projected }) =>
    downwardAPI !== undefined || projected !== undefined
  );
  return tells ? JSON.stringify([metadata?.labels, metadata?.annotations]) : "";
}
