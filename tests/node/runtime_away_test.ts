/**
 * containerd goes away and comes back: no container is disturbed, the agent
 * says so, stays askable and recovers by itself. DENOLET_LONG=1 has it away
 * for a minute instead of 20 s.
 */
import assert from "node:assert/strict";
import {
  startContainerd,
  stopAgent,
  stopContainerd,
} from "../../deploy/world.ts";
import { askAgent, spawnAgent } from "../../deploy/world/agent.ts";
import {
  aContainer,
  agentLog,
  aPod,
  containersOf,
  full,
  gone,
  type Node,
  nodeTest,
  OBEDIENT,
  pause,
  podJson,
  put,
  running,
  runningOne,
  says,
  take,
  world,
} from "./agent_world.ts";

const AWAY_MS = Deno.env.get("DENOLET_LONG") === "1" ? 60_000 : 20_000;
const AWAY = /The container runtime is away; running pods are left alone/;
const BACK = /The container runtime is ready/;
const RECOVERY_MS = 3_000;

nodeTest("containerd away and back: nothing is restarted", async (node) => {
  await put(aPod("two", [aContainer("a"), aContainer("b")]));
  await put(aPod("leaves"));
  await put(aPod("beats", [aContainer("a", beating())]));
  await running(node, "two", 2);
  await runningOne(node, "leaves");
  const before = await idsOf(node);
  const mark = (await agentLog()).length;
  await stopContainerd(world);
  await says(AWAY, () => agentLog(mark), 10_000);
  await assertAskable();
  // What is wished for meanwhile is done afterwards.
  await put(aPod("late"));
  await take("leaves");
  await pause(AWAY_MS);
  await assertAskable();
  const back = (await agentLog()).length;
  await startContainerd(world);
  const sinceMs = Date.now();
  await says(BACK, () => agentLog(back), RECOVERY_MS);
  await runningOne(node, "late");
  await gone(node, "leaves");
  assert.ok(Date.now() - sinceMs < RECOVERY_MS + 3_000);
  assert.deepEqual(await idsOf(node), before);
  for (const name of ["two", "beats"]) {
    const statuses = (await podJson(name))?.status?.containerStatuses ?? [];
    assert.ok(statuses.length > 0);
    for (const { restartCount, ready } of statuses) {
      assert.deepEqual([restartCount, ready], [0, true]);
    }
  }
  const logged = await agentLog(mark);
  assert.ok(logged.split("\n").length < 60, `too many words:\n${logged}`);
  const beats = await askAgent(world, "logs", full("beats"));
  assert.ok(longestPause(beats) <= 2, "the container went on working");
});

/** A line with the time, each second. */
function beating(): string {
  return "trap 'exit 0' TERM; while :; do date +%s; sleep 1 & wait $!; done";
}

function longestPause(log: string): number {
  const seconds = log.trim().split("\n").map(Number);
  assert.ok(seconds.length >= AWAY_MS / 1_000);
  return Math.max(
    ...seconds.slice(1).map((each, index) => each - (seconds[index] ?? 0)),
  );
}

async function idsOf(node: Node): Promise<string[]> {
  return [
    ...await containersOf(node, "two"),
    ...await containersOf(node, "beats"),
  ].map(({ id }) => id);
}

async function assertAskable(): Promise<void> {
  assert.match(await askAgent(world, "pods"), new RegExp(full("two")));
  const node = await askAgent(world, "explain");
  assert.match(node, /^containerd is not ready: .*does not answer/);
  assert.match(await askAgent(world, "explain", "two"), /does not answer/);
}

nodeTest("what ended while containerd was away is restarted", async (node) => {
  const once = "[ -f /ran ] && exec sleep 1000; sleep 3; exit 1";
  await put(aPod("ends", [aContainer("a", once)]));
  const { id } = await runningOne(node, "ends");
  await stopContainerd(world);
  await pause(4_000);
  await startContainerd(world);
  await says(
    /"restartCount":[1-9]/,
    async () => JSON.stringify(await podJson("ends")),
    15_000,
  );
  const ids = (await containersOf(node, "ends")).map((each) => each.id);
  assert.notEqual(ids.at(-1), id);
});

nodeTest("an agent started before containerd waits for it", async (node) => {
  await stopAgent(world);
  await stopContainerd(world);
  await Deno.remove(world.socket).catch(() => undefined);
  const mark = (await agentLog()).length;
  await put(aPod("early", [aContainer("a", OBEDIENT)]));
  await spawnAgent(world);
  const socket = new RegExp(`away.*${world.socket}`);
  await says(socket, () => agentLog(mark), 10_000);
  const said = await says(/not ready/, () => askAgent(world, "explain"), 3_000);
  assert.match(said, new RegExp(world.socket));
  assert.match(said, /no such file|No such file|ENOENT/i);
  await says(
    /^Waiting .*runtime/,
    () => askAgent(world, "explain", "early"),
    3_000,
  );
  await startContainerd(world);
  const sinceMs = Date.now();
  await says(BACK, () => agentLog(mark), RECOVERY_MS);
  await runningOne(node, "early");
  assert.ok(Date.now() - sinceMs < RECOVERY_MS + 1_000);
});
