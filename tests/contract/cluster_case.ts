/** What the promises of clusters are tried with. */
import assert from "node:assert/strict";
import { podUid } from "../../lib/api/id.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import type { Cluster, PodNews, PodRef } from "../../lib/port/cluster.ts";
import type { ObjectsCase } from "./cluster_objects_contract.ts";

export interface ClusterHarness {
  readonly cluster: Cluster;
  /** A PKCS#10 request for a node's client certificate. */
  request(nodeName: string): Promise<string>;
  approve(name: string): Promise<void>;
  deny(name: string): Promise<void>;
  removeRequest(name: string): Promise<void>;
  removeNode(name: string): Promise<void>;
  /** As `kubectl delete pod` with a grace of its own. */
  deletePod(pod: PodRef, graceSeconds: number): Promise<void>;
  /** Sets a condition on a pod as somebody else would. */
  condition(pod: PodRef, type: string): Promise<void>;
  /** Stores an object of the default namespace past the port. */
  readonly place: ObjectsCase["harness"]["place"];
  /** Stores a runtime class past the port, or takes it away. */
  runtimeClass(name: string, handler: string | undefined): Promise<void>;
  close(): Promise<void>;
}

export interface Case {
  readonly cluster: Cluster;
  readonly harness: ClusterHarness;
  readonly signal: AbortSignal;
  /** A name that nobody else has. */
  readonly name: string;
}

export function aPod(nodeName: string, suffix: string): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `${nodeName}-${suffix}`, namespace: "default" },
    spec: {
      nodeName,
      // Nobody runs it: it is told of, and removed.
      containers: [{ name: "only", image: "none" }],
    },
  };
}

export function nameOf(pod: V1Pod): string {
  return pod.metadata?.name ?? "";
}

export function refOf(pod: V1Pod): PodRef {
  const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
  return { namespace, name, uid: podUid(uid) };
}

/** News one by one; a test names what it waits for. */
export function iterate<T extends PodNews | object | undefined>(
  news: AsyncIterable<T>,
) {
  const iterator = news[Symbol.asyncIterator]();
  const next = async (): Promise<T> => {
    const { value, done } = await iterator.next();
    assert.notEqual(done, true, "the watch ended");
    return value;
  };
  return {
    next,
    until: async (isIt: (news: T) => boolean): Promise<T> => {
      for (;;) {
        const found = await next();
        if (isIt(found)) return found;
      }
    },
    close: async () => await iterator.return?.(),
  };
}
