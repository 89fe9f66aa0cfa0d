/**
 * What pods of a fake cluster refer to: secrets, config maps, claims, tokens,
 * services.
 * Tokens look like real ones, but nobody signed them.
 */
import { AgentError } from "../../lib/base/errors.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
} from "../../lib/api/types.ts";
import type {
  ApiObject,
  ClusterObjects,
  IssuedToken,
  ObjectNews,
  ObjectRef,
  ServiceNews,
  TokenRequest,
} from "../../lib/port/cluster.ts";
import { FakeObjects } from "./fake_cluster_objects.ts";

interface Hold {
  /** Before every answer: throws, or waits, as a test wants. */
  readonly before: (doing: string, signal: AbortSignal) => Promise<void>;
  readonly nowMs: () => number;
  /** False when the cluster has no such pod with this uid. */
  readonly hasPod: (request: TokenRequest) => boolean;
}

export class FakeReferred implements ClusterObjects {
  readonly #hold: Hold;
  readonly #objects = new FakeObjects<ApiObject>();
  readonly #services = new FakeObjects<ApiObject>();
  readonly claims = new Map<string, V1PersistentVolumeClaim>();
  readonly persistentVolumes = new Map<string, V1PersistentVolume>();
  /** How many watches of objects there are now. */
  watches = 0;
  /** What was asked for, in order: `secret prod/a`, `token prod/default`. */
  readonly asked: string[] = [];
  readonly accounts = new Set<string>();
  /** What a server would cut an expiration to. */
  longestTokenSeconds = Infinity;

  constructor(hold: Partial<Hold> = {}) {
    this.#hold = {
      before: () => Promise.resolve(),
      nowMs: () => Date.now(),
      hasPod: () => true,
      ...hold,
    };
  }

  /** Stores an object, or makes a `ServiceAccount`. */
  put(kind: string, ref: ObjectRef, content: ApiObject = {}): void {
    const plain = JSON.parse(JSON.stringify({ metadata: ref, ...content }));
    if (kind === "PersistentVolumeClaim") {
      this.claims.set(`${ref.namespace}/${ref.name}`, plain);
    }
    if (kind === "PersistentVolume") {
      this.persistentVolumes.set(ref.name, plain);
    }
    if (kind === "ServiceAccount") this.accounts.add(keyOf("account", ref));
    const object = { kind, metadata: ref, ...content };
    const services = kind === "Service" ? this.#services : this.#objects;
    services.put(storedAs(kind, ref), object);
  }

  take(kind: "Secret" | "ConfigMap" | "Service", ref: ObjectRef): void {
    const objects = kind === "Service" ? this.#services : this.#objects;
    objects.take(storedAs(kind, ref));
  }

  /** While it has a reason, no watch tells anything. */
  hush(reason: string | undefined): void {
    this.#objects.hush(reason);
    this.#services.hush(reason);
  }

  async *watch(
    kind: "secret" | "configmap",
    ref: ObjectRef,
    signal: AbortSignal,
  ): AsyncGenerator<ObjectNews> {
    const doing = `watch ${keyOf(kind, ref)}`;
    this.asked.push(doing);
    this.watches++;
    try {
      await this.#hold.before(doing, signal).catch((error) => {
        if (!(error instanceof AgentError)) throw error;
      });
      const stored = kind === "secret" ? "Secret" : "ConfigMap";
      yield* this.#objects.news(storedAs(stored, ref), signal);
    } finally {
      this.watches--;
    }
  }

  async *watchServices(signal: AbortSignal): AsyncGenerator<ServiceNews> {
    for await (const change of this.#services.changes(signal)) {
      if (change.kind === "all") {
        yield { kind: "listed", services: change.objects };
      } else if (change.kind === "silent" || change.kind === "steady") {
        yield change;
      } else yield { kind: change.kind, service: change.object };
    }
  }

  secret(ref: ObjectRef, signal: AbortSignal): Promise<ApiObject | undefined> {
    return this.#get("secret", ref, signal);
  }

  configMap(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    return this.#get("configmap", ref, signal);
  }

  async claim(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<V1PersistentVolumeClaim | undefined> {
    const key = keyOf("persistentvolumeclaim", ref);
    this.asked.push(key);
    await this.#hold.before(key, signal);
    return this.claims.get(`${ref.namespace}/${ref.name}`);
  }

  async persistentVolume(
    name: string,
    signal: AbortSignal,
  ): Promise<V1PersistentVolume | undefined> {
    const key = `persistentvolume ${name}`;
    this.asked.push(key);
    await this.#hold.before(key, signal);
    return this.persistentVolumes.get(name);
  }

  serviceAccount(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    return this.#get("serviceaccount", ref, signal);
  }

  /** Whose tokens they are, of those that are for the server itself. */
  readonly owners = new Map<string, string>();

  async createToken(
    request: TokenRequest,
    signal: AbortSignal,
  ): Promise<IssuedToken> {
    const { namespace, serviceAccount: name, pod } = request;
    const key = keyOf("token", { namespace, name });
    this.asked.push(key);
    await this.#hold.before(key, signal);
    const hasAccount = this.accounts.has(keyOf("account", { namespace, name }));
    if (!hasAccount || !this.#hold.hasPod(request)) {
      throw new AgentError(`Cannot request a token of ${name}: not found`, {
        next: "give-up",
        reason: "NotFound",
      });
    }
    const seconds = Math.min(
      request.expirationSeconds,
      this.longestTokenSeconds,
    );
    const issuedAt = Math.floor(this.#hold.nowMs() / 1000);
    const token = jwt({
      aud: [request.audience ?? "https://kubernetes.default.svc"],
      exp: issuedAt + seconds,
      iat: issuedAt,
      jti: this.asked.length,
      sub: `system:serviceaccount:${namespace}:${name}`,
      "kubernetes.io": { namespace, pod, serviceaccount: { name } },
    });
    if (request.audience === undefined) {
      this.owners.set(token, `system:serviceaccount:${namespace}:${name}`);
    }
    return { token, expiresAtMs: (issuedAt + seconds) * 1000 };
  }

  async #get(
    kind: string,
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    const key = keyOf(kind, ref);
    this.asked.push(key);
    await this.#hold.before(key, signal);
    const stored = kind === "secret"
      ? "Secret"
      : kind === "configmap"
      ? "ConfigMap"
      : "ServiceAccount";
    return this.#objects.get(storedAs(stored, ref));
  }
}

function storedAs(kind: string, { namespace, name }: ObjectRef): string {
  return JSON.stringify([kind, namespace, name]);
}

/** A token with these claims and no signature. */
export function jwt(claims: object): string {
  const part = (value: object) =>
    new TextEncoder().encode(JSON.stringify(value))
      .toBase64({ alphabet: "base64url", omitPadding: true });
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

function keyOf(kind: string, { namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}
