/**
 * The outside observer: one event stream of one containerd, with the moment
 * each pod was first seen running, stopped and gone. Every contestant is timed by it,
 * never by its own words. A pod of this benchmark has one container.
 */
import type { PodUid } from "../../lib/api/id.ts";
import type { ContainerRuntime, RuntimeEvent } from "../../lib/port/runtime.ts";

const PATIENCE_MS = 180_000;

/** `stopped`: its sandbox no longer runs; `gone`: it was removed as well. */
export type Sight = "running" | "stopped" | "gone";

interface Sighting {
  /** The first thing created for a pod is its sandbox. */
  sandbox: string | undefined;
  readonly running: PromiseWithResolvers<number>;
  readonly stopped: PromiseWithResolvers<number>;
  readonly gone: PromiseWithResolvers<number>;
}

export class Observer {
  readonly #sightings = new Map<PodUid, Sighting>();

  /** Follows events until `signal` aborts. */
  async run(runtime: ContainerRuntime, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of runtime.events(signal)) this.#note(event);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #note(event: RuntimeEvent): void {
    const nowMs = performance.now();
    const sighting = this.#of(event.podUid);
    if (event.kind === "created") sighting.sandbox ??= event.id;
    const isSandbox = event.id === sighting.sandbox;
    if (event.kind === "started" && !isSandbox) sighting.running.resolve(nowMs);
    if (event.kind === "stopped" && isSandbox) sighting.stopped.resolve(nowMs);
    if (event.kind === "deleted" && isSandbox) sighting.gone.resolve(nowMs);
  }

  #of(uid: PodUid): Sighting {
    const known = this.#sightings.get(uid);
    if (known !== undefined) return known;
    const fresh = {
      sandbox: undefined,
      running: Promise.withResolvers<number>(),
      stopped: Promise.withResolvers<number>(),
      gone: Promise.withResolvers<number>(),
    };
    this.#sightings.set(uid, fresh);
    return fresh;
  }

  /** When the last of the pods got there, by `performance.now()`. */
  async allAre(
    state: Sight,
    uids: readonly PodUid[],
  ): Promise<number> {
    let missing = uids.length;
    const arrivals = uids.map(async (uid) => {
      const atMs = await this.#of(uid)[state].promise;
      missing--;
      return atMs;
    });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(
        new Error(`Cannot see ${missing} of ${uids.length} pods ${state}`),
      );
    }, PATIENCE_MS);
    try {
      return Math.max(...await Promise.race([Promise.all(arrivals), late]));
    } finally {
      clearTimeout(timer);
    }
  }
}
