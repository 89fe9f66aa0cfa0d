/**
 * What pods of a fake cluster refer to: secrets, config maps, tokens. Tokens
 * look like real ones, but nobody signed them.
 */
import { AgentError } from "../../lib/base/errors.ts";
import type {
  ApiObject,
  ClusterObjects,
  IssuedToken,
  ObjectRef,
  TokenRequest,
} from "../../lib/port/cluster.ts";

interface Hold {
  /** Before every answer: throws, or waits, as a test wants. */
  readonly before: (doing: string, signal: AbortSignal) => Promise<void>;
  readonly nowMs: () => number;
  /** False when the cluster has no such pod with this uid. */
  readonly hasPod: (request: TokenRequest) => boolean;
}

export class FakeReferred implements ClusterObjects {
  readonly #hold: Hold;
  readonly #objects = new Map<string, ApiObject>();
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

  /** Stores a `Secret` or a `ConfigMap`, or makes a `ServiceAccount`. */
  put(kind: string, ref: ObjectRef, content: ApiObject = {}): void {
    if (kind === "ServiceAccount") this.accounts.add(keyOf("account", ref));
    const short = kind === "Secret"
      ? "secret"
      : kind === "ServiceAccount"
      ? "serviceaccount"
      : "configmap";
    this.#objects.set(JSON.stringify([short, ref.namespace, ref.name]), {
      kind,
      metadata: ref,
      ...content,
    });
  }

  take(kind: "Secret" | "ConfigMap", ref: ObjectRef): void {
    const short = kind === "Secret" ? "secret" : "configmap";
    this.#objects.delete(JSON.stringify([short, ref.namespace, ref.name]));
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

  serviceAccount(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    return this.#get("serviceaccount", ref, signal);
  }

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
    return this.#objects.get(JSON.stringify([kind, ref.namespace, ref.name]));
  }
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
