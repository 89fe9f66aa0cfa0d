/**
 * Values of a cgroup as the kernel's files take them, for both versions.
 * Compat: kubelet 1.36 toResources, getCPUWeight; libcontainer's fs and fs2.
 */
import { MOST_SHARES, pageSizeText } from "../api/resources.ts";
import type { CgroupValues } from "../port/cgroups.ts";

export type Controller = "cpu" | "memory" | "pids" | "hugetlb";

export interface CgroupWrite {
  readonly controller: Controller;
  readonly file: string;
  readonly text: string;
  /** Kernels without this file are as good. */
  readonly isOptional?: true;
  /** Where more than that is in use: the file that tells how much. */
  readonly orUseIn?: string;
}

const MOST_WEIGHT = 10_000n;
const PERIOD_US = 100_000n;

/** In the order in which they are written. */
export function cgroupWrites(
  version: 1 | 2,
  values: CgroupValues,
): readonly CgroupWrite[] {
  const { pidsLimit, hugePageLimits } = values;
  return [
    ...version === 1 ? cpu1(values) : cpu2(values),
    ...memory(version, values),
    ...pidsLimit === undefined ? [] : [
      {
        controller: "pids",
        file: "pids.max",
        text: pidsText(pidsLimit),
      } as const,
    ],
    ...[...hugePageLimits ?? []].flatMap(([size, limit]) =>
      hugePages(version, pageSizeText(size), String(limit))
    ),
  ];
}

/** Compat: kubelet 1.36: linear, unlike newer runtimes for containers. */
export function cpuWeight(shares: bigint): bigint {
  if (shares >= MOST_SHARES) return MOST_WEIGHT;
  return 1n + (shares - 2n) * 9_999n / 262_142n;
}

/** True when the kernel shows what it was told, which it rounds to pages. */
export function isSet(shown: string, { controller, text }: CgroupWrite) {
  const now = shown.trim();
  if (now === text) return true;
  if (controller !== "memory" || !/^\d+$/.test(now)) return false;
  return BigInt(now) === BigInt(text) / 4096n * 4096n;
}

/** Nothing is none at all to libcontainer, which then writes 1. */
function pidsText(limit: bigint): string {
  return limit < 0n ? "max" : limit === 0n ? "1" : String(limit);
}

/** Protection comes first: a limit may take memory back. */
function memory(version: 1 | 2, values: CgroupValues): CgroupWrite[] {
  const { memoryMinBytes, memoryLowBytes, memoryLimitBytes } = values;
  const guards = version === 1 ? [] : [
    ["memory.min", memoryMinBytes] as const,
    ["memory.low", memoryLowBytes] as const,
  ];
  const [limit, use] = version === 1
    ? ["memory.limit_in_bytes", "memory.usage_in_bytes"] as const
    : ["memory.max", "memory.current"] as const;
  return [
    ...guards.flatMap(([file, bytes]): CgroupWrite[] => {
      if (bytes === undefined) return [];
      const write = { controller: "memory", file, text: `${bytes}` } as const;
      return [bytes === 0n ? { ...write, isOptional: true } : write];
    }),
    ...memoryLimitBytes === undefined ? [] : [
      {
        controller: "memory",
        file: limit,
        text: String(memoryLimitBytes),
        ...values.mayLimitToUse ? { orUseIn: use } : {},
      } as const,
    ],
  ];
}

function cpu1(values: CgroupValues): CgroupWrite[] {
  const { cpuShares, cpuPeriodUs, cpuQuotaUs } = values;
  // Quotas are checked against the period, so that comes first.
  return [
    ["cpu.shares", cpuShares] as const,
    ["cpu.cfs_period_us", cpuPeriodUs] as const,
    ["cpu.cfs_quota_us", cpuQuotaUs] as const,
  ].flatMap(([file, value]) =>
    value === undefined
      ? []
      : [{ controller: "cpu", file, text: `${value}` } as const]
  );
}

function cpu2(values: CgroupValues): CgroupWrite[] {
  const { cpuShares, cpuPeriodUs = PERIOD_US, cpuQuotaUs } = values;
  return [
    ...cpuShares === undefined ? [] : [
      {
        controller: "cpu",
        file: "cpu.weight",
        text: String(cpuWeight(cpuShares)),
      } as const,
    ],
    ...cpuQuotaUs === undefined ? [] : [
      {
        controller: "cpu",
        file: "cpu.max",
        text: `${cpuQuotaUs < 0n ? "max" : cpuQuotaUs} ${cpuPeriodUs}`,
      } as const,
    ],
  ];
}

function hugePages(
  version: 1 | 2,
  size: string,
  text: string,
): CgroupWrite[] {
  const end = version === 1 ? "limit_in_bytes" : "max";
  return [
    { controller: "hugetlb", file: `hugetlb.${size}.${end}`, text },
    {
      controller: "hugetlb",
      file: `hugetlb.${size}.rsvd.${end}`,
      text,
      isOptional: true,
    },
  ];
}
