/**
 * Many pods under this agent and then under the real kubelet, in one world:
 * what their containers see of themselves, what the API server is told of them
 * and what the events say must be the same. Wants a world with a cluster;
 * prints each difference. An argument picks the pods whose name it matches.
 */
import { clusterFacts, kubectl } from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { startKubelet, stopKubelet } from "../../deploy/cluster/kubelet.ts";
import { get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { until, world } from "../node/agent_world.ts";
import { END, told, type View } from "../node/view.ts";
import { send } from "./sides.ts";
import { type Difference, differences, normalized } from "./views_compare.ts";
import { OBJECTS, podsFor } from "./views_pods.ts";
import { isSettled, type ToldEvent, toldOf } from "./views_told.ts";

/** So that one pod's start does not wait for a hundred others. */
const BATCH = 65;
/** Whoever has said nothing by then, says nothing. */
const TOLD_MS = 60_000;
/** Of what has settled: what is said a little later belongs to it. */
const REST_MS = 15_000;
const cluster = clusterFacts(world);

type Views = ReadonlyMap<string, View>;

interface Side {
  readonly nodeName: string;
  /** Where the agent keeps the pods' own directories. */
  readonly rootDir: string;
}

/** The exit code: 0 when there is no difference. */
export async function benchViews(pattern = ""): Promise<number> {
  const picked = new RegExp(pattern);
  await send("apply", OBJECTS);
  await startMember(world);
  const ours = await views(picked, {
    nodeName: world.name,
    rootDir: `${world.root}/var/lib/kubelet`,
  }).finally(() => stopAgent(world));
  const peer = {
    nodeName: `${world.name}-peer`,
    rootDir: `${cluster.root}/kubelet`,
  };
  await startKubelet(world, peer);
  const theirs = await views(picked, peer).finally(async () => {
    await stopKubelet(world);
    // Else the scheduler takes it for a node for a while.
    await kubectl(world, ["delete", "node", peer.nodeName, "--wait=false"]);
  });
  const found = [...new Set([...ours.keys(), ...theirs.keys()])]
    .flatMap((name) => differences(name, ours.get(name), theirs.get(name)));
  print(found, ours.size, theirs.size);
  return found.length === 0 && theirs.size > 0 ? 0 : 1;
}

async function views(picked: RegExp, side: Side): Promise<Views> {
  const pods = podsFor(side.nodeName).filter(({ metadata }) =>
    picked.test(metadata?.name ?? "")
  );
  const found = new Map<string, View>();
  for (let at = 0; at < pods.length; at += BATCH) {
    for (const each of await batch(pods.slice(at, at + BATCH), side)) {
      found.set(...each);
    }
  }
  return found;
}

async function batch(
  pods: readonly V1Pod[],
  side: Side,
): Promise<[string, View][]> {
  try {
    // One that the API server does not take must not hide the others.
    await send("apply", pods).catch((error) => console.warn(String(error)));
    await settled((await listed()).length);
    const events = await eventsByPod();
    return await Promise.all((await listed()).map(async (pod) => {
      const { name = "", uid = "" } = pod.metadata ?? {};
      const view = new Map([
        ...await told(pod),
        ...toldOf(pod, events.get(uid) ?? []),
      ]);
      const names = { ip: pod.status?.podIP ?? "", uid, node: side.nodeName };
      return [name, normalized(view, { ...names, root: side.rootDir })];
    }));
  } finally {
    const one = ["--wait=false", "--grace-period=1"];
    await kubectl(world, ["delete", "pods", "-l", "app=view", ...one]);
    await until("no pods", async () => (await listed()).length === 0, 60_000);
  }
}

/** Every pod has told everything, or something is in its way. */
async function settled(count: number): Promise<void> {
  const endMs = Date.now() + TOLD_MS;
  let left = count;
  while (left > 0 && Date.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const events = await eventsByPod();
    const pods = await listed();
    const done = await Promise.all(pods.map(async (pod) => {
      if (!isSettled(pod, events.get(pod.metadata?.uid ?? "") ?? [])) {
        return false;
      }
      return pod.status?.phase !== "Running" || (await told(pod)).has(END);
    }));
    left = count - done.filter((each) => each).length;
  }
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
}

async function listed(): Promise<readonly V1Pod[]> {
  const query = new URLSearchParams({ labelSelector: "app=view" });
  const { items } = await get<{ items: readonly V1Pod[] }>(
    cluster,
    `/api/v1/namespaces/default/pods?${query}`,
  );
  return items;
}

/** By the uid of the pod. */
async function eventsByPod(): Promise<Map<string, ToldEvent[]>> {
  const { items } = await get<{ items: readonly ToldEvent[] }>(
    cluster,
    "/api/v1/namespaces/default/events",
  );
  return Map.groupBy(items, ({ involvedObject }) => involvedObject.uid ?? "");
}

function print(
  found: readonly Difference[],
  oursCount: number,
  theirsCount: number,
): void {
  console.log(`pods that told: ${oursCount} here, ${theirsCount} there`);
  for (const { pod, section, ours, theirs } of found) {
    console.log(`\n${pod}: ${section}`);
    for (const line of ours) console.log(`  here   ${line}`);
    for (const line of theirs) console.log(`  there  ${line}`);
  }
  console.log(`\n${found.length} differences`);
}
