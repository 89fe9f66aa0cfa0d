/**
 * What a pod's cgroup and those above whole classes of pods may use. Asked by
 * the plan of a new sandbox and by the loop that keeps the tree.
 * Compat: kubelet 1.36 ResourceConfigForPod, EnsureExists,
 * setCPUCgroupConfig, setHugePagesUnbounded, setMemoryReserve; gate
 * PodLevelResources (on).
 */
import { podLimit } from "../api/pod_limit.ts";
import { type QosClass, qosClass } from "../api/qos.ts";
import { milliUnits, parseQuantity, units } from "../api/quantity.ts";
import { type Amounts, requestsOf } from "../api/requests.ts";
import { cpuQuotaUs, cpuShares } from "../api/resources.ts";
import type { V1Pod } from "../api/types.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { PodSettings } from "./facts.ts";
import {
  classProtection,
  podProtection,
  requestedMemory,
} from "./memory_qos.ts";
import { cgroupParent, podTiers } from "./paths.ts";

const HUGE_PAGES = "hugepages-";
const LEAST_SHARES = 2n;
/** More than any machine has. */
const UNBOUNDED = 1n << 62n;
const NO_QUOTA = -1n;

export interface PlannedCgroup {
  readonly path: string;
  readonly values: CgroupValues;
}

/** Undefined: the agent keeps no cgroups. */
export function podCgroup(
  settings: PodSettings,
  pod: V1Pod,
): PlannedCgroup | undefined {
  if (!settings.usesQosCgroups) return undefined;
  const { podPidsLimit, machine } = settings;
  return {
    path: cgroupParent(settings, pod),
    values: {
      ...cpuAndMemory(settings, pod),
      ...podProtection(settings, pod),
      ...podPidsLimit > 0n ? { pidsLimit: podPidsLimit } : {},
      hugePageLimits: hugePages(requestsOf(pod), machine.hugePageSizes),
    },
  };
}

/** Above burstable pods and above those of best effort. */
export function classCgroups(
  settings: PodSettings,
  active: readonly V1Pod[],
): readonly PlannedCgroup[] {
  const milliCpu = active.filter((pod) => qosClass(pod) === "Burstable")
    .reduce(
      (sum, pod) => sum + milliUnits(requestsOf(pod).get("cpu") ?? 0n),
      0n,
    );
  const [burstable, bestEffort] = podTiers(settings).classes;
  if (burstable === undefined || bestEffort === undefined) return [];
  const hugePageLimits = new Map(
    settings.machine.hugePageSizes.map((size) => [size, UNBOUNDED]),
  );
  const limits = classLimits(settings, active);
  return [
    {
      path: burstable,
      values: {
        cpuShares: cpuShares(milliCpu),
        hugePageLimits,
        ...limits.burstable,
        ...classProtection(settings, active, "Burstable"),
      },
    },
    {
      path: bestEffort,
      values: {
        cpuShares: LEAST_SHARES,
        hugePageLimits,
        ...limits.bestEffort,
        ...classProtection(settings, active, "BestEffort"),
      },
    },
  ];
}

/** What classes may take without touching what those above them ask for. */
function classLimits(
  settings: PodSettings,
  active: readonly V1Pod[],
): { readonly burstable: CgroupValues; readonly bestEffort: CgroupValues } {
  const { memoryReservePercent: percent, allocatableMemoryBytes } = settings;
  if (percent === undefined || allocatableMemoryBytes <= 0n) {
    return { burstable: {}, bestEffort: {} };
  }
  const keptFor = (qos: QosClass) =>
    requestedMemory(active, qos) * percent / 100n;
  const burstable = allocatableMemoryBytes - keptFor("Guaranteed");
  const bestEffort = burstable - keptFor("Burstable");
  const limit = (bytes: bigint) => ({
    memoryLimitBytes: bytes < 0n ? 0n : bytes,
    mayLimitToUse: true,
  } as const);
  return { burstable: limit(burstable), bestEffort: limit(bestEffort) };
}

/** For every size the kernel has: what is listed of it, or nothing. */
export function hugePages(
  amounts: Amounts,
  sizesBytes: readonly bigint[],
): ReadonlyMap<bigint, bigint> {
  const limits = new Map(sizesBytes.map((size) => [size, 0n]));
  for (const [name, amount] of amounts) {
    if (!name.startsWith(HUGE_PAGES)) continue;
    const size = parseQuantity(name.slice(HUGE_PAGES.length));
    if (size === undefined) continue;
    const bytes = units(size);
    // Of a size that this kernel has not, there is nothing to limit.
    if (!limits.has(bytes)) continue;
    limits.set(bytes, (limits.get(bytes) ?? 0n) + units(amount));
  }
  return limits;
}

function cpuAndMemory(settings: PodSettings, pod: V1Pod): CgroupValues {
  if (qosClass(pod) === "BestEffort") return { cpuShares: LEAST_SHARES };
  const cpu = podLimit(pod, "cpu");
  const memory = podLimit(pod, "memory") ?? 0n;
  return {
    cpuShares: cpuShares(milliUnits(requestsOf(pod).get("cpu") ?? 0n)),
    ...cpu === undefined ? {} : quota(settings.cpuPeriodUs, milliUnits(cpu)),
    ...memory > 0n ? { memoryLimitBytes: units(memory) } : {},
  };
}

function quota(periodUs: bigint | undefined, milliCpu: bigint): CgroupValues {
  // A quota that an agent with other settings made is taken back.
  if (periodUs === undefined) return { cpuQuotaUs: NO_QUOTA };
  if (milliCpu <= 0n) return { cpuPeriodUs: periodUs };
  return {
    cpuPeriodUs: periodUs,
    cpuQuotaUs: cpuQuotaUs(milliCpu, periodUs),
  };
}
