/** Pods of a real cluster are given more and less while they run. */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { OBEDIENT, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  gone,
  kubectl,
  memberTest,
  pod,
  ready,
  restartMember,
} from "./member_world.ts";

const MOUNT = "/sys/fs/cgroup";
const MIB = 1024 ** 2;

type Sizes = Record<"requests" | "limits", Record<string, string>>;

function sizes(cpu: string, memory: string): Sizes {
  return { requests: { cpu, memory }, limits: { cpu, memory } };
}

function sized(name: string, resources: Sizes, own = {}): V1Pod {
  const container = aContainer(OBEDIENT, { resources, ...own });
  return aPod(name, { containers: [container] });
}

async function resize(name: string, resources: Partial<Sizes>): Promise<void> {
  const spec = { containers: [{ name: "app", resources }] };
  const patch = JSON.stringify({ spec });
  await kubectl("patch", "pod", name, "--subresource=resize", `-p=${patch}`);
}

/** Waits until nothing of a resize is left to tell; gives the pod. */
async function settled(name: string): Promise<V1Pod> {
  let found: V1Pod | undefined;
  await until(`the resize of ${name}`, async () => {
    found = await pod(name);
    const { metadata, spec, status } = found ?? {};
    // An agent that has just begun tells the generation before it has weighed.
    const has = status?.containerStatuses?.[0]?.allocatedResources?.["cpu"];
    const wish = spec?.containers[0]?.resources?.requests?.["cpu"];
    return status?.observedGeneration === metadata?.generation &&
      has === wish &&
      (status?.conditions ?? [])
        .every(({ type }) => !type.startsWith("PodResize"));
  });
  assert.ok(found);
  return found;
}

function conditionOf({ status }: V1Pod, type: string) {
  return status?.conditions?.find((each) => each.type === type);
}

/** Quota in thousandths of a cpu, and memory in MiB, of a cgroup. */
async function setIn(path: string): Promise<readonly number[]> {
  const isUnified = await Deno.stat(`${MOUNT}/cgroup.controllers`)
    .then(() => true, () => false);
  const read = async (controller: string, file: string) => {
    const tree = isUnified ? "" : `/${controller}`;
    return await Deno.readTextFile(
      `${MOUNT}${tree}${world.cgroupRoot}${path}/${file}`,
    );
  };
  const quota = await read("cpu", isUnified ? "cpu.max" : "cpu.cfs_quota_us");
  const memory = await read(
    "memory",
    isUnified ? "memory.max" : "memory.limit_in_bytes",
  );
  return [parseInt(quota) / 100, parseInt(memory) / MIB];
}

function cgroupOf({ metadata }: V1Pod, tier = ""): string {
  return `/kubepods${tier}/pod${metadata?.uid}`;
}

function idOf({ status }: V1Pod): string {
  const id = status?.containerStatuses?.[0]?.containerID ?? "";
  return id.slice(id.indexOf("://") + 3);
}

memberTest(
  "resized up and down, it runs on, also where the agent is killed",
  async () => {
    await apply(sized("web", sizes("100m", "64Mi")));
    const [first] = await ready("app=web", 1);
    assert.ok(first);
    const id = idOf(first);
    const paths = [cgroupOf(first), `${cgroupOf(first)}/${id}`];
    for (
      const [cpu, memory, mib] of [
        [200, "128Mi", 128],
        [150, "96Mi", 96],
        [300, "160Mi", 160],
      ] as const
    ) {
      await resize("web", sizes(`${cpu}m`, memory));
      // In the middle of it, or before, or after: it comes to the same end.
      if (cpu === 300) await restartMember("kill");
      const now = await settled("web");
      const status = now.status?.containerStatuses?.[0];
      assert.equal(idOf(now), id);
      assert.equal(status?.restartCount, 0);
      assert.deepEqual(status?.resources, sizes(`${cpu}m`, memory));
      assert.deepEqual(status?.allocatedResources, { cpu: `${cpu}m`, memory });
      for (const path of paths) assert.deepEqual(await setIn(path), [cpu, mib]);
    }
    await until("the last event", async () => {
      const last = /ResizeCompleted - Pod resize completed: .*"300m"/;
      return last.test(await eventsOf("web"));
    });
    const told = await eventsOf("web");
    assert.match(told, /ResizeStarted - Pod resize started: \{"containers":/);
    assert.doesNotMatch(told, /Killing/);
    await kubectl("delete", "pod", "web", "--wait=false", "--grace-period=1");
    await gone("web");
  },
);

memberTest("what wants to be started anew for more memory is", async () => {
  const resizePolicy = [
    { resourceName: "memory", restartPolicy: "RestartContainer" },
  ];
  await apply(sized("web", sizes("100m", "64Mi"), { resizePolicy }));
  const [first] = await ready("app=web", 1);
  assert.ok(first);
  await resize("web", sizes("100m", "96Mi"));
  await until("the restart of the container", async () => {
    const [status] = (await pod("web"))?.status?.containerStatuses ?? [];
    return status?.restartCount === 1 && status.ready;
  });
  const now = await settled("web");
  assert.notEqual(idOf(now), idOf(first));
  const path = `${cgroupOf(now)}/${idOf(now)}`;
  assert.deepEqual(await setIn(path), [100, 96]);
  assert.match(await eventsOf("web"), /Container app resize requires restart/);
});

memberTest(
  "a resize without room waits until another pod has gone",
  async () => {
    const node = JSON.parse(await kubectl("get", "node", world.name, "-ojson"));
    const cpu = node.status.allocatable.cpu;
    const milli = cpu.endsWith("m") ? parseInt(cpu) : Number(cpu) * 1000;
    const of = (part: number) => ({
      requests: { cpu: `${Math.floor(milli * part)}m` },
      limits: {},
    });
    await apply(sized("one", of(0.6)));
    await apply(sized("two", of(0.2)));
    await ready("app=two", 1);
    await ready("app=one", 1);
    await resize("two", of(0.7));
    await until("the resize to be deferred", async () => {
      const found = await pod("two");
      const told = found && conditionOf(found, "PodResizePending");
      return told?.reason === "Deferred" &&
        /Node didn't have enough resource: cpu/.test(told.message ?? "");
    });
    const waits = await pod("two");
    assert.deepEqual(
      waits?.status?.containerStatuses?.[0]?.allocatedResources,
      of(0.2).requests,
    );
    await kubectl("delete", "pod", "one", "--wait=false", "--grace-period=1");
    const now = await settled("two");
    const status = now.status?.containerStatuses?.[0];
    assert.deepEqual(status?.allocatedResources, of(0.7).requests);
    assert.equal(status?.restartCount, 0);
    assert.match(
      await eventsOf("two"),
      /ResizeDeferred - Pod resize Deferred: /,
    );
  },
);

memberTest("what can never be is told so", async () => {
  await stopAgent(world);
  const reserved = "--kube-reserved=cpu=100m";
  await startMember(world, ["--cpu-manager-policy=static", reserved]);
  await apply(sized("web", sizes("100m", "64Mi")));
  await ready("app=web", 1);
  await resize("web", sizes("200m", "64Mi"));
  await until("the resize to be infeasible", async () => {
    const found = await pod("web");
    const told = found && conditionOf(found, "PodResizePending");
    return told?.reason === "Infeasible" &&
      /alongside CPU Manager policy "static"/.test(told.message ?? "");
  });
  await resize("web", sizes("100m", "64Mi"));
  await settled("web");
});
