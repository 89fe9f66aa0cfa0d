/**
 * What a credential plugin is told of a pod's service account: a token bound
 * to the pod, and annotations. Tokens are kept until a fifth of their life is
 * left, and are never logged.
 * Compat: kubelet 1.36 credentialprovider/plugin serviceAccountProvider.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import { objectIn } from "../base/json.ts";
import type { PodUid } from "../api/id.ts";
import type { TokenAttributes } from "../config/credential_providers.ts";
import type { ApiObject, ClusterObjects } from "../port/cluster.ts";
import type { Coordinates } from "./credential.ts";

/** Compat: what the API server gives when it is not told how long. */
const LIFE_SECONDS = 3600;

/** The pod an image is for. */
export interface PodAccount {
  readonly namespace: string;
  readonly name: string;
  readonly uid: PodUid;
  /** Empty for a pod without one, such as a static pod. */
  readonly serviceAccount: string;
}

export interface Account {
  readonly at: Coordinates;
  readonly token: string;
  /** Sorted by name. */
  readonly annotations: ReadonlyMap<string, string>;
}

export interface AccountPorts {
  readonly clock: Clock;
  /** Undefined on a standalone node. */
  readonly accounts:
    | Pick<ClusterObjects, "serviceAccount" | "createToken">
    | undefined;
}

interface Kept {
  readonly token: string;
  readonly renewAtMs: number;
}

export class AccountAsk {
  readonly #ports: AccountPorts;
  readonly #wanted: TokenAttributes;
  readonly #tokens = new Map<string, Kept>();

  constructor(ports: AccountPorts, wanted: TokenAttributes) {
    this.#ports = ports;
    this.#wanted = wanted;
  }

  /** `skip`: the plugin is not for this pod; undefined: ask without account. */
  async find(
    pod: PodAccount,
    signal: AbortSignal,
  ): Promise<Account | "skip" | undefined> {
    const { isAccountRequired } = this.#wanted;
    if (pod.serviceAccount === "") {
      return isAccountRequired ? "skip" : undefined;
    }
    const { accounts } = this.#ports;
    if (accounts === undefined) return isAccountRequired ? "skip" : undefined;
    const { namespace, serviceAccount: name } = pod;
    const found = await accounts.serviceAccount({ namespace, name }, signal);
    if (found === undefined) {
      throw new AgentError(
        `Cannot find service account ${namespace}/${name}`,
        { next: "retry" },
      );
    }
    const metadata = objectIn(found, "metadata");
    const annotations = this.#annotations(objectIn(metadata, "annotations"));
    if (annotations === undefined) return "skip";
    const at = { namespace, name, uid: String(metadata.uid ?? "") };
    return { at, annotations, token: await this.#token(pod, at, signal) };
  }

  /** Undefined when one is missing that the plugin requires. */
  #annotations(all: ApiObject): ReadonlyMap<string, string> | undefined {
    const { requiredAnnotations, optionalAnnotations } = this.#wanted;
    const known = new Map(Object.entries(all));
    if (requiredAnnotations.some((key) => !known.has(key))) return undefined;
    const keys = [...requiredAnnotations, ...optionalAnnotations].sort();
    return new Map(keys.flatMap((key) => {
      const value = known.get(key);
      return typeof value === "string" ? [[key, value] as const] : [];
    }));
  }

  async #token(
    pod: PodAccount,
    at: Coordinates,
    signal: AbortSignal,
  ): Promise<string> {
    const { clock, accounts } = this.#ports;
    const key = JSON.stringify([at.uid, pod.uid]);
    const nowMs = clock.nowMs();
    for (const [each, { renewAtMs }] of this.#tokens) {
      if (renewAtMs <= nowMs) this.#tokens.delete(each);
    }
    const kept = this.#tokens.get(key);
    if (kept !== undefined) return kept.token;
    const issued = await accounts?.createToken({
      namespace: at.namespace,
      serviceAccount: at.name,
      serviceAccountUid: at.uid,
      audience: this.#wanted.audience,
      expirationSeconds: LIFE_SECONDS,
      pod: { name: pod.name, uid: pod.uid },
    }, signal);
    if (issued === undefined) return "";
    const { token, expiresAtMs } = issued;
    const renewAtMs = nowMs + (expiresAtMs - nowMs) * 0.8;
    this.#tokens.set(key, { token, renewAtMs });
    return token;
  }
}
