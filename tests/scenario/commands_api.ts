/** What the commands of a story do to the cluster that the node belongs to. */
import { qosClass } from "../../lib/api/qos.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import type { ApiObject } from "../../lib/port/cluster.ts";
import { decodePod } from "../../lib/source/decode.ts";
import { withDefaults } from "../../lib/source/defaults.ts";
import { parseFile } from "../../lib/source/file.ts";
import { podWords } from "../fakes/cluster_trace.ts";
import type { FakeCluster } from "../fakes/fake_cluster.ts";
import type { Stored } from "../fakes/fake_cluster_objects.ts";
import type { PodWorld } from "../fakes/pod_world.ts";
import { fullName, shortName } from "../fakes/pod_world_trace.ts";
import type { Run } from "./story.ts";

const NODE = "node-1";

export const API_COMMANDS: ReadonlyMap<string, Run> = new Map<string, Run>([
  // api pod|edit <<EOF: made and assigned to the node; spec and labels changed.
  // api delete POD grace=N; api force POD: taken away whatever the node says.
  // api stop|start: nobody answers, and nothing is told.
  // api pods: what the server holds.
  ["api", api],
  // node label KEY=VALUE; node put: made by an admin; node taint KEY=EFFECT;
  // node conditions: as the node tells them.
  ["node", node],
  // events POD: what the server was told of it.
  ["events", (world, [pod = ""]) => events(world, pod)],
]);

function api(
  world: PodWorld,
  [what, name = "", grace = ""]: readonly string[],
  text: string,
): readonly string[] | void {
  const { cluster, clock } = world;
  switch (what) {
    case "pod":
      cluster.putPod(aScheduledPod(podOf(text)));
      return;
    case "edit":
      return edit(cluster, podOf(text));
    case "delete": {
      const seconds = Number(grace.replace("grace=", "") || 30);
      return cluster.deletePod(refOf(cluster, name), seconds, clock.nowMs());
    }
    case "force":
      return cluster.deletePod(refOf(cluster, name), 0, clock.nowMs());
    case "stop":
      cluster.outage = "connection refused";
      return;
    case "start":
      cluster.outage = undefined;
      return;
    case "pods":
      return held(cluster).map(heldWords);
    default:
      throw new Error(`Unknown: api ${what}`);
  }
}

function podOf(text: string): V1Pod {
  const [document] = parseFile(new TextEncoder().encode(text)).documents;
  const { pod, remarks } = decodePod(document?.tree ?? null, []);
  if (pod === undefined) throw new Error(JSON.stringify(remarks));
  // A server knows no maps without a prototype.
  return JSON.parse(JSON.stringify(withDefaults(pod)));
}

/** As the scheduler leaves it. */
function aScheduledPod(pod: V1Pod): V1Pod {
  return {
    ...pod,
    spec: { containers: [], ...pod.spec, nodeName: NODE },
    status: {
      qosClass: qosClass(pod),
      conditions: [{ type: "PodScheduled", status: "True" }],
    },
  };
}

function edit(cluster: FakeCluster, { metadata, spec }: V1Pod): void {
  const ref = refOf(cluster, metadata?.name ?? "");
  const key = `${ref.namespace}/${ref.name}`;
  const found = cluster.podObjects.get(key);
  if (found === undefined) throw new Error(`No such pod: ${ref.name}`);
  const before = Object(found.metadata);
  cluster.podObjects.put(key, {
    ...found,
    metadata: {
      ...before,
      labels: metadata?.labels,
      generation: before.generation + 1,
    },
    spec: { ...spec, nodeName: NODE },
  });
}

/** A mirror is meant by the name of its static pod. */
function refOf({ podObjects }: FakeCluster, name: string) {
  const isThere = podObjects.get(`default/${name}`) !== undefined;
  return { namespace: "default", name: isThere ? name : fullName(name) };
}

function held({ podObjects }: FakeCluster): readonly Stored[] {
  return podObjects.keys().toSorted().map((key) => podObjects.get(key))
    .filter((pod) => pod !== undefined);
}

function heldWords(pod: Stored): string {
  const { deletionGracePeriodSeconds } = Object(pod.metadata);
  const end = deletionGracePeriodSeconds === undefined
    ? ""
    : `, deleted (${deletionGracePeriodSeconds} s)`;
  return podWords(pod as V1Pod) + end;
}

function node(
  { cluster }: PodWorld,
  [what, word = ""]: readonly string[],
): readonly string[] {
  if (what === "put") {
    cluster.putNode({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: NODE },
    });
    return [];
  }
  const found = cluster.nodeObjects.get(NODE);
  if (found === undefined) throw new Error("There is no node yet");
  if (what === "conditions") return conditionsOf(found);
  const [key = "", value = ""] = word.split("=");
  cluster.nodeObjects.put(NODE, changed(found, what, { key, value }));
  return [];
}

function changed(
  found: ApiObject,
  what: string | undefined,
  { key, value }: { readonly key: string; readonly value: string },
): Stored {
  const { metadata, spec } = found;
  switch (what) {
    case "label": {
      const labels = { ...Object(metadata).labels, [key]: value };
      return { ...found, metadata: { ...Object(metadata), labels } };
    }
    case "taint": {
      const taints = [{ key, effect: value }];
      return { ...found, spec: { ...Object(spec), taints } };
    }
    default:
      throw new Error(`Unknown: node ${what}`);
  }
}

function events({ cluster }: PodWorld, pod: string): readonly string[] {
  const { eventObjects } = cluster;
  return eventObjects.keys().flatMap((key) => {
    const { involvedObject, type, reason, message, count } = Object(
      eventObjects.get(key),
    );
    if (shortName(involvedObject.name) !== pod) return [];
    const times = count === 1 ? "" : ` (x${count})`;
    return [`${type} ${reason}: ${message}${times}`];
  });
}

function conditionsOf({ status }: Stored): readonly string[] {
  const told: unknown = Reflect.get(Object(status), "conditions");
  if (!Array.isArray(told)) return [];
  return told.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}
