/**
 * The machine goes down, or says so: logind is a fake one on a real message
 * bus, whose locks are real descriptors; everything else is the real thing.
 */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { ask, get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import { agentPids, askAgent } from "../../deploy/world/agent.ts";
import { signal } from "../../deploy/world/processes.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { BusLogind, hasBus, startBus } from "../fakes/bus_logind.ts";
import { NotifySocket } from "../fakes/notify_socket.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";

const STUBBORN = "trap '' TERM; while :; do sleep 1; done";
const SETTINGS = `shutdownGracePeriodByPodPriority:
- {priority: 0, shutdownGracePeriodSeconds: 8}
- {priority: 2000000000, shutdownGracePeriodSeconds: 4}
`;
const WATCHDOG_MS = 2_000;

interface System {
  readonly logind: BusLogind;
  readonly notify: NotifySocket;
}

/** An agent that finds systemd around it, for as long as `fn` takes. */
async function withSystem(fn: (system: System) => Promise<void>) {
  if (!hasBus()) {
    console.warn("SKIP: no test of a shutdown, because dbus-daemon is missing");
    return;
  }
  const folder = `${world.hostRoot}/etc/systemd`;
  await Deno.mkdir(folder, { recursive: true });
  const config = await Deno.readTextFile(world.agentConfig);
  const bus = await startBus(world.hostRoot);
  const notify = new NotifySocket(`@${world.name}-notify`);
  const logind = new BusLogind(bus.socket);
  const environment = {
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${bus.socket}`,
    NOTIFY_SOCKET: notify.path,
    WATCHDOG_USEC: String(WATCHDOG_MS * 1000),
  };
  try {
    await logind.begin();
    await stopAgent(world);
    await Deno.writeTextFile(world.agentConfig, config + SETTINGS);
    for (const [name, value] of Object.entries(environment)) {
      Deno.env.set(name, value);
    }
    await startMember(world);
    await fn({ logind, notify });
  } finally {
    for (const name of Object.keys(environment)) Deno.env.delete(name);
    await stopAgent(world);
    await Deno.writeTextFile(world.agentConfig, config);
    await logind.close();
    notify.close();
    await bus.stop();
    await Deno.remove(bus.socket).catch(() => undefined);
    await Deno.remove(`${world.hostRoot}/bus.conf`);
    await Deno.remove(folder, { recursive: true });
  }
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

async function nodeReady(): Promise<Condition | undefined> {
  const { status } = await get<{ status: { conditions: Condition[] } }>(
    cluster,
    `/api/v1/nodes/${world.name}`,
  );
  return status.conditions.find(({ type }) => type === "Ready");
}

function critical(name: string): V1Pod {
  return aPod(name, { priorityClassName: "system-node-critical" });
}

function slow(name: string): V1Pod {
  return aPod(name, {
    terminationGracePeriodSeconds: 60,
    containers: [aContainer(STUBBORN)],
  });
}

async function events(reason: string): Promise<readonly string[]> {
  const query = new URLSearchParams({
    fieldSelector: `involvedObject.name=${world.name},reason=${reason}`,
  });
  const { text } = await ask(
    cluster,
    `/api/v1/namespaces/default/events?${query}`,
  );
  const { items }: { items: { message: string }[] } = JSON.parse(text);
  return items.map(({ message }) => message);
}

function ended({ status }: V1Pod): string {
  const target = status?.conditions?.find(({ type }) =>
    type === "DisruptionTarget"
  );
  return [status?.reason, status?.message, target?.reason, target?.status]
    .join("|");
}

const TERMINATED = "Terminated|" +
  "Pod was terminated in response to imminent node shutdown.|" +
  "TerminationByKubelet|True";

/** From the machine's word until it may go on, milliseconds. */
async function goDown(logind: BusLogind): Promise<number> {
  const startMs = performance.now();
  logind.prepare("shutdown");
  assert.match(
    await askAgent(world, "explain"),
    /the machine goes down: waits for \d of the pods from priority 0 on/,
  );
  await until("a node that is not ready", async () => {
    return (await nodeReady())?.status === "False";
  });
  const { reason, message } = await nodeReady() ?? {};
  assert.equal(reason, "KubeletNotReady");
  assert.equal(message, "node is shutting down");
  // The scheduler may not have heard of it, so this one comes all the same.
  await apply(aPod("late", { nodeName: world.name }));
  const { status } = await inPhase("late", "Failed");
  assert.equal(status?.reason, "NodeShutdown");
  assert.equal(
    status.message,
    "Pod was rejected: Pod was rejected as the node is shutting down.",
  );
  assert.equal(ended(await inPhase("web", "Failed")), TERMINATED);
  // The higher group has its turn only after the lower one's time.
  assert.equal((await pod("dns"))?.status?.phase, "Running");
  await until("no lock", () => logind.heldCount === 0);
  const tookMs = performance.now() - startMs;
  // Whoever looks now, as the machine may go, sees the end of every pod.
  for (const name of ["web", "slow", "dns"]) {
    const found = await pod(name);
    assert.equal(found?.status?.phase, "Failed", name);
    assert.equal(ended(found), TERMINATED, name);
  }
  return tookMs;
}

async function shutdownWaits({ logind, notify }: System): Promise<void> {
  const heard: string[] = [];
  const hears = async (line: string) => {
    await until(`the service manager to hear ${line}`, () => {
      heard.push(...notify.lines());
      return heard.includes(line);
    });
  };
  await hears("READY=1");
  await hears("WATCHDOG=1");
  await until("a lock", () => logind.heldCount === 1);
  // The machine is to wait for both groups.
  assert.equal(logind.delayUs, 12_000_000n);
  for (const each of [aPod("web"), slow("slow"), critical("dns")]) {
    await apply(each);
  }
  for (const name of ["web", "slow", "dns"]) await ready(`app=${name}`, 1);
  const tookMs = await goDown(logind);
  assert.ok(tookMs > 8_000 && tookMs < 14_000, `${tookMs} ms`);
  console.log(`the machine may go ${Math.round(tookMs)} ms after its word`);
  const state = JSON.parse(
    await Deno.readTextFile(
      `${world.root}/var/lib/kubelet/graceful_node_shutdown_state`,
    ),
  );
  assert.ok(Date.parse(state.endTime) - Date.parse(state.startTime) > 7_900);

  logind.prepare("cancellation");
  await until("a node that is ready again", async () => {
    return (await nodeReady())?.status === "True";
  });
  await until("another lock", () => logind.heldCount === 1);
  await apply(aPod("after"));
  await ready("app=after", 1);
  const told = await events("Shutdown");
  for (const what of ["event", "cancellation"]) {
    assert.ok(told.includes(`Shutdown manager detected shutdown ${what}`));
  }
  heard.push(...notify.lines());
  assert.ok(heard.some((line) => line.startsWith("STATUS=")));
}

async function sigtermAsks({ logind, notify }: System): Promise<void> {
  await apply(aPod("web"));
  const [before] = await ready("app=web", 1);
  // A restart of the agent, as on any other day.
  await stopAgent(world);
  assert.ok(notify.lines().includes("STOPPING=1"));
  await startMember(world);
  const [after] = await ready("app=web", 1);
  assert.equal(
    after?.status?.containerStatuses?.[0]?.containerID,
    before?.status?.containerStatuses?.[0]?.containerID,
  );
  // Nobody told us, and PID 1 is on its way out.
  logind.systemState = "stopping";
  for (const pid of await agentPids(world)) signal(pid, "SIGTERM");
  await until("the end of the agent", async () => {
    return (await agentPids(world)).length === 0;
  });
  logind.systemState = "running";
  const web = await pod("web");
  assert.ok(web);
  assert.equal(ended(web), TERMINATED);
  const lines = notify.lines();
  assert.ok(lines.includes("STOPPING=1"));
  assert.ok(lines.includes("EXTEND_TIMEOUT_USEC=20000000"));
}

memberTest("a shutdown waits for the pods, and may be called off", async () => {
  await withSystem(shutdownWaits);
});

memberTest("SIGTERM ends pods only if the machine goes down too", async () => {
  await withSystem(sigtermAsks);
});
