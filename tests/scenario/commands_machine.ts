/** What the commands of a story do to the machine under the node. */
import { nameOf } from "../../lib/api/pod.ts";
import { parseQuantity, units } from "../../lib/api/quantity.ts";
import { cgroupParent } from "../../lib/pod/paths.ts";
import { SETTINGS } from "../build.ts";
import { A_FILESYSTEM, aUse } from "../fakes/fake_usage.ts";
import type { PodWorld } from "../fakes/pod_world.ts";
import { fullName } from "../fakes/pod_world_trace.ts";
import type { Run } from "./story.ts";

/** The agent's and the fake runtime's. */
const DISK_PATHS = ["/var/lib/kubelet", "/var/lib/fake"];

/** The fake runtime may have either. */
const DRIVERS = ["systemd", "cgroupfs"] as const;

export const MACHINE_COMMANDS: ReadonlyMap<string, Run> = new Map<string, Run>([
  // memory node|POD 300Mi: what is in use, which nobody can give back.
  ["memory", (world, [who = "", amount = ""]) => {
    const bytes = units(parseQuantity(amount) ?? 0n);
    for (const cgroup of cgroupsOf(world, who)) use(world, cgroup, bytes);
    useInside(world, who, bytes);
  }],
  // disk 5%: how much of the node's one disk is free.
  ["disk", (world, [share = ""]) => {
    const percent = BigInt(share.replace("%", ""));
    const availableBytes = A_FILESYSTEM.capacityBytes * percent / 100n;
    for (const path of DISK_PATHS) {
      world.usage.filesystems.set(path, { ...A_FILESYSTEM, availableBytes });
    }
    if (world.usage.cgroups.size === 0) use(world, "/", 0n);
  }],
  // explain-node: the lines about what is measured and who would go.
  [
    "explain-node",
    (world) =>
      world.view.loops().filter(({ name }) => /<|eviction/.test(name))
        .map(({ name, detail }) => `${name}: ${detail}`),
  ],
]);

function cgroupsOf(world: PodWorld, who: string): readonly string[] {
  if (who === "node") return ["/"];
  return world.view.pods()
    .filter(({ pod }) => [who, fullName(who)].includes(nameOf(pod)))
    .flatMap(({ pod }) =>
      DRIVERS.map((cgroupDriver) =>
        cgroupParent({ ...SETTINGS, cgroupDriver }, pod)
      )
    );
}

/** Each of its containers as well. */
function useInside(world: PodWorld, who: string, workingSetBytes: bigint) {
  const { containers, usage } = world.runtime.world;
  for (const { id, sandbox: { spec } } of containers.values()) {
    if (![who, fullName(who)].includes(spec.podName)) continue;
    usage.set(id, { coreNanoseconds: 0n, workingSetBytes, writableBytes: 0n });
  }
}

function use(world: PodWorld, cgroup: string, workingSetBytes: bigint): void {
  const { memory, ...rest } = aUse(world.clock.nowMs());
  if (memory === undefined) return;
  world.usage.cgroups.set(cgroup, {
    ...rest,
    memory: { ...memory, workingSetBytes, usageBytes: workingSetBytes },
  });
}
