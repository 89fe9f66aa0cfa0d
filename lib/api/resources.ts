/**
 * A container's requests and limits as the runtime takes them.
 * Compat: kubelet 1.36 calculateLinuxResources, MilliCPUToShares,
 * MilliCPUToQuota.
 */
import { amountOf } from "./qos.ts";
import { milliUnits, units } from "./quantity.ts";
import type { V1Container } from "./types.ts";

const SHARES_PER_CPU = 1024n;
const LEAST_SHARES = 2n;
const MOST_SHARES = 262_144n;
const LEAST_QUOTA_US = 1000n;

export interface CpuAndMemory {
  readonly cpuShares: bigint;
  /** 0: no quota. */
  readonly cpuQuotaUs: bigint;
  readonly cpuPeriodUs: bigint;
  /** 0: no limit. */
  readonly memoryLimitBytes: bigint;
}

/** `periodUs` is the CFS period; undefined when quotas are switched off. */
export function cpuAndMemory(
  container: V1Container,
  periodUs: bigint | undefined,
): CpuAndMemory {
  const { requests, limits } = container.resources ?? {};
  const cpuLimit = amountOf(limits, "cpu");
  const cpuRequest = amountOf(requests, "cpu") ??
    (requests?.["cpu"] === undefined ? cpuLimit : undefined);
  const memoryLimit = amountOf(limits, "memory");
  return {
    cpuShares: shares(cpuRequest === undefined ? 0n : milliUnits(cpuRequest)),
    cpuQuotaUs: cpuLimit === undefined || periodUs === undefined
      ? 0n
      : quotaUs(milliUnits(cpuLimit), periodUs),
    cpuPeriodUs: periodUs ?? 0n,
    memoryLimitBytes: memoryLimit === undefined ? 0n : units(memoryLimit),
  };
}

function shares(milliCpu: bigint): bigint {
  const count = milliCpu * SHARES_PER_CPU / 1000n;
  if (count < LEAST_SHARES) return LEAST_SHARES;
  return count > MOST_SHARES ? MOST_SHARES : count;
}

function quotaUs(milliCpu: bigint, periodUs: bigint): bigint {
  const quota = milliCpu * periodUs / 1000n;
  return quota < LEAST_QUOTA_US ? LEAST_QUOTA_US : quota;
}
