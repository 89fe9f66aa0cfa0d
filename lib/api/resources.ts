/**
 * Requests and limits of containers and pods as the runtime takes them.
 * Compat: kubelet 1.36 calculateLinuxResources, MilliCPUToShares,
 * MilliCPUToQuota, GetHugepageLimitsFromResources; gate PodLevelResources (on).
 */
import { amountOf } from "./qos.ts";
import { milliUnits, parseQuantity, type Quantity, units } from "./quantity.ts";
import { limitsOf, ownRequestsOf } from "./requests.ts";
import type { V1Container, V1Pod } from "./types.ts";

const SHARES_PER_CPU = 1024n;
const LEAST_SHARES = 2n;
export const MOST_SHARES = 262_144n;
const LEAST_QUOTA_US = 1000n;
const HUGE_PAGES = "hugepages-";
const KIB = 1024n;

export interface CpuAndMemory {
  readonly cpuShares: bigint;
  /** 0: no quota. */
  readonly cpuQuotaUs: bigint;
  readonly cpuPeriodUs: bigint;
  /** 0: no limit. */
  readonly memoryLimitBytes: bigint;
}

/** How much of a resource, whatever unit the resource is counted in. */
interface Amounts {
  /** Undefined: nothing is said of it; the limit speaks then. */
  readonly cpuRequest: Quantity | undefined;
  readonly cpuLimit: Quantity | undefined;
  readonly memoryLimit: Quantity | undefined;
}

/**
 * Of a container. Where it has no limit of its own, the pod's holds.
 * `periodUs` is the CFS period; undefined when quotas are switched off.
 */
export function cpuAndMemory(
  pod: V1Pod,
  container: V1Container,
  periodUs: bigint | undefined,
): CpuAndMemory {
  const { requests, limits } = container.resources ?? {};
  const whole = pod.spec?.resources?.limits;
  return linuxAmounts({
    cpuRequest: said(requests, "cpu"),
    cpuLimit: amountOf(limits, "cpu") ?? amountOf(whole, "cpu"),
    memoryLimit: amountOf(limits, "memory") ?? amountOf(whole, "memory"),
  }, periodUs);
}

/** Of a pod as a whole, without its overhead: what its sandbox is told. */
export function podCpuAndMemory(
  pod: V1Pod,
  periodUs: bigint | undefined,
): CpuAndMemory {
  const limits = limitsOf(pod);
  return linuxAmounts({
    cpuRequest: ownRequestsOf(pod).get("cpu"),
    cpuLimit: limits.get("cpu"),
    memoryLimit: limits.get("memory"),
  }, periodUs);
}

/** What a runtime class costs: as if it were guaranteed. */
export function overheadCpuAndMemory(
  pod: V1Pod,
  periodUs: bigint | undefined,
): CpuAndMemory | undefined {
  const overhead = pod.spec?.overhead;
  if (overhead === undefined || overhead === null) return undefined;
  const cpu = said(overhead, "cpu") ?? 0n;
  return linuxAmounts({
    cpuRequest: cpu,
    cpuLimit: cpu,
    memoryLimit: said(overhead, "memory"),
  }, periodUs);
}

/**
 * A limit for every size that the kernel has: the container's, else the pod's,
 * else none may be used.
 */
export function hugePageLimits(
  pod: V1Pod,
  container: V1Container,
  sizesBytes: readonly bigint[],
): { readonly pageSize: string; readonly limitBytes: bigint }[] {
  const wanted = new Map([
    ...hugePagesIn(pod.spec?.resources?.limits),
    ...hugePagesIn(container.resources?.limits),
  ]);
  return sizesBytes.map((size) => ({
    pageSize: pageSizeText(size),
    limitBytes: wanted.get(size) ?? 0n,
  }));
}

function hugePagesIn(
  list: Readonly<Record<string, string>> | undefined,
): [bigint, bigint][] {
  return Object.entries(list ?? {}).flatMap(([name, text]) => {
    if (!name.startsWith(HUGE_PAGES)) return [];
    const size = parseQuantity(name.slice(HUGE_PAGES.length));
    const amount = parseQuantity(text);
    if (size === undefined || amount === undefined) return [];
    return [[units(size), units(amount)]];
  });
}

/** Compat: kubelet 1.36 HugePageUnitSizeFromByteSize: `2MB`, `1GB`, `64KB`. */
export function pageSizeText(bytes: bigint): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let size = bytes;
  let index = 0;
  while (size >= KIB && size % KIB === 0n && index < units.length - 1) {
    size /= KIB;
    index++;
  }
  return `${size}${units[index]}`;
}

/** An amount that somebody wrote, even of nothing. */
function said(
  list: Readonly<Record<string, string>> | undefined,
  resource: string,
): Quantity | undefined {
  const text = list?.[resource];
  return text === undefined ? undefined : parseQuantity(text);
}

function linuxAmounts(
  { cpuRequest, cpuLimit = 0n, memoryLimit = 0n }: Amounts,
  periodUs: bigint | undefined,
): CpuAndMemory {
  return {
    cpuShares: cpuShares(milliUnits(cpuRequest ?? cpuLimit)),
    cpuQuotaUs: cpuLimit <= 0n || periodUs === undefined
      ? 0n
      : cpuQuotaUs(milliUnits(cpuLimit), periodUs),
    cpuPeriodUs: periodUs ?? 0n,
    memoryLimitBytes: memoryLimit > 0n ? units(memoryLimit) : 0n,
  };
}

/** Compat: kubelet 1.36 MilliCPUToShares. */
export function cpuShares(milliCpu: bigint): bigint {
  const count = milliCpu * SHARES_PER_CPU / 1000n;
  if (count < LEAST_SHARES) return LEAST_SHARES;
  return count > MOST_SHARES ? MOST_SHARES : count;
}

/** Of a limit above 0. Compat: kubelet 1.36 MilliCPUToQuota. */
export function cpuQuotaUs(milliCpu: bigint, periodUs: bigint): bigint {
  const quota = milliCpu * periodUs / 1000n;
  return quota < LEAST_QUOTA_US ? LEAST_QUOTA_US : quota;
}
