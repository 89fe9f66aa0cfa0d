/** The agent and the API server come and go; the pods do not notice. */
import assert from "node:assert/strict";
import { startApiServer, stopApiServer } from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import { pause, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  isReady,
  kubectl,
  memberTest,
  pod,
  pods,
  ready,
  requests,
  restartMember,
  template,
} from "./member_world.ts";

const LONG = Deno.env.get("DENOLET_LONG") === "1";
const AWAY_MS = LONG ? 180_000 : 15_000;

async function deploy(name: string, replicas: number): Promise<void> {
  await apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: template(name),
    },
  });
  await ready(`app=${name}`, replicas, 120_000);
}

/** Ids and states of everything in the runtime. */
async function containers(): Promise<string[]> {
  const channel = openChannel({ endpoint: world.socket });
  try {
    const runtime = new CriRuntime(channel);
    const found = await runtime.listContainers(
      {},
      new AbortController().signal,
    );
    return found.map(({ id, state }) => `${id} ${state}`).sort();
  } finally {
    channel.close();
  }
}

async function versions(selector: string): Promise<string[]> {
  return (await pods(selector))
    .map(({ metadata }) => `${metadata?.name} ${metadata?.resourceVersion}`)
    .sort();
}

memberTest("the agent restarts with 40 pods and writes nothing", async () => {
  await deploy("forty", 40);
  await pause(1_000);
  const before = await versions("app=forty");
  const running = await containers();
  for (const how of ["terminate", "kill"] as const) {
    const sinceMs = Date.now();
    await restartMember(how);
    await pause(2_000);
    const counts = await requests(sinceMs);
    assert.equal(counts.get("patch pods/status"), undefined, how);
    assert.equal(counts.get("list pods"), 1, how);
    assert.equal(counts.get("create serviceaccounts/token"), undefined, how);
    assert.deepEqual(await versions("app=forty"), before, how);
    assert.deepEqual(await containers(), running, how);
  }
});

memberTest("the API server goes away and comes back", async () => {
  await deploy("steady", 5);
  await apply(aPod("leaver", {
    containers: [aContainer("sleep 3; exit 4")],
    restartPolicy: "Never",
  }));
  await ready("app=leaver", 1);
  const running = (await containers()).filter((each) => /running/.test(each));
  await stopApiServer(world);
  await pause(AWAY_MS);
  const meanwhile = await containers();
  for (const each of running.filter((one) => meanwhile.includes(one))) {
    assert.ok(meanwhile.includes(each));
  }
  const lost = running.filter((each) => !meanwhile.includes(each));
  assert.equal(lost.length, 1, "only the leaver has ended");
  const sinceMs = Date.now();
  await startApiServer(world);
  await until(
    "the leaver's end to be told",
    async () => (await pod("leaver"))?.status?.phase === "Failed",
    5_000,
  );
  const counts = await requests(sinceMs);
  assert.ok((counts.get("list pods") ?? 0) <= 1, "no storm of lists");
  assert.ok((counts.get("patch pods/status") ?? 0) <= 1, "no storm of words");
  assert.ok((await pods("app=steady")).every(isReady));
  await deploy("after", 1);
});

memberTest("what was deleted while the agent was away is stopped", async () => {
  await deploy("gone-meanwhile", 3);
  await stopAgent(world, "kill");
  await kubectl("delete", "deployment", "gone-meanwhile");
  await startMember(world);
  await until(
    "the end of the pods",
    async () =>
      (await pods("app=gone-meanwhile")).length === 0 &&
      (await containers()).length === 0,
  );
});

memberTest("killed again and again, it makes each pod once", async () => {
  await deploy("often", 4);
  for (const replicas of [12, 3, 10, 6, 12]) {
    await kubectl("scale", "deployment", "often", `--replicas=${replicas}`);
    await pause(Math.random() * 700);
    await restartMember("kill");
  }
  const found = await ready("app=often", 12, 60_000);
  await until("nothing but these pods", async () => {
    const directory = `${world.root}/var/lib/kubelet/pods`;
    const kept = Array.from(Deno.readDirSync(directory), ({ name }) => name);
    const wanted = found.map(({ metadata }) => metadata?.uid ?? "");
    return (await pods("app=often")).length === 12 &&
      kept.sort().join() === wanted.sort().join() &&
      mountsBelow(directory).length === 12 &&
      (await containers()).length === 12;
  });
  for (const { metadata, status } of await pods("app=often")) {
    const [own] = status?.containerStatuses ?? [];
    assert.equal(own?.restartCount, 0, `${metadata?.name}`);
  }
});

function mountsBelow(directory: string): string[] {
  return Deno.readTextFileSync("/proc/mounts").split("\n")
    .filter((line) => line.split(" ")[1]?.startsWith(`${directory}/`));
}
