/** What the promises of clusters are tried with. */
import { podUid } from "../../lib/api/id.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import type { Cluster, PodRef } from "../../lib/port/cluster.ts";
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
  readonly change: ObjectsCase["harness"]["change"];
  readonly take: ObjectsCase["harness"]["take"];
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
