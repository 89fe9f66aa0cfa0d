/** What pods refer to: secrets, config maps, tokens of service accounts. */
import { AgentError } from "../base/errors.ts";
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

  async #get(
    kind: "secret" | "configmap" | "serviceaccount",
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    const doing = `get ${kind} ${ref.namespace}/${ref.name}`;
    try {
      const path = pathOf(kind, ref);
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
