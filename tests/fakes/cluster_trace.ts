/**
 * Stands between the agent and a cluster: tells in a trace what the agent says
 * of its pods, and may end the agent at the moment it wants to say it.
 */
import type { V1ContainerStatus, V1Pod } from "../../lib/api/types.ts";
import type { Cluster, ClusterPods } from "../../lib/port/cluster.ts";
import { shortName } from "./pod_world_trace.ts";

/** What the agent is about to do at the server. */
export type Call = "status" | "delete" | "mirror";

export interface ClusterEar {
  say(words: string): void;
  /** Before each call; may end the agent. */
  before(call: Call): void;
}

export function traced(cluster: Cluster, ear: ClusterEar): Cluster {
  return {
    pods: tracedPods(cluster.pods, ear),
    nodes: cluster.nodes,
    events: cluster.events,
    certificates: cluster.certificates,
    objects: cluster.objects,
    runtimeClasses: cluster.runtimeClasses,
    reviews: cluster.reviews,
    isHealthy: (signal) => cluster.isHealthy(signal),
    serverTimeMs: () => cluster.serverTimeMs(),
    reconnect: () => cluster.reconnect(),
    close: () => cluster.close(),
  };
}

function tracedPods(pods: ClusterPods, ear: ClusterEar): ClusterPods {
  let last = "";
  return {
    watch: (nodeName, signal) => pods.watch(nodeName, signal),
    get: (pod, signal) => pods.get(pod, signal),
    patchStatus: async (pod, change, signal) => {
      ear.before("status");
      const stored = await pods.patchStatus(pod, change, signal);
      const words = podWords(stored);
      // The line says too little then: what is it that changed?
      const isSaid = words === last && change.phase === undefined;
      const fields = isSaid ? `; only ${Object.keys(change).join(", ")}` : "";
      last = words;
      ear.say(`api: ${words}${fields}`);
      return stored;
    },
    remove: async (pod, signal) => {
      ear.before("delete");
      await pods.remove(pod, signal);
      ear.say(`api: ${shortName(pod.name)} deleted`);
    },
    create: async (pod, signal) => {
      ear.before("mirror");
      const made = await pods.create(pod, signal);
      ear.say(`api: mirror of ${shortName(made.metadata?.name ?? "")} made`);
      return made;
    },
  };
}

/** `web is Running, ready: app runs`, of a pod as the server holds it. */
export function podWords({ metadata, status }: V1Pod): string {
  const { phase = "nothing", reason, conditions } = status ?? {};
  const all = [
    ...status?.initContainerStatuses ?? [],
    ...status?.containerStatuses ?? [],
    ...status?.ephemeralContainerStatuses ?? [],
  ];
  const isReady = conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  );
  const why = reason === undefined ? "" : ` (${reason})`;
  const states = all.map(containerWords).join(", ");
  return `${shortName(metadata?.name ?? "")} is ${phase}${why}` +
    (isReady ? ", ready" : "") + resizeWords(status) +
    (states === "" ? "" : `: ${states}`);
}

function resizeWords(status: V1Pod["status"]): string {
  return (status?.conditions ?? []).map(({ type, reason }) => {
    if (type === "PodResizePending") return `, resize ${reason?.toLowerCase()}`;
    if (type !== "PodResizeInProgress") return "";
    return reason === "Error" ? ", resize fails" : ", resize under way";
  }).join("");
}

function containerWords(status: V1ContainerStatus): string {
  const { name, state, restartCount } = status;
  const count = restartCount === 0 ? "" : ` #${restartCount}`;
  const { running, terminated, waiting } = state ?? {};
  if (running !== undefined) return `${name}${count} runs`;
  if (terminated !== undefined) {
    const { reason, exitCode } = terminated;
    return `${name}${count} ended with ${exitCode} (${reason})`;
  }
  return `${name}${count} waits (${waiting?.reason})`;
}
