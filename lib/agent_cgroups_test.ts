import assert from "node:assert/strict";
import { tellingCgroups } from "./agent_faults.ts";
import { createMeters } from "./api/meters.ts";
import { type Fields, type RootLogger, silentLogger } from "./base/log.ts";
import { createMetrics } from "./base/metrics.ts";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { FakeCgroups } from "../tests/fakes/fake_cgroups.ts";
import { MANIFESTS, PodWorld } from "../tests/fakes/pod_world.ts";

Deno.test("tellingCgroups() says what the host refuses once, not for each pod", async () => {
  const fake = new FakeCgroups();
  const told: Fields[] = [];
  const log: RootLogger = {
    ...silentLogger,
    warn: (_message: string, fields: Fields = {}) => told.push(fields),
  };
  const meters = createMeters(createMetrics());
  const clock = new FakeClock();
  const cgroups = tellingCgroups({ cgroups: fake, log, clock, meters });
  for (const path of ["/kubepods/pod1", "/kubepods/pod2", "/kubepods/pod1"]) {
    fake.full.add(path);
    const faults = await cgroups.apply(path, { memoryLimitBytes: 1n }, "make");
    assert.equal(faults.length, 1, "the caller hears it each time");
  }
  assert.deepEqual(told, [
    { path: "/kubepods/pod1", message: "memory: in use" },
  ]);
  assert.match(
    await meters.set.text(),
    /kubelet_cgroup_manager_duration_seconds_count\{operation_type="create"\} 3/,
  );
});

const GIB = 1024n ** 3n;

function manifest(name: string, memory: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, uid: name },
    spec: {
      containers: [{
        name: "app",
        image: "app:1",
        resources: { requests: { memory } },
      }],
    },
  });
}

async function running(
  settings: string,
  fn: (world: PodWorld) => Promise<void>,
  prepare: (world: PodWorld) => void = () => {},
): Promise<void> {
  const world = new PodWorld(settings);
  prepare(world);
  await world.start();
  try {
    await fn(world);
  } finally {
    await world.stop();
  }
}

Deno.test("createCgroupLoop() protects memory of what pods ask for", () =>
  running(
    "featureGates: {MemoryQoS: true}\n" +
      "memoryReservationPolicy: TieredReservation\n" +
      "systemReserved: {memory: 1Gi}\nsystemReservedCgroup: /system\n" +
      "enforceNodeAllocatable: [pods, system-reserved]\n",
    async (world) => {
      world.manifests.put(`${MANIFESTS}/web.yaml`, manifest("web", "1Gi"));
      await world.advance(30_000);
      const { values } = world.cgroups;
      const web = [...values.keys()].find((path) => path.includes("web"));
      assert.ok(web !== undefined);
      assert.equal(values.get(web)?.memoryLowBytes, GIB);
      const above = web.slice(0, web.lastIndexOf("/"));
      assert.equal(values.get(above)?.memoryLowBytes, GIB);
      const top = above.slice(0, above.lastIndexOf("/"));
      assert.equal(values.get(top)?.memoryMinBytes, GIB);
      assert.equal(values.get(top)?.memoryLimitBytes, 7n * GIB);
      const system = values.get("/system") ?? values.get("/system.slice");
      assert.equal(system?.memoryLimitBytes, GIB);
      assert.equal(system?.memoryMinBytes, GIB);
    },
    ({ cgroups }) => {
      for (const path of ["/system", "/system.slice"]) {
        cgroups.present.add(path);
      }
    },
  ));

Deno.test("createCgroupLoop() keeps the agent's process, and tells of it", () =>
  running("kubeletCgroups: /agent\noomScoreAdj: -900\n", async (world) => {
    const { cgroups, ownProcess } = world;
    assert.equal(cgroups.places.get(ownProcess.pid), "/agent");
    assert.equal(ownProcess.oomScoreAdj, -900);
    const detail = (name: string) =>
      world.view.loops().find((loop) => loop.name === name)?.detail;
    assert.equal(detail("own process"), "is kept as configured");
    await world.advance(1_000);
    assert.equal(detail("cgroups"), "have what pods and classes may use");
    cgroups.broken.add("/agent");
    await world.advance(60_000);
    assert.match(detail("own process") ?? "", /^is not all as configured: /);
  }));

Deno.test("createCgroupLoop() ends an agent whose configuration cannot be", async () => {
  const cases: [string, RegExp][] = [
    [
      "kubeReserved: {cpu: 100m}\nkubeReservedCgroup: /kube\n" +
      "enforceNodeAllocatable: [kube-reserved]\n",
      /Failed to enforce Kube Reserved Cgroup Limits on "\/kube": cgroup \["kube"\] has some missing paths/,
    ],
    ["cgroupRoot: /nowhere\n", /cgroupRoot: cgroup \["nowhere"\] has some/],
    [
      "systemReserved: {memory: 9Gi}\n",
      /"memory" has a reservation of .* but capacity of 8Gi/,
    ],
  ];
  for (const [settings, words] of cases) {
    const world = new PodWorld(settings);
    await world.start();
    await world.advance(10_000);
    await assert.rejects(world.stop(), words);
  }
});

Deno.test("createCgroupLoop() limits a root that pods share with nobody", () =>
  running(
    "cgroupsPerQOS: false\nenforceNodeAllocatable: []\ncgroupRoot: /pods\n",
    async (world) => {
      await world.advance(1_000);
      const [path] = [...world.cgroups.values.keys()];
      assert.match(path ?? "", /^\/pods(\.slice)?$/);
      assert.equal(world.cgroups.values.size, 1);
    },
  ));
