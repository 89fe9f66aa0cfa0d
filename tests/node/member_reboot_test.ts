/** The power goes, and comes back: every pod ends up in one place. */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { get } from "../../deploy/cluster/request.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import { full, pause, put, take, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  isReady,
  kubectl,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";
import { reboot } from "./reboot.ts";

/** Ten of them, of many kinds: all are to run again, each once. */
function survivors(): readonly V1Pod[] {
  const data = [{ name: "data", mountPath: "/data" }];
  const write = "date > /data/x; trap 'exit 0' TERM; sleep 1000 & wait";
  return [
    aPod("plain"),
    aPod("memory", {
      containers: [aContainer(write, { volumeMounts: data })],
      volumes: [{ name: "data", emptyDir: { medium: "Memory" } }],
    }),
    aPod("disk", {
      containers: [aContainer(write, { volumeMounts: data })],
      volumes: [{ name: "data", emptyDir: {} }],
    }),
    aPod("config", {
      containers: [aContainer(undefined, { volumeMounts: data })],
      volumes: [{ name: "data", configMap: { name: "settings" } }],
    }),
    aPod("sub-path", {
      containers: [
        aContainer(undefined, {
          volumeMounts: [{
            name: "data",
            mountPath: "/data/key",
            subPath: "key",
          }],
        }),
      ],
      volumes: [{ name: "data", configMap: { name: "settings" } }],
    }),
    aPod("init", {
      initContainers: [{ ...aContainer("exit 0"), name: "setup" }],
    }),
    aPod("sidecar", {
      initContainers: [{
        ...aContainer(),
        name: "helper",
        restartPolicy: "Always",
      }],
    }),
    aPod("two", {
      containers: [aContainer(), { ...aContainer(), name: "other" }],
    }),
    aPod("host", { hostNetwork: true }),
    aPod("on-failure", { restartPolicy: "OnFailure" }),
  ];
}

function counts({ status }: V1Pod): readonly number[] {
  return [
    ...status?.initContainerStatuses ?? [],
    ...status?.containerStatuses ?? [],
  ].map(({ restartCount }) => restartCount);
}

async function assertNothingTwice(): Promise<void> {
  const channel = openChannel({ endpoint: world.socket });
  const runtime = new CriRuntime(channel);
  const { signal } = new AbortController();
  try {
    const sandboxes = await runtime.listSandboxes({}, signal);
    const ready = sandboxes.filter(({ isReady }) => isReady)
      .map(({ podName }) => podName).sort();
    assert.deepEqual(ready, [...new Set(ready)]);
    const running = (await runtime.listContainers({ state: "running" }, signal))
      .map(({ labels, name }) =>
        `${labels.get("io.kubernetes.pod.name")}/${name}`
      ).sort();
    assert.deepEqual(running, [...new Set(running)]);
  } finally {
    channel.close();
  }
}

/** Those that will not run again, each for a reason of its own. */
function others(): readonly V1Pod[] {
  const stubborn = "trap '' TERM; while :; do sleep 1; done";
  return [
    aPod("once", { restartPolicy: "Never" }),
    aPod("finished", {
      restartPolicy: "Never",
      containers: [aContainer("exit 0")],
    }),
    aPod("leaving", {
      terminationGracePeriodSeconds: 600,
      containers: [aContainer(stubborn)],
    }),
  ];
}

async function makeAll(names: readonly string[]): Promise<void> {
  const items = [...survivors(), ...others()];
  await apply({ apiVersion: "v1", kind: "List", items });
  await put(aPod("static"));
  for (const name of [...names, "once", "leaving"]) {
    await ready(`app=${name}`, 1);
  }
  await until("a static pod", async () => {
    const found = await pod(full("static"));
    return found !== undefined && isReady(found);
  });
  await inPhase("finished", "Succeeded");
  await kubectl("delete", "pod", "leaving", "--wait=false");
}

async function uidsOf(names: readonly string[]) {
  const found = await Promise.all(names.map((name) => pod(name)));
  return new Map(
    found.map((each) => [each?.metadata?.name, each?.metadata?.uid]),
  );
}

async function runsAgain(name: string): Promise<void> {
  await until(`${name} to run again`, async () => {
    const found = await pod(name);
    return found !== undefined && isReady(found) &&
      counts(found).every((count) => count > 0);
  }, 60_000);
}

async function assertOnce(name: string): Promise<void> {
  const found = await pod(name);
  assert.ok(found !== undefined && isReady(found), name);
  assert.equal(found.status?.phase, "Running");
  assert.deepEqual(counts(found), counts(found).map(() => 1), name);
}

async function assertNodeTells(bootId: string): Promise<void> {
  const { status } = await get<{ status: { nodeInfo: { bootID: string } } }>(
    cluster,
    `/api/v1/nodes/${world.name}`,
  );
  assert.equal(status.nodeInfo.bootID, bootId);
  const told = await kubectl(
    ...["get", "events", "-o", "jsonpath={.items[*].message}"],
    `--field-selector=involvedObject.name=${world.name},reason=Rebooted`,
  );
  assert.match(told, new RegExp(`boot id: ${bootId}`));
}

async function survive(): Promise<void> {
  const names = survivors().map(({ metadata }) => metadata?.name ?? "");
  await makeAll(names);
  const before = await uidsOf(names);
  const bootId = crypto.randomUUID();
  await reboot(world, bootId);
  const startMs = performance.now();
  await startMember(world);
  for (const name of [...names, full("static")]) await runsAgain(name);
  console.log(`all run ${Math.round(performance.now() - startMs)} ms after`);
  await inPhase("once", "Failed");
  await inPhase("finished", "Succeeded");
  await until("the end of leaving", async () => {
    return await pod("leaving") === undefined;
  });
  // And it stays so: nothing is started a second time.
  await pause(2_000);
  assert.deepEqual(await uidsOf(names), before);
  for (const name of [...names, full("static")]) await assertOnce(name);
  await assertNothingTwice();
  const volume = `pods/${before.get("memory")}/volumes/` +
    "kubernetes.io~empty-dir/data";
  assert.match(
    await Deno.readTextFile("/proc/self/mountinfo"),
    new RegExp(`${volume} .* - tmpfs `),
  );
  await assertNodeTells(bootId);
}

memberTest(
  "after a reboot every pod runs once more, or has ended",
  async () => {
    const settings = ["configmap", "settings"] as const;
    await kubectl("create", ...settings, "--from-literal=key=value");
    try {
      await survive();
    } finally {
      await take("static").catch(() => undefined);
      await kubectl("delete", ...settings);
    }
  },
);
