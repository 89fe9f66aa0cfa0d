/** What the node tells of a pod's use, against what the pod is known to use. */
import assert from "node:assert/strict";
import { aPod, create, ready, removeAll } from "./pods.ts";
import type { Rig } from "./rig.ts";

const MIB = 1024 ** 2;
/** Held by `tail`, which waits for the end of its one long line. */
const HELD_MIB = 40;
const CPU_LIMIT = "200m";
const BUSY = `{ head -c ${HELD_MIB}m /dev/zero; sleep 100000; } | tail & ` +
  "while :; do :; done";

interface Psi {
  readonly some: { readonly total: number };
}

interface Summary {
  readonly node: {
    readonly cpu: { readonly usageNanoCores?: number; readonly psi?: Psi };
    readonly memory: {
      readonly workingSetBytes: number;
      readonly availableBytes: number;
    };
  };
  readonly pods: readonly {
    readonly podRef: { readonly name: string };
    readonly containers: readonly {
      readonly cpu: { readonly usageNanoCores?: number; readonly psi?: Psi };
      readonly memory: { readonly workingSetBytes: number };
    }[];
    readonly process_stats?: { readonly process_count: number };
  }[];
}

export async function stats(rig: Rig): Promise<string> {
  const resources = { limits: { cpu: CPU_LIMIT, memory: "128Mi" } };
  await create(rig, [
    aPod("busy", { command: ["sh", "-c", BUSY], resources }),
  ]);
  await ready(rig, ["busy"]);
  const seen = await summary(rig);
  // Memory goes on growing for a moment.
  await rig.passes(() => cadvisor(rig));
  await rig.passes(() => resource(rig));
  await removeAll(rig);
  return seen;
}

function ask(rig: Rig, path: string): Promise<string> {
  const node = `/api/v1/nodes/${rig.machine.name}/proxy`;
  return rig.kubectl("get", "--raw", `${node}${path}`);
}

/** Asked until it has two samples of the pod, each with all its memory. */
async function summary(rig: Rig): Promise<string> {
  let seen = "";
  await rig.passes(async () => {
    const { node, pods }: Summary = JSON.parse(
      await ask(rig, "/stats/summary"),
    );
    const pod = pods.find(({ podRef }) => podRef.name === "busy");
    const [container] = pod?.containers ?? [];
    const milliCpu = (container?.cpu.usageNanoCores ?? 0) / 1e6;
    const mib = (container?.memory.workingSetBytes ?? 0) / MIB;
    const processes = pod?.process_stats?.process_count ?? 0;
    seen = `${milliCpu.toFixed(0)}m of ${CPU_LIMIT}, ${mib.toFixed(0)} MiB`;
    between(milliCpu, 120, 260, "processor of the pod, in thousandths");
    between(mib, HELD_MIB, HELD_MIB + 40, "memory of the pod, MiB");
    between(processes, 5, 6, "processes of the pod");
    assert.ok((container?.cpu.psi?.some.total ?? 0) > 0, "stalls of the pod");
    assert.ok((node.cpu.psi?.some.total ?? 0) > 0, "stalls of the node");
    assert.ok((node.cpu.usageNanoCores ?? 0) > 0, "processor of the node");
    between(node.memory.workingSetBytes / MIB, 200, 1800, "the node, MiB");
    between(node.memory.availableBytes / MIB, 200, 1800, "what is left, MiB");
  }, 60_000);
  return seen;
}

async function cadvisor(rig: Rig): Promise<void> {
  const text = await ask(rig, "/metrics/cadvisor");
  const of = (name: string) => {
    const lines = text.split("\n").filter((line) =>
      line.startsWith(`${name}{`) && line.includes('pod="busy"') &&
      line.includes('container="app"')
    );
    assert.equal(lines.length, 1, `series ${name} of the container`);
    // Its value; the time comes after.
    return Number(lines[0]?.replace(/^.*\} /, "").split(" ")[0]);
  };
  assert.ok(of("container_pressure_cpu_waiting_seconds_total") > 0);
  assert.ok(of("container_cpu_cfs_throttled_periods_total") > 0);
  assert.equal(of("container_spec_memory_limit_bytes"), 128 * MIB);
  assert.equal(of("container_spec_cpu_quota"), 20_000);
  assert.equal(of("container_spec_cpu_period"), 100_000);
  const used = of("container_memory_working_set_bytes") / MIB;
  between(used, HELD_MIB, HELD_MIB + 40, "memory by cadvisor's name, MiB");
  const own = of("container_memory_rss") / MIB;
  between(own, HELD_MIB, HELD_MIB + 40, "memory of its own, MiB");
}

async function resource(rig: Rig): Promise<void> {
  const text = await ask(rig, "/metrics/resource");
  const of = (name: string, labels: string) => {
    const line = text.split("\n").find((line) =>
      line.startsWith(`${name}${labels === "" ? " " : "{"}`) &&
      line.includes(labels)
    );
    assert.ok(line !== undefined, `series ${name} ${labels}`);
    return Number(line.replace(/^\w+(\{.*\})? /, "").split(" ")[0]);
  };
  const pod = 'pod="busy"';
  assert.ok(of("node_cpu_usage_seconds_total", "") > 0);
  assert.ok(of("node_memory_working_set_bytes", "") > 0);
  assert.ok(of("pod_cpu_usage_seconds_total", pod) > 0);
  assert.ok(of("container_cpu_usage_seconds_total", pod) > 0);
  const used = of("container_memory_working_set_bytes", pod) / MIB;
  between(used, HELD_MIB, HELD_MIB + 40, "memory of the container, MiB");
  assert.ok(of("pod_memory_working_set_bytes", pod) / MIB >= HELD_MIB);
}

function between(value: number, least: number, most: number, what: string) {
  assert.ok(
    value >= least && value <= most,
    `${what}: ${value}, not within ${least} and ${most}`,
  );
}
