/**
 * What pods refer to: secrets, config maps, claims, tokens of service accounts,
 * and services. A watch is of one object by its name: nodes may have no other.
 */
import { AgentError } from "../base/errors.ts";
import { objectIn, textIn } from "../base/json.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
} from "../api/types.ts";
import type {
  ApiObject,
  ClusterObjects,
  IssuedToken,
  ObjectNews,
  ObjectRef,
  ServiceNews,
  TokenRequest,
} from "../port/cluster.ts";
import type { Ask } from "./client.ts";
import { saying, statusOf, withoutQuote } from "./errors.ts";
import { claimFrom, persistentVolumeFrom } from "./translate.ts";
import { watchObjects, type WatchParts } from "./watch.ts";

/** Compat: kubelet 1.36 watch_based_manager: half an hour, up to twice it. */
const WATCH_SECONDS = 1800;
/** Some ten thousand services. */
const LONGEST_LIST_BYTES = 64 * 1024 * 1024;

export class KubeObjects implements ClusterObjects {
  readonly #parts: WatchParts;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  async *watch(
    kind: "secret" | "configmap",
    ref: ObjectRef,
    signal: AbortSignal,
  ): AsyncGenerator<ObjectNews> {
    const what = {
      path: collectionOf(kind, ref.namespace),
      fieldSelector: `metadata.name=${ref.name}`,
      doing: `watch ${kind} ${ref.namespace}/${ref.name}`,
      watchSeconds: WATCH_SECONDS,
      lane: "objects",
      isConfidential: true,
    } as const;
    for await (const news of watchObjects(this.#parts, what, signal)) {
      switch (news.kind) {
        case "listed":
          yield { kind: "is", object: news.objects[0] };
          break;
        case "changed":
          yield { kind: "is", object: news.object };
          break;
        case "deleted":
          yield { kind: "is", object: undefined };
          break;
        default:
          yield news;
      }
    }
  }

  async *watchServices(signal: AbortSignal): AsyncGenerator<ServiceNews> {
    const what = {
      path: "/api/v1/services",
      fieldSelector: "",
      doing: "watch the services",
      watchSeconds: WATCH_SECONDS,
      lane: "objects",
      mostBytes: LONGEST_LIST_BYTES,
    } as const;
    for await (const news of watchObjects(this.#parts, what, signal)) {
      switch (news.kind) {
        case "listed":
          yield { kind: "listed", services: news.objects };
          break;
        case "changed":
        case "deleted":
          yield { kind: news.kind, service: news.object };
          break;
        default:
          yield news;
      }
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
      return await this.#parts.client.object(ask, signal);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      // The pod of this name has another uid: asking again is no use.
      if (statusOf(error) === 409) throw saying(error, "give-up");
      if (error.reason !== "Nonsense") throw error;
      throw withoutQuote(ask.doing);
    }
  }
}

function pathOf(kind: string, { namespace, name }: ObjectRef): string {
  return `${collectionOf(kind, namespace)}/${encodeURIComponent(name)}`;
}

function collectionOf(kind: string, namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}s`;
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
