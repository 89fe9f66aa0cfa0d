/** The API server as the loops of this room see it: one node, its lease. */
import { AgentError } from "../base/errors.ts";
import { isObject, objectIn } from "../base/json.ts";
import type { ApiObject, ClusterNode } from "../port/cluster.ts";
import { listIn, parseNode } from "./parse.ts";
import type { KnownNode } from "./types.ts";
import { forever } from "./fixture_test.ts";

/** The nodes and leases of an API server, with versions. */
export class FakeNodes implements ClusterNode {
  mood: "fine" | "down" | "hung" | "forbids-create" = "fine";
  node: ApiObject | undefined;
  lease: ApiObject | undefined;
  /** Every patch that was accepted. */
  readonly patches: ApiObject[] = [];
  #version = 1;
  readonly #watchers = new Set<() => void>();

  async get(_name: string, signal: AbortSignal) {
    await this.#enter(signal);
    return this.node;
  }

  async create(node: ApiObject, signal: AbortSignal): Promise<ApiObject> {
    await this.#enter(signal);
    if (this.node !== undefined || this.mood === "forbids-create") {
      throw new AgentError("Node exists", { next: "already-so" });
    }
    return this.put({
      ...node,
      metadata: { ...objectIn(node, "metadata"), uid: "node-uid" },
    });
  }

  async patchStatus(
    _name: string,
    patch: ApiObject,
    signal: AbortSignal,
  ): Promise<ApiObject> {
    await this.#enter(signal);
    if (this.node === undefined) {
      throw new AgentError("No such node", { next: "give-up" });
    }
    this.patches.push(patch);
    return this.put(merged(this.node, patch));
  }

  async *watch(_name: string, signal: AbortSignal) {
    for (;;) {
      yield { node: this.node };
      const news = Promise.withResolvers<void>();
      this.#watchers.add(news.resolve);
      signal.addEventListener("abort", () => news.resolve(), { once: true });
      await news.promise;
      this.#watchers.delete(news.resolve);
      if (signal.aborted) return;
    }
  }

  async getLease(_name: string, signal: AbortSignal) {
    await this.#enter(signal);
    return this.lease;
  }

  async createLease(lease: ApiObject, signal: AbortSignal) {
    await this.#enter(signal);
    return this.#putLease(lease);
  }

  async updateLease(lease: ApiObject, signal: AbortSignal) {
    await this.#enter(signal);
    const version = objectIn(lease, "metadata")["resourceVersion"];
    const now = objectIn(this.lease ?? {}, "metadata")["resourceVersion"];
    if (this.lease === undefined || version !== now) {
      throw new AgentError("Conflict", { next: "retry" });
    }
    return this.#putLease(lease);
  }

  /** Stores a node, as anybody may, and tells who watches. */
  put(node: ApiObject): ApiObject {
    this.node = this.#stamped(node);
    this.#tell();
    return this.node;
  }

  remove(): void {
    this.node = undefined;
    this.#tell();
  }

  /** Somebody else writes the lease. */
  touchLease(): void {
    if (this.lease !== undefined) this.#putLease(this.lease);
  }

  get status(): KnownNode {
    return parseNode(this.node ?? {});
  }

  #putLease(lease: ApiObject): ApiObject {
    this.lease = this.#stamped(lease);
    return this.lease;
  }

  #stamped(object: ApiObject): ApiObject {
    this.#version++;
    const metadata = {
      ...objectIn(object, "metadata"),
      resourceVersion: String(this.#version),
    };
    return { ...object, metadata };
  }

  #tell(): void {
    for (const tell of this.#watchers) tell();
  }

  #enter(signal: AbortSignal): Promise<void> {
    if (this.mood === "hung") return forever(signal);
    return this.mood === "down"
      ? Promise.reject(new AgentError("Refused", { next: "retry" }))
      : Promise.resolve();
  }
}

/** Strategic merge as the API server does it for a Node. */
export function merged(object: ApiObject, patch: ApiObject): ApiObject {
  const next: { [key: string]: unknown } = { ...object };
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (value === null) delete next[key];
    else if (key === "conditions") next[key] = byType(object, patch);
    else if (key === "addresses") next[key] = replaced(patch);
    else if (isObject(value)) next[key] = merged(objectIn(object, key), value);
    else next[key] = value;
  }
  return next;
}

function byType(object: ApiObject, patch: ApiObject): readonly ApiObject[] {
  const list = listIn(object, "conditions").filter(isObject).slice();
  for (const change of listIn(patch, "conditions").filter(isObject)) {
    const at = list.findIndex(({ type }) => type === change["type"]);
    if (at < 0) list.push(change);
    else list[at] = merged(list[at] ?? {}, change);
  }
  return list;
}

/** Without the directive two addresses of a type would be one. */
function replaced(patch: ApiObject): readonly unknown[] {
  const list = listIn(patch, "addresses").filter(isObject);
  if (!list.some((each) => each["$patch"] === "replace")) {
    throw new Error("Addresses must be replaced as a whole");
  }
  return list.filter((each) => each["$patch"] === undefined);
}
