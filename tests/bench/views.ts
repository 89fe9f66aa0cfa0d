/**
 * Thirty pods under this agent and then under the real kubelet, in one world:
 * what their containers see of themselves must be the same. Wants a world with
 * a cluster; prints each difference.
 */
import { clusterFacts, kubectl } from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { startKubelet, stopKubelet } from "../../deploy/cluster/kubelet.ts";
import { get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { until, world } from "../node/agent_world.ts";
import { type View, viewOf } from "../node/view.ts";
import { type Difference, differences, normalized } from "./views_compare.ts";
import { OBJECTS, podsFor } from "./views_pods.ts";

const TOLD_MS = 90_000;
const cluster = clusterFacts(world);

type Views = ReadonlyMap<string, View>;

/** The exit code: 0 when there is no difference. */
export async function benchViews(): Promise<number> {
  await apply(OBJECTS);
  await startMember(world);
  const ours = await views(world.name).finally(() => stopAgent(world));
  const nodeName = `${world.name}-peer`;
  await startKubelet(world, { nodeName });
  const theirs = await views(nodeName).finally(() => stopKubelet(world));
  const found = podsFor("").flatMap(({ metadata }) => {
    const name = metadata?.name ?? "";
    return differences(name, ours.get(name), theirs.get(name));
  });
  print(found, ours.size, theirs.size);
  return found.length === 0 && theirs.size > 0 ? 0 : 1;
}

async function views(nodeName: string): Promise<Views> {
  try {
    await apply(podsFor(nodeName));
    const told = await Promise.all((await listed()).map(async (pod) => {
      const view = await viewOf(pod, { timeoutMs: TOLD_MS })
        .catch(() => undefined);
      return { name: pod.metadata?.name ?? "", view };
    }));
    const pods = new Map((await listed()).map((p) => [p.metadata?.name, p]));
    return new Map(told.flatMap(({ name, view }) => {
      if (view === undefined) return [];
      const { metadata, status } = pods.get(name) ?? {};
      const names = {
        ip: status?.podIP ?? "",
        uid: metadata?.uid ?? "",
        node: nodeName,
      };
      return [[name, normalized(view, names)] as const];
    }));
  } finally {
    const one = ["--wait=false", "--grace-period=1"];
    await kubectl(world, ["delete", "pods", "-l", "app=view", ...one]);
    await until("no pods", async () => (await listed()).length === 0, 60_000);
  }
}

async function listed(): Promise<readonly V1Pod[]> {
  const query = new URLSearchParams({ labelSelector: "app=view" });
  const { items } = await get<{ items: readonly V1Pod[] }>(
    cluster,
    `/api/v1/namespaces/default/pods?${query}`,
  );
  return items;
}

async function apply(items: readonly object[]): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const list = { apiVersion: "v1", kind: "List", items };
    await Deno.writeTextFile(file, JSON.stringify(list));
    await kubectl(world, ["apply", "-f", file]);
  } finally {
    await Deno.remove(file);
  }
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
