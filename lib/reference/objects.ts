/**
 * Secrets and config maps for the whole agent, each once. An object is watched
 * for as long as somebody holds it and a little longer, so that the next pod
 * finds it; what is immutable is not watched any further. Kept under its kind,
 * namespace and name, so that it never is another namespace's.
 * Compat: kubelet 1.36 util/manager; unlike it, holders hear of changes.
 */
import { Alarm } from "../base/alarm.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError, isAbort } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { ApiObject, ClusterObjects } from "../port/cluster.ts";
import { FollowedObject } from "./followed.ts";
import type {
  Detection,
  ObjectAsk,
  ObjectHold,
  ReferencedObjects,
} from "./types.ts";
import { orAborted } from "../base/wait.ts";

/** A pod that is replaced by another like it finds the watch still there. */
const LINGER_MS = 60_000;

export interface ObjectPorts {
  /** Undefined on a standalone node. */
  readonly objects: ClusterObjects | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

interface Item {
  readonly followed: FollowedObject;
  readonly ended: Promise<void>;
  readonly holds: Set<Hold>;
  /** Since when nobody holds it; monotonic. */
  idleSinceMs: number | undefined;
}

export class ObjectCache implements ReferencedObjects {
  readonly #ports: ObjectPorts;
  readonly #detection: Detection;
  readonly #items = new Map<string, Item>();
  readonly #asked = Promise.withResolvers<AbortSignal>();
  readonly #alarm = new Alarm();

  constructor(ports: ObjectPorts, detection: Detection) {
    this.#ports = ports;
    this.#detection = detection;
  }

  /** Follows what is held until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#asked.resolve(signal);
    try {
      for (;;) {
        await this.#alarm.wait(this.#ports.clock, this.#sleepMs(), signal);
        this.#dropIdle();
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
    for (const { followed } of this.#items.values()) followed.stop();
    await Promise.all([...this.#items.values()].map(({ ended }) => ended));
  }

  hold(changed: () => void): ObjectHold {
    return new Hold({
      changed,
      bornAtMs: this.#ports.clock.monotonicMs(),
      take: (ask, hold) => this.#take(ask, hold).followed,
      leave: (key, hold) => this.#leave(key, hold),
    });
  }

  #take(ask: ObjectAsk, hold: Hold): Item {
    const key = keyOf(ask);
    const item = this.#items.get(key) ?? this.#make(ask, key);
    item.holds.add(hold);
    item.idleSinceMs = undefined;
    return item;
  }

  #make(ask: ObjectAsk, key: string): Item {
    const { objects } = this.#ports;
    if (objects === undefined) {
      const { kind, namespace, name } = ask;
      throw new AgentError(
        `Cannot get ${kind} ${namespace}/${name}: this agent has no API server`,
        { next: "give-up" },
      );
    }
    const holds = new Set<Hold>();
    const followed = new FollowedObject({ ...this.#ports, objects }, {
      ask,
      detection: this.#detection,
      running: this.#asked.promise,
      changed: () => {
        for (const hold of [...holds]) hold.heard(key);
      },
    });
    const ended = followed.run();
    const item: Item = { followed, ended, holds, idleSinceMs: undefined };
    this.#items.set(key, item);
    return item;
  }

  #leave(key: string, hold: Hold): void {
    const item = this.#items.get(key);
    if (item === undefined || !item.holds.delete(hold)) return;
    if (item.holds.size > 0) return;
    item.idleSinceMs = this.#ports.clock.monotonicMs();
    this.#alarm.ring();
  }

  #dropIdle(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const [key, { followed, idleSinceMs }] of this.#items) {
      if (idleSinceMs === undefined) continue;
      if (nowMs - idleSinceMs < LINGER_MS) continue;
      followed.stop();
      this.#items.delete(key);
    }
  }

  #sleepMs(): number {
    const nowMs = this.#ports.clock.monotonicMs();
    let firstMs = 3_600_000;
    for (const { idleSinceMs } of this.#items.values()) {
      if (idleSinceMs === undefined) continue;
      firstMs = Math.min(firstMs, idleSinceMs + LINGER_MS - nowMs);
    }
    return Math.max(0, firstMs);
  }
}

interface HoldParts {
  readonly changed: () => void;
  readonly bornAtMs: number;
  readonly take: (ask: ObjectAsk, hold: Hold) => FollowedObject;
  readonly leave: (key: string, hold: Hold) => void;
}

class Hold implements ObjectHold {
  readonly #parts: HoldParts;
  /** By key: the version that was told of last. */
  readonly #told = new Map<string, number>();
  /** Keys of what was given once. */
  readonly #had = new Set<string>();
  readonly #followed = new Map<string, FollowedObject>();
  readonly #asking = new Map<string, number>();
  #isClosed = false;

  constructor(parts: HoldParts) {
    this.#parts = parts;
  }

  async get(
    ask: ObjectAsk,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    signal.throwIfAborted();
    if (this.#isClosed) throw new Error("A hold that was closed is asked");
    const key = keyOf(ask);
    const followed = this.#parts.take(ask, this);
    this.#followed.set(key, followed);
    this.#asking.set(key, (this.#asking.get(key) ?? 0) + 1);
    try {
      const { bornAtMs } = this.#parts;
      const hasBefore = this.#had.has(key);
      const found = await orAborted(
        followed.get({ bornAtMs, hasBefore }),
        signal,
      );
      this.#told.set(key, found.version);
      this.#had.add(key);
      return found.object;
    } catch (error) {
      // What is known by now was not good enough; only more is news.
      this.#told.set(key, followed.version);
      throw error;
    } finally {
      this.#asking.set(key, (this.#asking.get(key) ?? 1) - 1);
      this.heard(key);
    }
  }

  /** Something was heard of an object; tells whether it is news here. */
  heard(key: string): void {
    if (this.#isClosed || (this.#asking.get(key) ?? 0) > 0) return;
    const version = this.#followed.get(key)?.version ?? 0;
    const told = this.#told.get(key);
    if (told === undefined || version === told) return;
    // Once for each change, whether or not it is asked for again.
    this.#told.set(key, version);
    this.#parts.changed();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const key of this.#followed.keys()) this.#parts.leave(key, this);
  }
}

function keyOf({ kind, namespace, name }: ObjectAsk): string {
  return JSON.stringify([kind, namespace, name]);
}
