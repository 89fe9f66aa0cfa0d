/** What pods refer to: secrets, config maps, claims, tokens of accounts. */
import { AgentError } from "../base/errors.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
} from "../api/types.ts";
import type {
  ApiObject,
  ClusterObjects,
  IssuedToken,
  ObjectRef,
  TokenRequest,
} from "../port/cluster.ts";
import type { Ask, Client } from "./client.ts";
import { saying, statusOf } from "./errors.ts";
import { objectIn, textIn } from "./json.ts";
import { claimFrom, persistentVolumeFrom } from "./translate.ts";

export class KubeObjects implements ClusterObjects {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
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
    const found = await this.#get("persistentvolumeclaim", ref, signal);
    return found && claimFrom(found);
  }

  async persistentVolume(
    name: string,
    signal: AbortSignal,
  ): Promise<V1PersistentVolume | undefined> {
    const path = `/api/v1/persistentvolumes/${encodeURIComponent(name)}`;
    const doing = `get persistentvolume ${name}`;
    const found = await this.#getAt({ doing, path }, signal);
    return found && persistentVolumeFrom(found);
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
    const { namespace, serviceAccount: name } = request;
    const doing = `request a token of service account ${namespace}/${name}`;
    const path = `${pathOf("serviceaccount", { namespace, name })}/token`;
    const body = tokenBody(request);
    const status = objectIn(
      await this.#ask({ doing, method: "POST", path, body }, signal),
      "status",
    );
    const token = textIn(status, "token") ?? "";
    const expiresAtMs = Date.parse(textIn(status, "expirationTimestamp") ?? "");
    if (token !== "" && !Number.isNaN(expiresAtMs)) {
      return { token, expiresAtMs };
    }
    throw new AgentError(`Cannot ${doing}: the answer holds no token`, {
      next: "retry",
    });
  }

  #get(
    kind: "secret" | "configmap" | "serviceaccount" | "persistentvolumeclaim",
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    const doing = `get ${kind} ${ref.namespace}/${ref.name}`;
    return this.#getAt({ doing, path: pathOf(kind, ref) }, signal);
  }

  async #getAt(
    { doing, path }: { readonly doing: string; readonly path: string },
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    try {
      return await this.#ask({ doing, method: "GET", path }, signal);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async #ask(ask: Ask, signal: AbortSignal): Promise<ApiObject> {
    try {
      return await this.#client.object(ask, signal);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      // The pod of this name has another uid: asking again is no use.
      if (statusOf(error) === 409) throw saying(error, "give-up");
      if (error.reason !== "Nonsense") throw error;
      // Words about a broken answer quote it, and it may be a secret's.
      throw new AgentError(
        `Cannot ${ask.doing}: the API server's answer is not JSON`,
        { next: "retry", reason: "Nonsense" },
      );
    }
  }
}

function pathOf(kind: string, { namespace, name }: ObjectRef): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}s/` +
    encodeURIComponent(name);
}

function tokenBody(request: TokenRequest): ApiObject {
  const { audience, expirationSeconds, pod, serviceAccountUid } = request;
  return {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    ...(serviceAccountUid === undefined
      ? {}
      : { metadata: { uid: serviceAccountUid } }),
    spec: {
      ...(audience === undefined || audience === ""
        ? {}
        : { audiences: [audience] }),
      expirationSeconds,
      boundObjectRef: {
        apiVersion: "v1",
        kind: "Pod",
        name: pod.name,
        uid: pod.uid,
      },
    },
  };
}
