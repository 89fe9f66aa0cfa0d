/**
 * What the inside needs from the API server. Objects are plain JSON, times are
 * RFC 3339 text. Same general contract as `port/runtime.ts`: a call rejects
 * with an `AgentError` whose `next` tells what to do (`already-so`: exists
 * already on create, gone already on delete), rejects with the signal's reason
 * on abort, and never hangs. Rate limits and retries after 429 are the
 * adapter's; retries after failures are the caller's.
 */
import type { PodUid } from "../api/id.ts";
import type { PodStatusChange } from "../api/status.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
} from "../api/types.ts";
import type { ClusterReviews } from "./reviews.ts";

/** A JSON object of the API, of a kind that we only pass on. */
export type ApiObject = {
  readonly [key: string]: unknown;
};

/** Which pod; `uid` makes a call on a re-created pod fail. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: PodUid;
}

/** News of the pods that are assigned to this node. */
export type PodNews =
  /** The whole truth at one moment: at first, and after a gap. */
  | { readonly kind: "listed"; readonly pods: readonly V1Pod[] }
  | { readonly kind: "changed"; readonly pod: V1Pod }
  | { readonly kind: "deleted"; readonly pod: V1Pod }
  /** No news for now, and why; told again when the reason is another. */
  | { readonly kind: "silent"; readonly message: string }
  /** The silence is over and nothing was missed (else: `listed`). */
  | { readonly kind: "steady" };

export interface ClusterPods {
  /**
   * Lists and watches the pods of one node until `signal` aborts, for ever:
   * bookmarks, expired versions (410), broken and half-open connections and
   * back-off are the adapter's. Never throws but for the abort.
   */
  watch(nodeName: string, signal: AbortSignal): AsyncIterable<PodNews>;
  /**
   * Merges a status into the pod's, without reading it first, and returns the
   * pod as stored. Null takes a field away, of a condition too; conditions that
   * are not named stay. `give-up` when the pod is gone or another.
   */
  patchStatus(
    pod: PodRef,
    status: PodStatusChange,
    signal: AbortSignal,
  ): Promise<V1Pod>;
  /** Deletes with grace 0 and the uid as a precondition. */
  remove(pod: PodRef, signal: AbortSignal): Promise<void>;
  /** Creates a mirror pod and returns it as stored. */
  create(pod: V1Pod, signal: AbortSignal): Promise<V1Pod>;
  /** Undefined when there is no such pod. */
  get(
    pod: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<V1Pod | undefined>;
}

export interface ClusterNode {
  /** Undefined when there is no such node. */
  get(name: string, signal: AbortSignal): Promise<ApiObject | undefined>;
  /** Rejects with `already-so` when it exists or may not be created. */
  create(node: ApiObject, signal: AbortSignal): Promise<ApiObject>;
  /** Strategic merge patch of `status` (and metadata) on the sub-resource. */
  patchStatus(
    name: string,
    patch: ApiObject,
    signal: AbortSignal,
  ): Promise<ApiObject>;
  /**
   * Single-object watch of this node; same promises as `ClusterPods.watch`.
   * Undefined: there is no such node (now).
   */
  watch(
    name: string,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly node: ApiObject | undefined }>;
  getLease(name: string, signal: AbortSignal): Promise<ApiObject | undefined>;
  createLease(lease: ApiObject, signal: AbortSignal): Promise<ApiObject>;
  /** Replaces; rejects with `retry` on a version conflict. */
  updateLease(lease: ApiObject, signal: AbortSignal): Promise<ApiObject>;
}

export interface ClusterEvents {
  create(event: ApiObject, signal: AbortSignal): Promise<ApiObject>;
  /** Raises the count of an event already stored. */
  patch(
    event: { readonly namespace: string; readonly name: string },
    patch: ApiObject,
    signal: AbortSignal,
  ): Promise<ApiObject>;
}

/** A certificate signing request as the agent sees it. */
export interface CsrState {
  readonly name: string;
  readonly isApproved: boolean;
  /** The signer's or approver's words when it was denied or failed. */
  readonly refusal: string | undefined;
  /** PEM chain, once issued. */
  readonly certificate: string | undefined;
}

export interface ClusterCertificates {
  /**
   * Creates the request; an existing one of the same name and signer is
   * returned, one of another signer refused (`give-up`).
   */
  create(
    request: {
      readonly name: string;
      readonly pem: string;
      readonly signerName: string;
      readonly usages: readonly string[];
    },
    signal: AbortSignal,
  ): Promise<CsrState>;
  /**
   * Each state of one request until `signal` aborts; undefined when it is not
   * there: requests are swept away after hours. Promises as for the pods.
   */
  watch(
    name: string,
    signal: AbortSignal,
  ): AsyncIterable<CsrState | undefined>;
}

/** A secret or config map, or a service account. */
export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

/** A token of a service account, good as long as one pod is there. */
export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Of the account; absent: whatever has the name. */
  readonly serviceAccountUid?: string;
  /** Absent: the API server itself. */
  readonly audience?: string;
  readonly expirationSeconds: number;
  readonly pod: { readonly name: string; readonly uid: PodUid };
}

export interface IssuedToken {
  readonly token: string;
  /** When it should be replaced at the latest, by the server's clock. */
  readonly expiresAtMs: number;
}

/** News of one object. */
export type ObjectNews =
  /** As it is by now; undefined: there is none. At first, and when it changes. */
  | { readonly kind: "is"; readonly object: ApiObject | undefined }
  /** No news for now, and why; told again when the reason is another. */
  | { readonly kind: "silent"; readonly message: string }
  /** The silence is over and nothing was missed (else: `is`). */
  | { readonly kind: "steady" };

/** News of the services of all namespaces. */
export type ServiceNews =
  | { readonly kind: "listed"; readonly services: readonly ApiObject[] }
  | { readonly kind: "changed"; readonly service: ApiObject }
  | { readonly kind: "deleted"; readonly service: ApiObject }
  | { readonly kind: "silent"; readonly message: string }
  | { readonly kind: "steady" };

/** What pods refer to. Contents are secret: they are never logged. */
export interface ClusterObjects {
  /** Follows one object; the first news is as new as the call, at least. */
  watch(
    kind: "secret" | "configmap",
    ref: ObjectRef,
    signal: AbortSignal,
  ): AsyncIterable<ObjectNews>;
  /** Lists and watches every service; promises as for the pods. */
  watchServices(signal: AbortSignal): AsyncIterable<ServiceNews>;
  /** Undefined when there is no such secret; its values are base64. */
  secret(ref: ObjectRef, signal: AbortSignal): Promise<ApiObject | undefined>;
  /** Undefined when there is no such config map. */
  configMap(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined>;
  /** Undefined when there is no such claim. */
  claim(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<V1PersistentVolumeClaim | undefined>;
  /** Undefined when there is no such volume. */
  persistentVolume(
    name: string,
    signal: AbortSignal,
  ): Promise<V1PersistentVolume | undefined>;
  /** Undefined when there is no such service account. */
  serviceAccount(
    ref: ObjectRef,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined>;
  /** Issues a new token, bound to the pod. `give-up`: pod or account is gone. */
  createToken(request: TokenRequest, signal: AbortSignal): Promise<IssuedToken>;
}

export interface ClusterRuntimeClasses {
  /**
   * The handler of every class by its name: the whole of it, at first and
   * after each change, until `signal` aborts. Promises as for the pods.
   */
  watch(signal: AbortSignal): AsyncIterable<ReadonlyMap<string, string>>;
}

/** What a kubeconfig was turned into. */
export interface Cluster {
  readonly pods: ClusterPods;
  readonly nodes: ClusterNode;
  readonly events: ClusterEvents;
  readonly certificates: ClusterCertificates;
  readonly objects: ClusterObjects;
  readonly runtimeClasses: ClusterRuntimeClasses;
  readonly reviews: ClusterReviews;
  /** True when `/healthz` of the API server says so. */
  isHealthy(signal: AbortSignal): Promise<boolean>;
  /** The server's clock now, by its last `Date` header; undefined before any. */
  serverTimeMs(): number | undefined;
  /**
   * Drops every connection and whatever was remembered of certificates, keys
   * and tokens: the next call reads them again and dials anew.
   */
  reconnect(): void;
  /** Ends every connection; for a cluster that is not used any more. */
  close(): void;
}

/** A text that stands in a kubeconfig itself, or in a file that it names. */
export type Material =
  | { readonly kind: "data"; readonly text: string }
  | { readonly kind: "file"; readonly path: string };

/** What a kubeconfig says of the server, and which certificate it shows. */
export interface KubeconfigFacts {
  /** Without a slash at the end. */
  readonly server: string;
  readonly ca: Material | undefined;
  readonly tlsServerName: string | undefined;
  readonly proxyUrl: string | undefined;
  readonly isInsecure: boolean;
  /** PEM of the certificates and of the key; undefined without one. */
  readonly clientPair:
    | { readonly certificate: string; readonly key: string }
    | undefined;
}

/** Kubeconfig files. */
export interface Kubeconfigs {
  /**
   * Undefined when there is no such file; rejects with `give-up` when it, or a
   * file it names, cannot be used.
   */
  read(path: string): Promise<KubeconfigFacts | undefined>;
  /**
   * Reads nothing and connects to nothing before the first call. The files
   * are read again whenever they change.
   */
  open(
    options: {
      readonly path: string;
      /**
       * Certificate and key in one file, shown in place of the kubeconfig's
       * own credential as soon as the file is there.
       */
      readonly pairPath?: string;
    },
  ): Cluster;
}

/** Makes private keys: ECDSA on the curve P-256, exportable. */
export interface Keys {
  create(): Promise<CryptoKeyPair>;
}
