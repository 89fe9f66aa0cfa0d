/** The objects of one kind in a fake cluster, and who follows them. */
import type { PodStatusChange } from "../../lib/api/status.ts";
import type { ApiObject } from "../../lib/port/cluster.ts";

export type Stored = ApiObject & { readonly [key: string]: unknown };

export type Change<T> =
  | { readonly kind: "all"; readonly objects: readonly T[] }
  | { readonly kind: "changed" | "deleted"; readonly object: T }
  | { readonly kind: "silent"; readonly message: string }
  | { readonly kind: "steady" };

interface Heard<T> {
  readonly key: string;
  readonly change: Change<T>;
}

export class FakeObjects<T extends object = Stored> {
  readonly #objects = new Map<string, T>();
  readonly #followers = new Set<(key: string, change: Change<T>) => void>();
  #version = 0;
  #silence: string | undefined;

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

  /** While it has a reason nobody hears of changes; afterwards of all. */
  hush(reason: string | undefined): void {
    const was = this.#silence;
    this.#silence = reason;
    if (reason !== undefined) {
      this.#tell("", { kind: "silent", message: reason });
    } else if (was !== undefined) this.#tell("", { kind: "steady" });
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
      else if (key === wanted && change.kind === "deleted") yield undefined;
      else if (key === wanted && change.kind === "changed") yield change.object;
    }
  }

  /** As `follow`, and of silence too. */
  async *news(
    wanted: string,
    signal: AbortSignal,
  ): AsyncGenerator<
    | { readonly kind: "is"; readonly object: T | undefined }
    | { readonly kind: "silent"; readonly message: string }
    | { readonly kind: "steady" }
  > {
    for await (const { key, change } of this.#follow(signal)) {
      const { kind } = change;
      if (kind === "silent" || kind === "steady") yield change;
      else if (kind === "all") {
        yield { kind: "is", object: this.#objects.get(wanted) };
      } else if (key === wanted) {
        const object = kind === "deleted" ? undefined : change.object;
        yield { kind: "is", object };
      }
    }
  }

  async *#follow(
    signal: AbortSignal,
  ): AsyncGenerator<Heard<T>> {
    signal.throwIfAborted();
    const waiting: Heard<T>[] = [];
    let wake = Promise.withResolvers<void>();
    const hear = (key: string, change: Change<T>) => {
      waiting.push({ key, change });
      wake.resolve();
    };
    const stop = () => wake.resolve();
    hear("", { kind: "all", objects: [] });
    if (this.#silence !== undefined) {
      hear("", { kind: "silent", message: this.#silence });
    }
    this.#followers.add(hear);
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const next = this.#next(waiting);
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

  /** Takes what may be told now; a listing tells how it is by then. */
  #next(waiting: Heard<T>[]): Heard<T> | undefined {
    const words = waiting.findIndex(({ change: { kind } }) =>
      kind === "silent" || kind === "steady"
    );
    const at = words < 0 && this.#silence === undefined ? 0 : words;
    const [next] = at < 0 ? [] : waiting.splice(at, 1);
    if (next?.change.kind !== "all") return next;
    waiting.length = 0;
    const objects = [...this.#objects.values()];
    return { key: "", change: { kind: "all", objects } };
  }

  #tell(key: string, change: Change<T>): void {
    for (const hear of this.#followers) hear(key, change);
  }
}

/**
 * A pod after a DELETE that waits for its node.
 * Compat: kube-apiserver 1.36 podStrategy.CheckGracefulDelete, BeforeDelete.
 */
export function deleted(
  pod: Stored,
  graceSeconds: number,
  nowMs: number,
): Stored | "gone" {
  const metadata = asRecord(pod.metadata);
  const { phase } = asRecord(pod.status);
  const hasEnded = phase === "Succeeded" || phase === "Failed";
  if (graceSeconds === 0 || hasEnded) return "gone";
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  const standing = Number(deletionGracePeriodSeconds ?? Infinity);
  if (graceSeconds >= standing) return pod;
  const isFirst = deletionTimestamp === undefined;
  const sinceMs = isFirst
    ? nowMs
    : Date.parse(String(deletionTimestamp)) - standing * 1000;
  const endMs = sinceMs + graceSeconds * 1000;
  return {
    ...pod,
    metadata: {
      ...metadata,
      generation: Number(metadata.generation) + (isFirst ? 1 : 0),
      deletionTimestamp: `${new Date(endMs).toISOString().slice(0, 19)}Z`,
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
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
