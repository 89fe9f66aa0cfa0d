/**
 * A node in need: others go for a critical pod, the kernel's word is passed
 * on, a disk that is taken away does not take the agent with it.
 */
import assert from "node:assert/strict";
import { startMember } from "../../deploy/cluster/agent.ts";
import { ask, get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import { run } from "../../deploy/world/command.ts";
import { pidsWith } from "../../deploy/world/processes.ts";
import { podUid } from "../../lib/api/id.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import { isHealthy } from "../../deploy/world/agent.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  eventsOf,
  gone,
  inPhase,
  kubectl,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

async function condition(type: string): Promise<Condition | undefined> {
  const { status } = await get<
    { status: { conditions: readonly Condition[] } }
  >(cluster, `/api/v1/nodes/${world.name}`);
  return status.conditions.find((each) => each.type === type);
}

const asking = (cpu: string) =>
  aContainer(undefined, { resources: { requests: { cpu } } });

memberTest("others go for a critical pod, and it runs then", async () => {
  await stopAgent(world);
  const reserved = navigator.hardwareConcurrency - 1;
  await startMember(world, [`--system-reserved=cpu=${reserved}`]);
  await apply(aPod("large", { containers: [asking("500m")] }));
  await apply(aPod("small", { containers: [asking("300m")] }));
  await ready("app=large", 1);
  await ready("app=small", 1);
  await apply(aPod("critical", {
    nodeName: world.name,
    priorityClassName: "system-node-critical",
    containers: [asking("400m")],
  }));
  const { status } = await inPhase("small", "Failed");
  assert.equal(status?.reason, "Preempting");
  assert.equal(status.message, "Preempted in order to admit critical pod");
  const target = status.conditions?.find(({ type }) =>
    type === "DisruptionTarget"
  );
  assert.equal(target?.reason, "TerminationByKubelet");
  assert.match(
    await eventsOf("small"),
    /^Preempting - Preempted in order to admit critical pod$/m,
  );
  await ready("app=critical", 1);
  await ready("app=large", 1);
  const { text } = await ask(
    cluster,
    `/api/v1/nodes/${world.name}/proxy/metrics`,
  );
  assert.match(text, /^kubelet_preemptions\{preemption_signal="cpu"\} 1$/m);
  // Also for what it asks for later.
  const requests = { cpu: "700m" };
  const containers = [{ name: "app", resources: { requests } }];
  const patch = JSON.stringify({ spec: { containers } });
  await kubectl(
    ...["patch", "pod", "critical", "--subresource=resize", `-p=${patch}`],
  );
  const large = await inPhase("large", "Failed");
  assert.equal(large.status?.reason, "Preempting");
  await until("the critical pod to have more", async () => {
    const { status } = await pod("critical") ?? {};
    const [given] = status?.containerStatuses ?? [];
    return given?.allocatedResources?.["cpu"] === "700m" &&
      given.restartCount === 0;
  });
});

memberTest(
  "the kernel's word of a machine without memory is an event",
  async () => {
    const name = `denolet-${crypto.randomUUID().slice(0, 8)}`;
    // As the kernel says it; nobody is ended by it.
    const lines = [
      `${name} invoked oom-killer: gfp_mask=0x140cca, order=0`,
      `Out of memory: Killed process 4194303 (${name}) total-vm:1kB`,
    ];
    try {
      for (const line of lines) {
        await Deno.writeTextFile("/dev/kmsg", `<4>${line}\n`);
      }
    } catch (error) {
      console.warn(`SKIP: nobody may write to the kernel's log: ${error}`);
      return;
    }
    const told = "SystemOOM - System OOM encountered, victim process: " +
      `${name}, pid: 4194303`;
    await until(
      "the event",
      async () => (await eventsOf(world.name)).includes(told),
    );
  },
);

memberTest("a disk that is taken away is told of and survived", async () => {
  const folder = `${world.root}/disk`;
  const image = `${folder}.img`;
  await Deno.mkdir(folder, { recursive: true });
  await run("truncate", ["-s", "64M", image]);
  await run("mkfs.ext4", ["-q", "-F", image]);
  await run("mount", ["-o", "loop", image, folder]);
  try {
    await stopAgent(world);
    await startMember(world, [
      `--root-dir=${folder}`,
      "--eviction-hard=nodefs.available<5%",
    ]);
    await apply(aPod("web", {}));
    await ready("app=web", 1);
    await run("umount", ["--recursive", "--lazy", folder]);
    await until("an unknown pressure of the disk", async () => {
      return (await condition("DiskPressure"))?.status === "Unknown";
    }, 75_000);
    const told = await condition("DiskPressure");
    assert.equal(told?.reason, "KubeletCannotMeasure");
    assert.match(told.message, /nodefs\.available could not be measured/);
    assert.ok(await isHealthy(world));
    await ready("app=web", 1);
    await run("mount", ["-o", "loop", image, folder]);
    await until("a disk as before", async () => {
      return (await condition("DiskPressure"))?.status === "False";
    });
  } finally {
    await stopAgent(world);
    await run("umount", ["--recursive", "--lazy", folder], {
      failure: "ignore",
    });
    await Deno.remove(image);
  }
});

memberTest("a shim that hangs is the problem of its pod alone", async () => {
  await stopAgent(world);
  await startMember(world, ["--volume-stats-agg-period=1s"]);
  await apply(aPod("stuck"));
  const [stuck] = await ready("app=stuck", 1);
  const shim = await shimOf(stuck?.metadata?.uid ?? "");
  Deno.kill(shim, "SIGSTOP");
  try {
    // The next agent has to get along with it from its first look on.
    await stopAgent(world, "kill");
    await startMember(world, ["--volume-stats-agg-period=1s"]);
    await kubectl("delete", "pod", "stuck", "--wait=false", "--grace-period=1");
    const limits = { "ephemeral-storage": "2Mi" };
    await apply(aPod("greedy", {
      containers: [
        aContainer("dd if=/dev/zero of=/x bs=1M count=4; sleep 1000", {
          resources: { limits },
        }),
      ],
    }));
    await apply(aPod("modest"));
    await ready("app=modest", 1);
    const { status } = await inPhase("greedy", "Failed");
    assert.equal(status?.reason, "Evicted");
    await kubectl("delete", "pod", "modest", "--wait=false");
    await gone("modest");
    assert.equal((await condition("Ready"))?.status, "True");
    assert.ok(await pod("stuck") !== undefined);
  } finally {
    Deno.kill(shim, "SIGCONT");
  }
  await gone("stuck");
});

/** The process that stands between containerd and the pod's containers. */
async function shimOf(uid: string): Promise<number> {
  const channel = openChannel({ endpoint: world.socket });
  try {
    const [sandbox] = await new CriRuntime(channel)
      .listSandboxes({ podUid: podUid(uid) }, AbortSignal.timeout(5_000));
    const [pid] = await pidsWith(sandbox?.id ?? "no sandbox");
    assert.ok(pid !== undefined);
    return pid;
  } finally {
    channel.close();
  }
}
