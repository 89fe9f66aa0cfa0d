/**
 * What all pods together may use of the node: the values of the cgroup above
 * them. The part that eviction keeps free is theirs to use, or it could never
 * be met.
 * Compat: kubelet 1.36 getNodeAllocatableInternalAbsolute,
 * getCgroupConfigInternal.
 */
import { milliUnits, type Quantity, units } from "../api/quantity.ts";
import { cpuShares } from "../api/resources.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { MachineFacts } from "../port/machine.ts";
import { binaryText, whole } from "./amount.ts";
import type { Reservation } from "./types.ts";

/** What of `enforceNodeAllocatable` is about the cgroup of all pods. */
const PODS = "pods";

export interface ShareFacts {
  readonly machine: Pick<
    MachineFacts,
    "cpuCount" | "memoryBytes" | "hugePages"
  >;
  /** How many processes the kernel can have; 0: unknown. */
  readonly mostProcesses: bigint;
  readonly reservation: Pick<Reservation, "system" | "kube">;
  readonly enforced: readonly string[];
}

export function podsShare(facts: ShareFacts): CgroupValues {
  const { machine, mostProcesses } = facts;
  const left = (name: string, capacity: Quantity) =>
    leftOf(facts, name, capacity);
  const cpu = left("cpu", whole(BigInt(machine.cpuCount)));
  const pids = left("pid", whole(mostProcesses));
  const memory = left("memory", whole(machine.memoryBytes));
  return {
    cpuShares: cpuShares(milliUnits(cpu)),
    // Compat: a limit of nothing is none; a node without room takes no pod.
    ...memory > 0n ? { memoryLimitBytes: units(memory) } : {},
    ...pids > 0n ? { pidsLimit: units(pids) } : {},
    hugePageLimits: new Map(
      machine.hugePages.map(({ sizeBytes, count }) => {
        const name = `hugepages-${binaryText(whole(sizeBytes))}`;
        return [sizeBytes, units(left(name, whole(sizeBytes * count)))];
      }),
    ),
  };
}

function leftOf(
  { enforced, reservation: { system, kube } }: ShareFacts,
  name: string,
  capacity: Quantity,
): Quantity {
  if (!enforced.includes(PODS)) return capacity;
  const left = capacity - (system.get(name) ?? 0n) - (kube.get(name) ?? 0n);
  return left < 0n ? 0n : left;
}
