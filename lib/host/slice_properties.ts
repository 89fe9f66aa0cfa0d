/**
 * A pod's cgroup as systemd names it: the unit of its path, and its values as
 * properties of that unit. Pure; `systemd_slices.ts` tells them.
 * Compat: kubelet 1.36 by libcontainer's systemd manager for cgroups.
 */
import type { CgroupValues } from "../port/cgroups.ts";
import { cpuWeight } from "./cgroup_text.ts";
import type { Property } from "./dbus_values.ts";

const SUFFIX = ".slice";
const SECOND_US = 1_000_000n;
/** One percent: systemd rounds down to it. */
const PERCENT_US = 10_000n;
const DEFAULT_PERIOD_US = 100_000n;
/** How systemd writes that there is no limit. */
const UNLIMITED = (1n << 64n) - 1n;

/** The unit of a cgroup; undefined: systemd knows none of that name. */
export function sliceOf(cgroupPath: string): string | undefined {
  const name = cgroupPath.slice(cgroupPath.lastIndexOf("/") + 1);
  return name.endsWith(SUFFIX) ? name : undefined;
}

/** What the unit is, whatever its values. */
export function sliceBasics(cgroupPath: string): readonly Property[] {
  const parent = cgroupPath.split("/").at(-2) ?? "";
  const yes = (name: string): Property => ({
    name,
    value: { type: "b", value: true },
  });
  return [
    {
      name: "Description",
      value: { type: "s", value: `Pods of Kubernetes: ${sliceOf(cgroupPath)}` },
    },
    // Or it would end before the services at a shutdown, and pods with it.
    { name: "DefaultDependencies", value: { type: "b", value: false } },
    ...parent === ""
      ? []
      : [{ name: "Wants", value: { type: "as", value: [parent] } } as const],
    ...["CPUAccounting", "MemoryAccounting", "TasksAccounting"].map(yes),
  ];
}

/**
 * Of these values, those that systemd has a word for; it has none for huge
 * pages and leaves them alone.
 */
export function sliceValues(
  version: 1 | 2,
  values: CgroupValues,
): readonly Property[] {
  const { cpuShares, pidsLimit } = values;
  const number = (name: string, value: bigint): Property => ({
    name,
    value: { type: "t", value },
  });
  const isTwo = version === 2;
  return [
    ...cpuShares === undefined ? [] : [
      isTwo
        ? number("CPUWeight", cpuWeight(cpuShares))
        : number("CPUShares", cpuShares),
    ],
    ...quota(values).map(([name, value]) => number(name, value)),
    ...memory(version, values).map(([name, value]) => number(name, value)),
    ...pidsLimit === undefined
      ? []
      : [number("TasksMax", pidsLimit < 0n ? UNLIMITED : pidsLimit)],
  ];
}

function memory(
  version: 1 | 2,
  { memoryMinBytes, memoryLowBytes, memoryLimitBytes }: CgroupValues,
): readonly (readonly [string, bigint])[] {
  const all = version === 2
    ? [
      ["MemoryMin", memoryMinBytes] as const,
      ["MemoryLow", memoryLowBytes] as const,
      ["MemoryMax", memoryLimitBytes] as const,
    ]
    : [["MemoryLimit", memoryLimitBytes] as const];
  return all.flatMap(([name, bytes]) =>
    bytes === undefined ? [] : [[name, bytes] as const]
  );
}

/** Rounded up to what systemd keeps, so that containers fit in. */
function quota(
  { cpuQuotaUs, cpuPeriodUs = DEFAULT_PERIOD_US }: CgroupValues,
): readonly (readonly [string, bigint])[] {
  if (cpuQuotaUs === undefined) return [];
  if (cpuQuotaUs < 0n) return [["CPUQuotaPerSecUSec", UNLIMITED]];
  const perSecond = cpuQuotaUs * SECOND_US / cpuPeriodUs;
  const percents = (perSecond + PERCENT_US - 1n) / PERCENT_US;
  return [
    ["CPUQuotaPeriodUSec", cpuPeriodUs],
    ["CPUQuotaPerSecUSec", percents * PERCENT_US],
  ];
}
