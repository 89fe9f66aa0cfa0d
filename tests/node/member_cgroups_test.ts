/** The cgroups of pods on this machine have what the kubelet gives them. */
import assert from "node:assert/strict";
import { spawnMember, startMember } from "../../deploy/cluster/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { cgroupTrees, makeCgroup } from "../../deploy/world/cgroups.ts";
import { isProcessWith } from "../../deploy/world/processes.ts";
import { removeCgroup } from "../../deploy/world/teardown.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import { OBEDIENT, until, world } from "./agent_world.ts";
import { aContainer, aPod, apply, gone, kubectl } from "./member_world.ts";
import { memberTest, ready } from "./member_world.ts";

const MOUNT = "/sys/fs/cgroup";
const SMALL = { cpu: "100m", memory: "64Mi" };
const LIMIT = String(64 * 1024 ** 2);
const PIDS = "1000";

interface Shown {
  readonly cpu: string;
  readonly quota: string;
  readonly memory: string;
  readonly pids: string;
}

async function isUnified(): Promise<boolean> {
  return await isThere(`${MOUNT}/cgroup.controllers`);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Of a cgroup below the world's own. */
async function shown(path: string): Promise<Shown> {
  const unified = await isUnified();
  const read = async (controller: string, file: string) => {
    const tree = unified ? "" : `/${controller}`;
    const full = `${MOUNT}${tree}${world.cgroupRoot}${path}/${file}`;
    return (await Deno.readTextFile(full)).trim();
  };
  return {
    cpu: await read("cpu", unified ? "cpu.weight" : "cpu.shares"),
    quota: unified
      ? await read("cpu", "cpu.max")
      : `${await read("cpu", "cpu.cfs_quota_us")} ` +
        await read("cpu", "cpu.cfs_period_us"),
    memory: await read(
      "memory",
      unified ? "memory.max" : "memory.limit_in_bytes",
    ),
    pids: await read("pids", "pids.max"),
  };
}

function sized(name: string, requests: object, limits: object): V1Pod {
  return aPod(name, {
    containers: [
      aContainer(OBEDIENT, {
        resources: { requests: { ...requests }, limits: { ...limits } },
      }),
    ],
  });
}

async function pathOf(name: string, tier: string): Promise<string> {
  const [made] = await ready(`app=${name}`, 1);
  return `/kubepods${tier}/pod${made?.metadata?.uid}`;
}

memberTest("pods of each class have cgroups with their values", async () => {
  await stopAgent(world);
  await startMember(world, [`--pod-max-pids=${PIDS}`]);
  await Promise.all([
    apply(sized("sure", SMALL, SMALL)),
    apply(sized("some", SMALL, {})),
    apply(sized("rest", {}, {})),
  ]);
  const sure = await pathOf("sure", "");
  const some = await pathOf("some", "/burstable");
  const rest = await pathOf("rest", "/besteffort");
  const unified = await isUnified();
  const noQuota = unified ? "max 100000" : "-1 100000";
  const noLimit = unified ? "max" : "9223372036854771712";
  const [share, least] = unified ? ["4", "1"] : ["102", "2"];
  const free = { quota: noQuota, memory: noLimit, pids: PIDS };
  assert.deepEqual(await shown(sure), {
    cpu: share,
    quota: "10000 100000",
    memory: LIMIT,
    pids: PIDS,
  });
  assert.deepEqual(await shown(some), { ...free, cpu: share });
  assert.deepEqual(await shown(rest), { ...free, cpu: least });
  await until("the burstable class to weigh its pod", async () => {
    return (await shown("/kubepods/burstable")).cpu === share;
  });
  assert.equal((await shown("/kubepods/besteffort")).cpu, least);
  const total = BigInt(Deno.systemMemoryInfo().total);
  const top = await shown("/kubepods");
  assert.ok(BigInt(top.memory) <= total, "all pods together have a limit");
  assert.ok(BigInt(top.memory) > total / 2n);
  await kubectl("delete", "pod", "sure", "some", "rest", "--wait=false");
  await Promise.all([gone("sure"), gone("some"), gone("rest")]);
  // The object goes first, then what is left of the pod here.
  for (const path of [sure, some, rest]) {
    const tree = unified ? "" : "/pids";
    const full = `${MOUNT}${tree}${world.cgroupRoot}${path}`;
    await until("the end of a cgroup", async () => !await isThere(full), 5_000);
  }
  await until("the burstable class to weigh nothing", async () => {
    return (await shown("/kubepods/burstable")).cpu === least;
  });
});

memberTest("the node tells of its cgroups", async () => {
  const wanted = [
    "NodeAllocatableEnforced",
    ...await isUnified() ? [] : ["CgroupV1"],
  ];
  await until("events of the node", async () => {
    const reasons = await kubectl(
      ...["get", "events", "--all-namespaces"],
      "--field-selector=involvedObject.kind=Node",
      "--output=jsonpath={.items[*].reason}",
    );
    return wanted.every((reason) => reasons.split(" ").includes(reason));
  });
});

memberTest("an agent that starts sets what is missing", async () => {
  await apply(sized("kept", SMALL, SMALL));
  const path = await pathOf("kept", "");
  await stopAgent(world);
  const tree = await isUnified() ? "" : "/pids";
  const file = `${MOUNT}${tree}${world.cgroupRoot}${path}/pids.max`;
  await Deno.writeTextFile(file, "max");
  await startMember(world, [`--pod-max-pids=${PIDS}`]);
  await until("the limit of processes", async () => {
    return (await shown(path)).pids === PIDS;
  });
});

const KUBE = `${world.cgroupRoot}/kube`;

async function nodeEvents(): Promise<string> {
  return await kubectl(
    ...["get", "events", "--all-namespaces"],
    "--field-selector=involvedObject.kind=Node",
    '--output=jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
  );
}

memberTest(
  "what is reserved is enforced, and the agent lives in it",
  async () => {
    await stopAgent(world);
    await makeCgroup(KUBE);
    try {
      const pid = await startMember(world, [
        "--enforce-node-allocatable=pods,kube-reserved",
        `--kube-reserved-cgroup=${KUBE}`,
        "--kube-reserved=cpu=200m,memory=1Gi,pid=500",
        `--kubelet-cgroups=${KUBE}/agent`,
      ]);
      await until("the limits of what is reserved", async () => {
        const { quota: _, ...found } = await shown("/kube");
        const cpu = await isUnified() ? "8" : "204";
        const wanted = { cpu, memory: String(1024 ** 3), pids: "500" };
        return JSON.stringify(found) === JSON.stringify(wanted);
      });
      await until("the agent in its own cgroup", async () => {
        const text = await Deno.readTextFile(`/proc/${pid}/cgroup`);
        const isIn = (controller: string) =>
          text.split("\n").some((line) =>
            line.endsWith(`:${controller}:${KUBE}/agent`)
          );
        return await isUnified() ? isIn("") : ["cpu", "memory"].every(isIn);
      });
      await until("an event", async () => {
        const line =
          "NodeAllocatableEnforced: Updated limits on kube reserved " +
          `cgroup ${KUBE}`;
        return (await nodeEvents()).split("\n").includes(line);
      });
      const log = await Deno.readTextFile(world.agentLog);
      assert.doesNotMatch(log, /Not enforced yet|Fields set but not acted on/);
    } finally {
      await stopAgent(world);
      for (const tree of await cgroupTrees()) await removeCgroup(tree + KUBE);
    }
  },
);

memberTest(
  "an agent whose reserved cgroup is missing does not run",
  async () => {
    await stopAgent(world);
    const pid = await spawnMember(world, [
      "--enforce-node-allocatable=system-reserved",
      `--system-reserved-cgroup=${world.cgroupRoot}/nowhere`,
      "--system-reserved=cpu=100m",
    ]);
    const own = `--config=${world.agentConfig}`;
    await until("its end", async () => !await isProcessWith(pid, own), 30_000);
    const why = "Failed to enforce System Reserved Cgroup Limits on " +
      `"${world.cgroupRoot}/nowhere": cgroup `;
    const log = await Deno.readTextFile(world.agentLog);
    assert.ok(log.includes(why.replaceAll('"', '\\"')) || log.includes(why));
    await until("an event", async () => {
      const lines = (await nodeEvents()).split("\n");
      return lines.some((line) =>
        line.startsWith(`FailedNodeAllocatableEnforcement: ${why}`)
      );
    });
  },
);
