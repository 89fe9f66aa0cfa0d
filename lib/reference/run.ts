/**
 * Finds what the environment of a container's next start refers to, and wakes
 * the pod when that is known. The sole writer of the reference states; the pod
 * core only reads them and asks. What is missing is watched, so that a pod
 * starts as soon as it appears.
 */
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import { uidOf } from "../api/pod.ts";
import type { Files } from "../port/host.ts";
import type { Recorder } from "../port/recorder.ts";
import { collectReferences, type ReferenceRequest } from "./collect.ts";
import type { ObjectHold, ReferencedObjects, ReferenceState } from "./types.ts";

/** Ours: the kubelet tries again after 10 to 15 s, each time. */
const BACKOFF = { initialMs: 1_000, maxMs: 15_000, forgetAfterMs: Infinity };

export interface ReferencePorts {
  readonly objects: ReferencedObjects;
  readonly files: Files;
  readonly clock: Clock;
  readonly recorder: Recorder;
  /** Asks for a pass of the pod, as long as `isNews` says it is one. */
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
}

interface Entry {
  readonly uid: PodUid;
  readonly hold: ObjectHold;
  readonly stop: AbortController;
  /** As last asked for. */
  request: ReferenceRequest;
  state: ReferenceState;
  /** After a failure, until a success. */
  backoff: (Backoff & { readonly count: number }) | undefined;
  isBusy: boolean;
  /** What was found, or was missing, is another by now. */
  isStale: boolean;
}

export class ReferenceRunner {
  readonly #ports: ReferencePorts;
  readonly #entries = new Map<PodUid, Map<string, Entry>>();
  readonly #asked = Promise.withResolvers<AbortSignal>();

  constructor(ports: ReferencePorts) {
    this.#ports = ports;
  }

  /** Lets requests run until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    this.#asked.resolve(signal);
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
  }

  /** What is known for one pod's containers, by container name. */
  statesOf(uid: PodUid): ReadonlyMap<string, ReferenceState> {
    const entries = this.#entries.get(uid) ?? new Map<string, Entry>();
    return new Map([...entries].map(([name, { state }]) => [name, state]));
  }

  /** Asks; never waits. The pod is woken when the answer is there. */
  request(request: ReferenceRequest): void {
    const uid = uidOf(request.pod);
    const { name } = request.container;
    const entry = this.#entries.get(uid)?.get(name) ?? this.#enter(request);
    entry.request = request;
    if (!entry.isBusy) this.#begin(entry);
  }

  /** The start took what was found; the next start asks again. */
  consume(uid: PodUid, container: string): void {
    const entries = this.#entries.get(uid);
    const entry = entries?.get(container);
    if (entry === undefined) return;
    end(entry);
    entries?.delete(container);
  }

  /** The pod is gone. */
  forget(uid: PodUid): void {
    for (const entry of this.#entries.get(uid)?.values() ?? []) end(entry);
    this.#entries.delete(uid);
  }

  #enter(request: ReferenceRequest): Entry {
    const uid = uidOf(request.pod);
    const entry: Entry = {
      uid,
      hold: this.#ports.objects.hold(() => this.#changed(entry)),
      stop: new AbortController(),
      request,
      state: { kind: "collecting", sinceMs: this.#now() },
      backoff: undefined,
      isBusy: false,
      isStale: false,
    };
    const entries = this.#entries.get(uid) ?? new Map<string, Entry>();
    entries.set(request.container.name, entry);
    this.#entries.set(uid, entries);
    return entry;
  }

  #changed(entry: Entry): void {
    if (entry.isBusy) entry.isStale = true;
    else this.#begin(entry);
  }

  #begin(entry: Entry): void {
    entry.isBusy = true;
    entry.isStale = false;
    entry.state = { kind: "collecting", sinceMs: this.#now() };
    this.#work(entry);
  }

  /** Never rejects. */
  async #work(entry: Entry): Promise<void> {
    const { stop, hold } = entry;
    try {
      const signal = AbortSignal.any([await this.#asked.promise, stop.signal]);
      signal.throwIfAborted();
      const parts = { hold, files: this.#ports.files, signal };
      const found = await collectReferences(parts, entry.request);
      signal.throwIfAborted();
      entry.backoff = undefined;
      entry.state = { kind: "found", found };
    } catch (error) {
      const running = await this.#asked.promise;
      if (isAbort(error, stop.signal) || isAbort(error, running)) return;
      this.#fail(entry, chainOf(error));
    }
    entry.isBusy = false;
    if (entry.isStale) return this.#begin(entry);
    this.#hint(entry);
  }

  #fail(entry: Entry, message: string): void {
    const nowMs = this.#now();
    const count = (entry.backoff?.count ?? 0) + 1;
    entry.backoff = { ...afterFailure(entry.backoff, nowMs, BACKOFF), count };
    entry.state = {
      kind: "failed",
      message,
      count,
      failedAtMs: nowMs,
      retryAtMs: dueAtMs(entry.backoff),
    };
    // The first is told when the container begins to wait: wait_steps.ts.
    if (count === 1) return;
    this.#ports.recorder.record(entry.uid, {
      type: "Warning",
      reason: "Failed",
      message: `Error: ${message}`,
      container: entry.request.container.name,
    });
  }

  /** News until a pass has taken it, or something newer is known. */
  #hint({ uid, state, request }: Entry): void {
    const { name } = request.container;
    const isNews = () => this.#entries.get(uid)?.get(name)?.state === state;
    this.#ports.hint(uid, isNews);
  }

  #now(): number {
    return this.#ports.clock.nowMs();
  }
}

function end({ stop, hold }: Entry): void {
  stop.abort(new DOMException("Nobody wants it any more", "AbortError"));
  hold.close();
}
