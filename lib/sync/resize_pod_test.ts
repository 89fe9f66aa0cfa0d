import assert from "node:assert/strict";
import {
  aContainerSpec,
  aSandboxSpec,
  NO_LIMITS,
} from "../../tests/contract/runtime_specs.ts";
import { FakeCgroups } from "../../tests/fakes/fake_cgroups.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeRuntime } from "../../tests/fakes/fake_runtime.ts";
import { aUse, FakeUsage } from "../../tests/fakes/fake_usage.ts";
import { podUid } from "../api/id.ts";
import { createMeters } from "../api/meters.ts";
import { createMetrics } from "../base/metrics.ts";
import type { LowerLimits } from "../pod/resize_step.ts";
import { resizePod } from "./resize_pod.ts";

const UID = podUid("11111111-2222-3333-4444-555555555555");
const PATH = "/kubepods/pod1";
const NOTHING_LESS: LowerLimits = {
  podBytes: undefined,
  containerBytes: new Map(),
};

/** A pod with one container that runs. */
async function aWorld() {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const cgroups = new FakeCgroups();
  const usage = new FakeUsage();
  const meters = createMeters(createMetrics());
  const { signal } = new AbortController();
  const sandbox = aSandboxSpec(UID);
  const sandboxId = await runtime.runSandbox(sandbox, signal);
  const container = aContainerSpec(UID, { imageRef: "app:1" });
  const request = { sandboxId, sandbox, container };
  const id = await runtime.createContainer(request, signal);
  await runtime.startContainer(id, signal);
  await cgroups.apply(PATH, { memoryLimitBytes: 100n }, "make");
  const done: string[] = [];
  const allocations = {
    kept: () => Promise.resolve(void done.push("kept")),
    noteContainer: (_uid: unknown, name: string) => void done.push(name),
    notePod: () => void done.push("pod"),
    noteCgroup: () => void done.push("cgroup"),
  };
  const given = { requests: { cpu: "1" } };
  const resources = { ...NO_LIMITS, cpuShares: 1024n };
  const values = { memoryLimitBytes: 50n };
  const ports = { runtime, cgroups, usage, allocations, clock, meters };
  const made = { sandboxes: [], containers: [] };
  const at = { uid: UID, signal, life: signal, made };
  return {
    ...{ runtime, cgroups, usage, meters, done, id, sandboxId },
    name: container.name,
    run: (lower = NOTHING_LESS) =>
      resizePod(ports, {
        kind: "resize-pod",
        sandboxId,
        lower,
        steps: [
          { kind: "container", id, name: container.name, resources, given },
          {
            kind: "cgroup",
            resource: "memory",
            path: PATH,
            values,
            sandbox: { resources },
          },
          { kind: "pod", given },
        ],
      }, at),
  };
}

Deno.test("resizePod() sets one thing after the other and writes it down", async () => {
  const world = await aWorld();
  await world.run();
  assert.deepEqual(world.done, ["kept", world.name, "pod", "cgroup"]);
  const { runtime, cgroups } = world;
  assert.equal(runtime.world.container(world.id).resources.cpuShares, 1024n);
  assert.equal(cgroups.values.get(PATH)?.memoryLimitBytes, 50n);
  assert.equal(runtime.world.sandbox(world.sandboxId).told?.cpuShares, 1024n);
  assert.match(
    await world.meters.set.text(),
    /kubelet_pod_resize_duration_milliseconds_count\{success="true"\} 1\n/,
  );
});

Deno.test("resizePod() stops at what is refused and notes what was done", async () => {
  const world = await aWorld();
  world.cgroups.full.add(PATH);
  await assert.rejects(world.run(), /in use/);
  assert.deepEqual(world.done, ["kept", world.name]);
  world.runtime.world.resizeFailure = "no";
  await assert.rejects(world.run(), /no$/);
  assert.match(
    await world.meters.set.text(),
    /kubelet_pod_resize_duration_milliseconds_count\{success="false"\} 2\n/,
  );
});

Deno.test("resizePod() takes no memory that is used", async () => {
  const world = await aWorld();
  const { usage, runtime, name } = world;
  const containerBytes = new Map([[name, 50n]]);
  const memory = aUse(0).memory;
  assert.ok(memory);
  const use = (bytes: bigint) => {
    const inside = { ...memory, usageBytes: bytes };
    usage.cgroups.set(PATH, aUse(0, { memory: inside }));
    runtime.world.usage.set(world.id, {
      coreNanoseconds: 0n,
      workingSetBytes: bytes,
      writableBytes: 0n,
    });
  };
  use(50n);
  await assert.rejects(
    world.run({ podBytes: 50n, containerBytes }),
    {
      message: "cannot decrease memory limits: [attempting to set pod memory " +
        "limit (50) below current usage (50), attempting to set container " +
        `"${name}" memory limit (50) below current usage (50)]`,
    },
  );
  await assert.rejects(
    world.run({ podBytes: undefined, containerBytes }),
    /^AgentError: cannot decrease memory limits: attempting to set container/,
  );
  assert.deepEqual(world.done, ["kept", "kept"]);
  usage.cgroups.clear();
  await assert.rejects(
    world.run({ podBytes: 50n, containerBytes: new Map() }),
    /missing pod memory usage$/,
  );
  use(49n);
  await world.run({ podBytes: 50n, containerBytes });
});
