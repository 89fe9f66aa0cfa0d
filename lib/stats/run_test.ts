import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { A_FILESYSTEM, aUse, FakeUsage } from "../../tests/fakes/fake_usage.ts";
import { aMeasuredPod, APP } from "./fixture_test.ts";
import { cgroupsOf, Stats } from "./run.ts";
import type { MeasuredPod } from "./types.ts";

const NEVER = new AbortController().signal;

function aWorld(pods: readonly MeasuredPod[] = [aMeasuredPod()]) {
  const clock = new FakeClock();
  const usage = new FakeUsage();
  const set = (cgroup: string, cpuNs: bigint) =>
    usage.cgroups.set(cgroup, aUse(clock.nowMs(), { cpuNs }));
  set("/", 100n);
  set("/kubepods", 50n);
  set("/kubepods/podu1", 10n);
  set("/kubepods/podu1/s1", 1n);
  set("/kubepods/podu1/c1", 9n);
  usage.networks.set(1, []);
  usage.filesystems.set("/data", A_FILESYSTEM);
  let layerAsks = 0;
  const stats = new Stats({
    usage,
    clock,
    log: silentLogger,
    pods: () => pods,
    images: { usage: () => Promise.resolve({ images: [], containers: [] }) },
    runtime: {
      sandboxImage: (id) => Promise.resolve(`pause:${id}`),
      listContainerStats: () =>
        Promise.try(() => {
          layerAsks++;
          return [];
        }),
    },
  }, {
    rootDir: "/data",
    isRootMeasured: true,
    allPods: () => "/kubepods",
    classes: () => ["/kubepods/burstable"],
    diskAgeMs: 60_000,
  });
  return { clock, usage, set, stats, layerAsks: () => layerAsks };
}

Deno.test("Stats.figures() tells of node, pods, sandbox and containers", async () => {
  const { stats, usage } = aWorld();
  usage.processIds.set("/kubepods/podu1/s1", 77);
  usage.networks.set(77, []);
  const { node, allPods, classes, pods } = await stats.figures("everything");
  assert.deepEqual(
    [node.cgroup, allPods?.cgroup, classes.length],
    ["/", "/kubepods", 0],
  );
  const [web] = pods;
  assert.equal(web?.sandboxImage, "pause:s1");
  assert.equal(web?.whole?.cgroup, "/kubepods/podu1");
  assert.equal(web?.sandbox?.cgroup, "/kubepods/podu1/s1");
  assert.deepEqual(web?.containers.map(({ cgroup }) => cgroup), [
    "/kubepods/podu1/c1",
  ]);
  assert.deepEqual(web?.network, []);
});

Deno.test("Stats.figures() shares a look for a second", async () => {
  const { stats, clock } = aWorld();
  const first = await stats.figures("everything");
  await clock.advance(999);
  assert.equal(await stats.figures("everything"), first);
  await clock.advance(1);
  assert.notEqual(await stats.figures("everything"), first);
});

Deno.test("Stats.figures() serves who wants less by a richer look", async () => {
  const { stats, clock } = aWorld();
  const rich = await stats.figures("everything");
  assert.equal(await stats.figures("main"), rich);
  assert.equal(await stats.figures("cpu-and-memory"), rich);
  await clock.advance(1_000);
  const main = await stats.figures("main");
  assert.notEqual(await stats.figures("everything"), main);
});

Deno.test("Stats.figures() knows networks without a look at sandboxes", async () => {
  const { stats, usage } = aWorld();
  usage.processIds.set("/kubepods/podu1/s1", 77);
  usage.networks.set(77, []);
  const { pods: [web] } = await stats.figures("main");
  assert.equal(web?.sandbox, undefined);
  assert.deepEqual(web?.network, []);
  const { pods: [few] } = await aWorld().stats.figures("cpu-and-memory");
  assert.equal(few?.network, undefined);
});

Deno.test("Stats.figures() knows a rate from the second look on", async () => {
  const { stats, clock, set } = aWorld();
  const first = await stats.figures("cpu-and-memory");
  assert.equal(first.node.nanoCores, undefined);
  await clock.advance(2_000);
  set("/", 100n + 1_000_000_000n);
  const second = await stats.figures("cpu-and-memory");
  assert.equal(second.node.nanoCores, 500_000_000n);
  // Another cgroup has taken the name.
  await clock.advance(2_000);
  set("/", 5n);
  const third = await stats.figures("cpu-and-memory");
  assert.equal(third.node.nanoCores, undefined);
});

Deno.test("Stats.figures() fails without a root, and tries again", async () => {
  const { stats, usage, set } = aWorld();
  usage.cgroups.delete("/");
  await assert.rejects(stats.figures("everything"), /The root has/);
  set("/", 1n);
  assert.equal((await stats.figures("everything")).node.cgroup, "/");
});

Deno.test("Stats.figures() tells no whole where pods share a cgroup", async () => {
  const { stats } = aWorld([aMeasuredPod({ hasOwnCgroup: false })]);
  const { pods: [web] } = await stats.figures("everything");
  assert.equal(web?.whole, undefined);
  assert.equal(web?.containers.length, 1);
});

Deno.test("Stats.disks() walks trees seldom, and asks for layers seldom", async () => {
  const volume = {
    name: "v",
    path: "/vol",
    measuredBy: "walk",
    medium: "disk",
    isEphemeral: true,
  } as const;
  const pod = aMeasuredPod({ volumes: [volume] });
  const { stats, usage, clock, layerAsks } = aWorld([pod]);
  usage.trees.set("/vol", { usedBytes: 7n, inodes: 1n });
  usage.trees.set(APP.logDirectory, { usedBytes: 9n, inodes: 1n });
  const first = await stats.disks(NEVER);
  assert.equal(first.volumes.get(pod.uid)?.get("v")?.usedBytes, 7n);
  assert.equal(first.logs.get(APP.id)?.usedBytes, 9n);
  usage.trees.set("/vol", { usedBytes: 8n, inodes: 1n });
  await clock.advance(5_000);
  const second = await stats.disks(NEVER);
  assert.equal(second.volumes.get(pod.uid)?.get("v")?.usedBytes, 7n);
  assert.equal(layerAsks(), 1);
  // Measured beside the answer, and told by the next.
  await clock.advance(60_000);
  await stats.disks(NEVER);
  await clock.advance(1_000);
  const last = await stats.disks(NEVER);
  assert.equal(last.volumes.get(pod.uid)?.get("v")?.usedBytes, 8n);
  assert.equal(layerAsks(), 2);
});

Deno.test("Stats.disks() takes a claim's use from its file system", async () => {
  const pod = aMeasuredPod({
    volumes: [{
      name: "p",
      path: "/pv",
      measuredBy: "file-system",
      medium: "disk",
      isEphemeral: false,
      claim: "data",
    }],
  });
  const { stats, usage } = aWorld([pod]);
  usage.filesystems.set("/pv", A_FILESYSTEM);
  const { volumes } = await stats.disks(NEVER);
  const taken = volumes.get(pod.uid)?.get("p");
  assert.equal(taken?.usedBytes, 300_000n);
  assert.equal(taken?.inodes, 100n);
});

for (
  const [driver, cgroup, first] of [
    ["cgroupfs", "/kubepods/podu1", "/kubepods/podu1/x"],
    [
      "systemd",
      "/kubepods.slice/kubepods-podu1.slice",
      "/kubepods.slice/kubepods-podu1.slice/cri-containerd-x.scope",
    ],
    ["no parent", "", "/x"],
  ] as const
) {
  Deno.test(`cgroupsOf() finds a container with ${driver}`, () => {
    assert.equal(cgroupsOf(aMeasuredPod({ cgroup }), "x")[0], first);
  });
}
