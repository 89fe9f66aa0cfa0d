/**
 * The agent dies at any moment and is started again: nothing that runs is
 * disturbed, nothing runs twice, nothing is forgotten. The moments are random;
 * a failure names them.
 */
import assert from "node:assert/strict";
import { startAgent, stopAgent } from "../../deploy/world.ts";
import { spawnAgent } from "../../deploy/world/agent.ts";
import { containerId } from "../../lib/api/id.ts";
import { aContainerSpec, aSandboxSpec } from "../contract/runtime_specs.ts";
import {
  aContainer,
  agentLog,
  aPod,
  containersOf,
  full,
  gone,
  instancesOf,
  type Node,
  nodeTest,
  OBEDIENT,
  pause,
  podJson,
  put,
  runningOne,
  sandboxesOf,
  says,
  take,
  until,
  world,
} from "./agent_world.ts";

const moments: number[] = [];

/** Kills the agent after up to `withinMs`, and starts it without waiting. */
async function killSoon(withinMs: number): Promise<void> {
  const afterMs = Math.round(Math.random() * withinMs);
  moments.push(afterMs);
  await pause(afterMs);
  await stopAgent(world, "kill");
  await spawnAgent(world);
}

/** Watches while `fn` works; throws when something ever ran twice. */
async function neverTwice(node: Node, fn: () => Promise<void>): Promise<void> {
  let isDone = false;
  const twins = new Set<string>();
  const watch = async () => {
    while (!isDone) {
      for (const twin of await twinsNow(node)) twins.add(twin);
      await pause(20);
    }
  };
  const watching = watch();
  try {
    await fn();
  } catch (cause) {
    throw new Error(`Failed with the moments ${moments.join(", ")}`, { cause });
  } finally {
    isDone = true;
    await watching;
  }
  assert.deepEqual([...twins], [], `ran twice; moments ${moments.join(", ")}`);
}

/** Containers and sandboxes of which more than one instance runs. */
async function twinsNow({ runtime, signal }: Node): Promise<string[]> {
  const containers = await runtime.listContainers({ state: "running" }, signal);
  const sandboxes = await runtime.listSandboxes({}, signal);
  const all = [
    ...containers.map(({ labels, name }) =>
      `container ${labels.get("io.kubernetes.pod.name")}/${name}`
    ),
    ...sandboxes.filter(({ isReady }) => isReady)
      .map(({ podName }) => `sandbox ${podName}`),
  ];
  return all.filter((each, index) => all.indexOf(each) !== index);
}

/**
 * containerd gives a start up when its caller dies; that instance never ran,
 * and the next one carries on. What did run is still the one that runs.
 */
async function assertStartedOnce(node: Node, name: string): Promise<void> {
  const ended = (await instancesOf(node, name))
    .filter(({ state, reason }) =>
      state !== "running" && reason !== "StartError"
    )
    .map(({ name, attempt, state, reason }) =>
      `${name} ${attempt}: ${state}, ${reason}`
    );
  assert.deepEqual(ended, [], `${name} was restarted`);
}

/** Ids of a pod's sandbox and containers, running or not. */
async function idsOf(node: Node, name: string): Promise<string[]> {
  return [
    ...(await sandboxesOf(node, name)).map(({ id }) => id),
    ...(await containersOf(node, name)).map(({ id }) => id),
  ];
}

nodeTest("killed while pods are made: each is made once", async (node) => {
  await put(aPod("stable", [aContainer("a"), aContainer("b")]));
  await until("a stable pod", async () =>
    (await containersOf(node, "stable"))
      .filter(({ state }) => state === "running").length === 2);
  const before = await idsOf(node, "stable");
  const names = [1, 2, 3, 4, 5, 6].map((each) => `made-${each}`);
  await neverTwice(node, async () => {
    for (const name of names) {
      await put(aPod(name, [aContainer("a"), aContainer("b")]));
      await killSoon(300);
      // The next one is to be killed while it works, not while it starts.
      await pause(Math.random() < 0.5 ? 700 : 300);
    }
    for (const name of names) {
      await until(
        `both containers of ${name}`,
        async () =>
          (await containersOf(node, name))
            .filter(({ state }) => state === "running").length === 2,
      );
    }
    for (const name of names) {
      await assertStartedOnce(node, name);
      assert.equal((await sandboxesOf(node, name)).length, 1, name);
    }
  });
  assert.deepEqual(await idsOf(node, "stable"), before);
  await says(
    /restartCount/,
    async () => JSON.stringify(await podJson("stable")),
  );
  const pod = await podJson("stable");
  const counts = pod?.status?.containerStatuses?.map((each) =>
    each.restartCount
  );
  assert.deepEqual(counts, [0, 0]);
});

nodeTest(
  "killed in a crash back-off: count and delay are kept",
  async (node) => {
    await put(aPod("stable"));
    const { id } = await runningOne(node, "stable");
    await put(aPod("crash", [aContainer("a", "sleep 0.1; exit 1")]));
    const instance = async (attempt: number) =>
      (await instancesOf(node, "crash")).find((each) =>
        each.attempt === attempt && each.state === "exited"
      );
    await until(
      "the first restart",
      async () => await instance(1) !== undefined,
    );
    const first = await instance(1);
    assert.ok(first);
    const seen = new Set<number>();
    await neverTwice(node, async () => {
      for (let kills = 0; kills < 4; kills++) {
        await killSoon(1_500);
        await pause(800);
      }
      await until("the second restart", async () => {
        for (const { attempt } of await instancesOf(node, "crash")) {
          seen.add(attempt);
        }
        return await instance(2) !== undefined;
      });
    });
    const second = await instance(2);
    const delayMs = (second?.startedAtMs ?? 0) - first.finishedAtMs;
    assert.ok(delayMs >= 9_900 && delayMs < 13_000, `delay of ${delayMs} ms`);
    assert.ok(
      [...seen].every((attempt) => attempt <= 2),
      "one restart only",
    );
    // Killed right after the end: the delay is 20 s now, and told so.
    await killSoon(200);
    await says(
      /restartCount/,
      async () => JSON.stringify(await podJson("crash")),
    );
    const status = (await podJson("crash"))?.status?.containerStatuses?.[0];
    assert.equal(status?.restartCount, 2);
    assert.match(status?.state?.waiting?.message ?? "", /^back-off 20s /);
    assert.equal((await runningOne(node, "stable")).id, id);
  },
);

nodeTest(
  "killed while pods are stopped: they end, others stay",
  async (node) => {
    const slow = "trap 'sleep 1.2; exit 0' TERM; while :; do sleep 0.1; done";
    const names = ["stop-1", "stop-2", "stop-3"];
    await put(aPod("stable"));
    const { id } = await runningOne(node, "stable");
    for (const name of names) {
      const spec = { terminationGracePeriodSeconds: 5 };
      await put(aPod(name, [aContainer("a", slow)], spec));
    }
    for (const name of names) await runningOne(node, name);
    await neverTwice(node, async () => {
      for (const name of names) {
        await take(name);
        await killSoon(1_600);
        await pause(600);
      }
      for (const name of names) await gone(node, name);
    });
    const logs = `${world.root}/var/log/pods`;
    await until("the logs of the other only", async () => {
      const left = await Array.fromAsync(Deno.readDir(logs));
      return left.length === 1 && left[0]?.name.includes("stable") === true;
    });
    assert.equal((await runningOne(node, "stable")).id, id);
  },
);

nodeTest("pods whose manifests went meanwhile are removed", async (node) => {
  await put(aPod("stable"));
  await put(aPod("orphan", [aContainer("a"), aContainer("b")]));
  const { id } = await runningOne(node, "stable");
  await until(
    "the orphan-to-be",
    async () => (await containersOf(node, "orphan")).length === 2,
  );
  await stopAgent(world, "kill");
  await take("orphan");
  await startAgent(world);
  await gone(node, "orphan");
  assert.equal((await runningOne(node, "stable")).id, id);
});

nodeTest("a container that was created only is started", async (node) => {
  const { runtime, signal } = node;
  await put(aPod("created"));
  const old = await runningOne(node, "created");
  const [sandbox] = await sandboxesOf(node, "created");
  assert.ok(sandbox);
  await stopAgent(world, "kill");
  await runtime.stopContainer(old.id, 0, signal);
  await runtime.removeContainer(old.id, signal);
  const uid = sandbox.podUid;
  const id = await runtime.createContainer({
    sandboxId: sandbox.id,
    sandbox: aSandboxSpec(uid, {
      podName: full("created"),
      podNamespace: "default",
      labels: sandbox.labels,
      annotations: sandbox.annotations,
      logDirectory: `${world.root}/var/log/pods/default_${
        full("created")
      }_${uid}`,
    }),
    container: aContainerSpec(uid, {
      name: "a",
      imageRef: old.imageRef,
      command: ["sh", "-c", OBEDIENT],
      logPath: "a/0.log",
      labels: old.labels,
      annotations: old.annotations,
    }),
  }, signal);
  const mark = (await agentLog()).length;
  await startAgent(world);
  assert.equal((await runningOne(node, "created")).id, containerId(id));
  assert.equal((await instancesOf(node, "created")).length, 1);
  assert.doesNotMatch(await agentLog(mark), /ERROR/);
});
