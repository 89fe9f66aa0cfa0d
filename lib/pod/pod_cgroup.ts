/**
 * What a pod's cgroup and those above whole classes of pods may use. Asked by
 * the plan of a new sandbox and by the loop that keeps the tree.
 * Compat: kubelet 1.36 ResourceConfigForPod, EnsureExists,
 * setCPUCgroupConfig, setHugePagesUnbounded; gate PodLevelResources (on),
 * MemoryQoS and QOSReserved (off).
 */
import { amountOf, qosClass } from "../api/qos.ts";
import { milliUnits, parseQuantity, units } from "../api/quantity.ts";
import { type Amounts, limitsOf, requestsOf } from "../api/requests.ts";
import { cpuQuotaUs, cpuShares } from "../api/resources.ts";
import type { V1Pod } from "../api/types.ts";
import type { CgroupValues } from "../port/host.ts";
import type { PodSettings } from "./facts.ts";
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
  return [
    {
      path: burstable,
      values: { cpuShares: cpuShares(milliCpu), hugePageLimits },
    },
    {
      path: bestEffort,
      values: { cpuShares: LEAST_SHARES, hugePageLimits },
    },
  ];
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
  const qos = qosClass(pod);
  if (qos === "BestEffort") return { cpuShares: LEAST_SHARES };
  const isWhole = qos === "Guaranteed";
  const cpu = limitWithOverhead(pod, "cpu");
  const memory = limitWithOverhead(pod, "memory");
  const mayLimitCpu = isWhole || isLimited(pod, "cpu");
  const mayLimitMemory = isWhole || isLimited(pod, "memory");
  return {
    cpuShares: cpuShares(milliUnits(requestsOf(pod).get("cpu") ?? 0n)),
    ...mayLimitCpu ? quota(settings.cpuPeriodUs, milliUnits(cpu)) : {},
    ...mayLimitMemory && memory > 0n ? { memoryLimitBytes: units(memory) } : {},
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

/** Overhead widens a limit; alone it is none. Compat: component-helpers PodLimits. */
function limitWithOverhead(pod: V1Pod, resource: string): bigint {
  const limit = limitsOf(pod).get(resource) ?? 0n;
  if (limit <= 0n) return 0n;
  return limit + (amountOf(pod.spec?.overhead, resource) ?? 0n);
}

/** The pod has a limit, or each of its containers has. */
function isLimited({ spec }: V1Pod, resource: string): boolean {
  if (amountOf(spec?.resources?.limits, resource) !== undefined) return true;
  return [...spec?.containers ?? [], ...spec?.initContainers ?? []]
    .every(({ resources }) =>
      amountOf(resources?.limits, resource) !== undefined
    );
}
