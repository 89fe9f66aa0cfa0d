/**
 * An in-memory API server, as a node sees it. Keeps the promises of
 * `lib/port/cluster.ts`, as `tests/contract/cluster_contract.ts` checks. The
 * members that are no part of the port change the world from outside.
 */
import type { V1Pod } from "../../lib/api/types.ts";
import { AgentError } from "../../lib/base/errors.ts";
import type {
  ApiObject,
  Cluster,
  CsrState,
  PodNews,
  PodRef,
} from "../../lib/port/cluster.ts";
import type { User } from "../../lib/port/reviews.ts";
import { FakeReferred } from "./fake_cluster_referred.ts";
import {
  changeStatus,
  deleted,
  FakeObjects,
  mergeStatus,
  type Stored,
} from "./fake_cluster_objects.ts";

/** Signs a request; a test that needs real certificates hands one in. */
export type Sign = (request: string, signerName: string) => Promise<string>;

interface FakeRequest extends CsrState {
  readonly signerName: string;
  readonly pem: string;
}

export class FakeCluster implements Cluster {
  readonly podObjects = new FakeObjects();
  readonly nodeObjects = new FakeObjects();
  readonly leases = new FakeObjects();
  readonly eventObjects = new FakeObjects();
  readonly classObjects = new FakeObjects();
  readonly requests = new FakeObjects<FakeRequest>();
  /** What the server's `Date` header would say. */
  serverMs: number | undefined;
  /** How often `reconnect` was asked for: the only way to see that it was. */
  connections = 0;
  readonly #sign: Sign;
  #outage: string | undefined;
  #uids = 0;

  constructor(
    sign: Sign = () => Promise.resolve("no certificate\n"),
  ) {
    this.#sign = sign;
  }

  /** Undefined: the server is there. Else what every call fails with. */
  get outage(): string | undefined {
    return this.#outage;
  }

  set outage(message: string | undefined) {
    this.#outage = message;
    const watched = [this.podObjects, this.nodeObjects, this.classObjects];
    for (const objects of [...watched, this.requests]) {
      objects.hush(message);
    }
    this.objects.hush(message);
  }

  readonly pods: Cluster["pods"] = {
    watch: (nodeName, signal) => this.#podNews(nodeName, signal),
    patchStatus: (pod, status, signal) =>
      this.#call(signal, `write the status of pod ${pod.name}`, () => {
        const found = this.#pod(pod);
        if (found === undefined) throw refuse(pod.name, "give-up", "NotFound");
        const changed = changeStatus(found.status, status);
        const stored = { ...found, status: changed };
        return this.podObjects.put(keyOf(pod), stored) as V1Pod;
      }),
    remove: (pod, signal) =>
      this.#call(signal, `delete pod ${pod.name}`, () => {
        if (this.#pod(pod) === undefined) {
          throw refuse(pod.name, "already-so", "NotFound");
        }
        this.podObjects.take(keyOf(pod));
      }),
    create: (pod, signal) =>
      this.#call(signal, "create a pod", () => this.putPod(pod)),
    get: (pod, signal) =>
      this.#call(signal, `get pod ${pod.name}`, () => {
        const found = this.podObjects.get(keyOf(pod));
        return found === undefined ? undefined : found as V1Pod;
      }),
  };

  readonly nodes: Cluster["nodes"] = {
    get: (name, signal) =>
      this.#call(signal, "get a node", () => this.nodeObjects.get(name)),
    create: (node, signal) =>
      this.#call(signal, "register a node", () => {
        return this.putNode(node);
      }),
    patchStatus: (name, patch, signal) =>
      this.#call(signal, "write the status of a node", () => {
        const found = this.nodeObjects.get(name);
        if (found === undefined) throw refuse(name, "give-up", "NotFound");
        return this.nodeObjects.put(name, mergeStatus(found, patch));
      }),
    watch: (name, signal) => this.#nodeNews(name, signal),
    getLease: (name, signal) =>
      this.#call(signal, "get a lease", () => this.leases.get(name)),
    createLease: (lease, signal) =>
      this.#call(signal, "create a lease", () => {
        return this.#create(this.leases, nameOf(lease), lease);
      }),
    updateLease: (lease, signal) =>
      this.#call(signal, "renew a lease", () => {
        const name = nameOf(lease);
        const before = metadataOf(this.leases.get(name)).resourceVersion;
        const own = metadataOf(lease).resourceVersion;
        if (own !== undefined && own !== before) {
          throw refuse(name, "retry", "Conflict");
        }
        return this.leases.put(name, lease);
      }),
  };

  readonly events: Cluster["events"] = {
    create: (event, signal) =>
      this.#call(signal, "record an event", () => {
        return this.#create(this.eventObjects, nameOf(event), event);
      }),
    patch: (event, patch, signal) =>
      this.#call(signal, "count an event", () => {
        const found = this.eventObjects.get(event.name);
        if (found === undefined) {
          throw refuse(event.name, "give-up", "NotFound");
        }
        return this.eventObjects.put(event.name, { ...found, ...patch });
      }),
  };

  readonly certificates: Cluster["certificates"] = {
    create: (request, signal) =>
      this.#call(signal, "request a certificate", () => {
        const { name, pem, signerName } = request;
        const found = this.requests.get(name);
        if (found !== undefined && found.signerName !== signerName) {
          throw refuse(name, "give-up", "AlreadyExists");
        }
        if (found !== undefined) return found;
        const state = { isApproved: false, refusal: undefined };
        return this.requests.put(name, {
          ...state,
          name,
          pem,
          signerName,
          certificate: undefined,
        });
      }),
    watch: (name, signal) => this.#requestNews(name, signal),
  };

  /** Whose tokens they are. */
  readonly tokens = new Map<string, User>();
  /** What is allowed, as `user verb subresource`. */
  readonly grants = new Set<string>();

  readonly reviews: Cluster["reviews"] = {
    token: (token, signal) =>
      this.#call(signal, "review a token", () => {
        const name = this.objects.owners.get(token);
        return this.tokens.get(token) ?? (name === undefined
          ? undefined
          : { name, uid: "1", groups: [], extra: new Map() });
      }),
    access: ({ user, verb, subresource }, signal) =>
      this.#call(
        signal,
        "review an access",
        () =>
          user.groups.includes("system:masters") ||
          this.grants.has(`${user.name} ${verb} ${subresource}`),
      ),
  };

  readonly objects: FakeReferred = new FakeReferred({
    before: (doing, signal) => this.#call(signal, doing, () => undefined),
    hasPod: ({ namespace, pod }) =>
      this.#pod({ namespace, ...pod }) !== undefined,
  });

  readonly runtimeClasses: Cluster["runtimeClasses"] = {
    watch: (signal) => this.#classNews(signal),
  };

  isHealthy(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    return Promise.resolve(this.#outage === undefined);
  }

  serverTimeMs(): number | undefined {
    return this.serverMs;
  }

  reconnect(): void {
    this.connections++;
  }

  close(): void {
    this.connections = 0;
  }

  /** Stores a new pod as the server would. */
  putPod(pod: V1Pod): V1Pod {
    const { namespace = "default", name = "" } = pod.metadata ?? {};
    const key = keyOf({ namespace, name });
    const metadata = {
      uid: `uid-${++this.#uids}-${name}`,
      generation: 1,
      ...pod.metadata,
      namespace,
    };
    const status = { phase: "Pending", ...pod.status };
    const object = { ...pod, metadata, status };
    return this.#create(this.podObjects, key, object as ApiObject) as V1Pod;
  }

  /** Stores a new node as the server would. */
  putNode(node: ApiObject): ApiObject {
    const name = nameOf(node);
    const metadata = { uid: `uid-${++this.#uids}`, ...metadataOf(node) };
    return this.#create(this.nodeObjects, name, { ...node, metadata });
  }

  /** As `kubectl delete pod`; grace only shrinks, and 0 is the end of it. */
  deletePod(pod: Named, graceSeconds: number, nowMs: number): void {
    const found = this.podObjects.get(keyOf(pod));
    if (found === undefined) throw new Error(`No such pod: ${pod.name}`);
    const changed = deleted(found, graceSeconds, nowMs);
    if (changed === "gone") this.podObjects.take(keyOf(pod));
    else if (changed !== found) this.podObjects.put(keyOf(pod), changed);
  }

  /** As `kubectl certificate approve`, with a signer that is quick. */
  async approve(name: string): Promise<void> {
    const found = this.#request(name);
    const certificate = await this.#sign(found.pem, found.signerName);
    this.requests.put(name, { ...found, isApproved: true, certificate });
  }

  deny(name: string, refusal = "Denied: no"): void {
    this.requests.put(name, { ...this.#request(name), refusal });
  }

  #request(name: string): FakeRequest {
    const found = this.requests.get(name);
    if (found === undefined) throw new Error(`No such request: ${name}`);
    return found;
  }

  #pod(pod: PodRef): Stored | undefined {
    const found = this.podObjects.get(keyOf(pod));
    return metadataOf(found).uid === pod.uid ? found : undefined;
  }

  #create(
    objects: FakeObjects,
    key: string,
    object: ApiObject,
  ): Stored {
    if (objects.get(key) !== undefined) {
      throw refuse(key, "already-so", "AlreadyExists");
    }
    return objects.put(key, object);
  }

  #call<T>(signal: AbortSignal, doing: string, work: () => T): Promise<T> {
    return Promise.try(() => {
      signal.throwIfAborted();
      if (this.outage !== undefined) {
        throw new AgentError(`Cannot ${doing}: ${this.outage}`, {
          next: "retry",
        });
      }
      return work();
    });
  }

  async *#podNews(
    nodeName: string,
    signal: AbortSignal,
  ): AsyncGenerator<PodNews> {
    const isOurs = (pod: V1Pod) => pod.spec?.nodeName === nodeName;
    for await (const change of this.podObjects.changes(signal)) {
      if (change.kind === "all") {
        const pods = change.objects.map((each) => each as V1Pod);
        yield { kind: "listed", pods: pods.filter(isOurs) };
      } else if (change.kind === "silent" || change.kind === "steady") {
        yield change;
      } else if (isOurs(change.object as V1Pod)) {
        yield { kind: change.kind, pod: change.object as V1Pod };
      }
    }
  }

  async *#classNews(
    signal: AbortSignal,
  ): AsyncGenerator<ReadonlyMap<string, string>> {
    let handlers = new Map<string, string>();
    for await (const change of this.classObjects.changes(signal)) {
      if (change.kind === "silent" || change.kind === "steady") continue;
      if (change.kind === "all") {
        handlers = new Map(
          change.objects.map((each) => [nameOf(each), String(each.handler)]),
        );
      } else {
        handlers = new Map(handlers);
        const { object } = change;
        if (change.kind === "deleted") handlers.delete(nameOf(object));
        else handlers.set(nameOf(object), String(object.handler));
      }
      yield handlers;
    }
  }

  async *#nodeNews(name: string, signal: AbortSignal) {
    for await (const found of this.nodeObjects.follow(name, signal)) {
      yield { node: found };
    }
  }

  async *#requestNews(name: string, signal: AbortSignal) {
    for await (const found of this.requests.follow(name, signal)) {
      yield found;
    }
  }
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

function keyOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`;
}

function metadataOf(object: ApiObject | undefined): Record<string, unknown> {
  return (object?.metadata ?? {}) as Record<string, unknown>;
}

function nameOf(object: ApiObject): string {
  return String(metadataOf(object).name);
}

function refuse(
  what: string,
  next: "give-up" | "already-so" | "retry",
  reason: string,
): AgentError {
  return new AgentError(`Cannot use ${what}: ${reason}`, { next, reason });
}
