/** The right pod goes when memory is short or a limit of the disk is passed. */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import { askAgent } from "../../deploy/world/agent.ts";
import { parseQuantity, units } from "../../lib/api/quantity.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  isReady,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";

const MI = 1024 * 1024;
/** More than a busy machine's memory goes up and down meanwhile. */
const HOG_MI = 1_500;
const LEFT_MI = 900;

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly name: string; readonly uid?: string };
  readonly metadata: { readonly annotations?: Record<string, string> };
}

async function events(name: string): Promise<readonly Event[]> {
  const { items } = await get<{ items: readonly Event[] }>(
    cluster,
    "/api/v1/namespaces/default/events",
  );
  return items.filter(({ involvedObject }) => involvedObject.name === name);
}

/** As the agent itself measures it: hosts differ in what they count. */
async function availableBytes(): Promise<number> {
  const line = /memory\.available<\S+: +(?:\S+ )*?(\S+) of \S+ available/;
  let found: bigint | undefined;
  await until("a measure of the memory", async () => {
    const text = line.exec(await askAgent(world, "explain"))?.[1];
    found = text === undefined ? undefined : parseQuantity(text);
    return found !== undefined;
  });
  return Number(units(found ?? 0n));
}

async function underPressure(): Promise<string | undefined> {
  const { status } = await get<
    { status: { conditions: { type: string; status: string }[] } }
  >(cluster, `/api/v1/nodes/${world.name}`);
  return status.conditions.find(({ type }) => type === "MemoryPressure")
    ?.status;
}

function aHog(): V1Pod {
  const fill = `dd if=/dev/zero of=/mem/x bs=1M count=${HOG_MI} 2>/dev/null`;
  return aPod("hog", {
    containers: [
      aContainer(`${fill}; sleep 1000`, {
        volumeMounts: [{ name: "mem", mountPath: "/mem" }],
      }),
    ],
    volumes: [{ name: "mem", emptyDir: { medium: "Memory" } }],
  });
}

memberTest("the pod that takes the memory goes, and only it", async () => {
  const threshold = Math.round(await availableBytes() / MI) - LEFT_MI;
  await stopAgent(world);
  await startMember(world, [
    `--eviction-hard=memory.available<${threshold}Mi`,
    "--eviction-pressure-transition-period=3s",
    "--kernel-memcg-notification",
  ]);
  await apply(aPod("bystander"));
  await ready("app=bystander", 1);
  await apply(aHog());
  const { status, metadata } = await inPhase("hog", "Failed");
  assert.equal(status?.reason, "Evicted");
  assert.match(
    status.message ?? "",
    new RegExp(
      "^The node was low on resource: memory\\. Threshold quantity: " +
        `\\d+Mi, available: \\d+(Ki|Mi)?\\. Container app was using ` +
        "\\d+(Ki|Mi)?, request is 0, has larger consumption of memory\\. $",
    ),
  );
  const target = status.conditions?.find(({ type }) =>
    type === "DisruptionTarget"
  );
  assert.equal(target?.reason, "TerminationByKubelet");
  assert.equal(target?.message, status.message);
  await until(
    "the end of the pressure",
    async () => (await underPressure()) === "False",
  );
  // Another run of this test may have left events of the same name.
  const told = (await events("hog")).find(({ reason, involvedObject }) =>
    reason === "Evicted" && involvedObject.uid === metadata?.uid
  );
  assert.equal(told?.message, status.message);
  assert.equal(told?.metadata.annotations?.["starved_resource"], "memory");
  assert.equal(told?.metadata.annotations?.["offending_containers"], "app");
  const ofNode = await events(world.name);
  const reasons = new Set(ofNode.map(({ reason }) => reason));
  for (
    const reason of [
      "EvictionThresholdMet",
      "NodeHasInsufficientMemory",
      "NodeHasSufficientMemory",
    ]
  ) assert.ok(reasons.has(reason), reason);
  const bystander = await pod("bystander");
  assert.ok(bystander !== undefined && isReady(bystander));
});

memberTest("pods that pass a limit of the disk go", async () => {
  await stopAgent(world);
  await startMember(world, ["--volume-stats-agg-period=1s"]);
  const fill = (path: string) =>
    `dd if=/dev/zero of=${path} bs=1M count=3 2>/dev/null; sleep 1000`;
  await apply(aPod("volume", {
    containers: [aContainer(fill("/data/x"), {
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    })],
    volumes: [{ name: "data", emptyDir: { sizeLimit: "1Mi" } }],
  }));
  const limits = { "ephemeral-storage": "2Mi" };
  await apply(aPod("hosts", {
    containers: [aContainer(fill("/etc/hosts"), { resources: { limits } })],
  }));
  await apply(aPod("modest", {
    containers: [aContainer(undefined, { resources: { limits } })],
  }));
  const cases = [
    ["volume", 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". '],
    [
      "hosts",
      "Pod ephemeral local storage usage exceeds the total limit of " +
      "containers 2Mi. ",
    ],
  ] as const;
  for (const [name, message] of cases) {
    const { status } = await inPhase(name, "Failed");
    assert.equal(status?.reason, "Evicted");
    assert.equal(status.message, message);
    assert.ok(
      !status.conditions?.some(({ type }) => type === "DisruptionTarget"),
    );
  }
  await ready("app=modest", 1);
});
