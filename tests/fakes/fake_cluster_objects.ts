/** The objects of one kind in a fake cluster, and who follows them. */
import type { PodStatusChange } from "../../lib/api/status.ts";
import type { ApiObject } from "../../lib/port/cluster.ts";

export type Stored = ApiObject & { readonly [key: string]: unknown };

export type Change<T> =
  | { readonly kind: "all"; readonly objects: readonly T[] }
  | { readonly kind: "changed" | "deleted"; readonly object: T };

export class FakeObjects<T extends object = Stored> {
  readonly #objects = new Map<string, T>();
  readonly #followers = new Set<(key: string, change: Change<T>) => void>();
  #version = 0;

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  /** Stores and returns the object with the next version. */
  put(key: string, object: T): T {
    const resourceVersion = String(++this.#version);
    const metadata = "metadata" in object && object.metadata !== null &&
        typeof object.metadata === "object"
      ? { metadata: { ...object.metadata, resourceVersion } }
      : {};
    const stored = { ...object, ...metadata };
    this.#objects.set(key, stored);
    this.#tell(key, { kind: "changed", object: stored });
    return stored;
  }

  take(key: string): void {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.#tell(key, { kind: "deleted", object });
  }

  /** All of them, then every change. */
  async *changes(signal: AbortSignal): AsyncGenerator<Change<T>> {
    for await (const { change } of this.#follow(signal)) yield change;
  }

  /** One of them as it is, then as it becomes. */
  async *follow(
    wanted: string,
    signal: AbortSignal,
  ): AsyncGenerator<T | undefined> {
    for await (const { key, change } of this.#follow(signal)) {
      if (change.kind === "all") yield this.#objects.get(wanted);
      else if (key === wanted) {
        yield change.kind === "deleted" ? undefined : change.object;
      }
    }
  }

  async *#follow(
    signal: AbortSignal,
  ): AsyncGenerator<{ key: string; change: Change<T> }> {
    signal.throwIfAborted();
    const waiting: { key: string; change: Change<T> }[] = [];
    let wake = Promise.withResolvers<void>();
    const hear = (key: string, change: Change<T>) => {
      waiting.push({ key, change });
      wake.resolve();
    };
    const stop = () => wake.resolve();
    hear("", { kind: "all", objects: [...this.#objects.values()] });
    this.#followers.add(hear);
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else {
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      }
    } finally {
      signal.removeEventListener("abort", stop);
      this.#followers.delete(hear);
    }
  }

  #tell(key: string, change: Change<T>): void {
    for (const hear of this.#followers) hear(key, change);
  }
}

/** As `podStatusPatch` has a server do it. */
export function changeStatus(
  before: unknown,
  change: PodStatusChange,
): ApiObject {
  const { conditionsGone = [], ...fields } = change;
  const merged = mergeStatus(before, fields);
  if (conditionsGone.length === 0) return merged;
  const conditions = asList(merged.conditions)
    .filter((each) => !conditionsGone.includes(String(asRecord(each).type)));
  return { ...merged, conditions };
}

/**
 * A strategic merge: conditions by type, maps by key, other lists as a whole;
 * null takes a field away.
 */
export function mergeStatus(before: unknown, patch: object): ApiObject {
  const old = asRecord(before);
  const merged = { ...old };
  for (const [key, value] of Object.entries(patch)) {
    if (key === "conditions" && Array.isArray(value)) {
      merged[key] = mergeConditions(old[key], value);
    } else if (value === null) delete merged[key];
    else if (typeof value === "object" && !Array.isArray(value)) {
      merged[key] = mergeStatus(old[key], value);
    } else merged[key] = value;
  }
  return merged;
}

function mergeConditions(before: unknown, own: readonly unknown[]): unknown[] {
  const merged = new Map(
    asList(before).map((each) => [asRecord(each).type, asRecord(each)]),
  );
  for (const each of own) {
    const patch = asRecord(each);
    merged.set(patch.type, mergeStatus(merged.get(patch.type), patch));
  }
  return [...merged.values()];
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
