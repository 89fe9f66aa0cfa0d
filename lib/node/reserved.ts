/**
 * What the cgroups of the system and of Kubernetes may use, where what is
 * reserved for them is enforced on them; and whether more is reserved than
 * there is. Asked by the wiring for the loop that keeps cgroups.
 * Compat: kubelet 1.36 enforceNodeAllocatableCgroups, enforceExistingCgroup,
 * getCgroupConfigInternal, validateNodeAllocatable. Not copied: that every
 * processor is named in `cpuset.cpus`, which is so without a word.
 */
import {
  type CgroupDriver,
  cgroupName,
  cgroupPath,
  isCgroupName,
  printedName,
} from "../api/cgroup_name.ts";
import { milliUnits, type Quantity, units } from "../api/quantity.ts";
import { quantityText } from "../api/quantity_text.ts";
import { cpuShares } from "../api/resources.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { MachineFacts } from "../port/machine.ts";
import { binaryText, whole } from "./amount.ts";
import { reserved } from "./capacity.ts";
import type { Reservation } from "./types.ts";

type Owner = "system" | "kube";

export interface ReservedFacts {
  readonly enforced: readonly string[];
  readonly reservation: Pick<Reservation, Owner>;
  /** As configured. */
  readonly cgroups: Readonly<Record<Owner, string>>;
  readonly driver: CgroupDriver;
  readonly hugePageSizes: readonly bigint[];
  /** What is reserved is never taken back; gate MemoryQoS, version 2. */
  readonly isMemoryKept: boolean;
}

/** A cgroup that somebody else made and that gets limits here. */
export interface ReservedCgroup {
  readonly owner: Owner;
  /** As it was configured; events say it so. */
  readonly configured: string;
  /** `System Reserved`, as a failure is told. */
  readonly title: string;
  /** `["system"]` */
  readonly name: string;
  /** In words: why the configuration makes no sense. */
  readonly wanted:
    | { readonly path: string; readonly values: CgroupValues }
    | string;
}

const KINDS = [
  { word: "system-reserved", owner: "system", title: "System Reserved" },
  { word: "kube-reserved", owner: "kube", title: "Kube Reserved" },
  {
    word: "system-reserved-compressible",
    owner: "system",
    title: "System Reserved Compressible",
  },
  {
    word: "kube-reserved-compressible",
    owner: "kube",
    title: "Kube Reserved Compressible",
  },
] as const;

/** In the order in which they are enforced. */
export function reservedCgroups(facts: ReservedFacts): ReservedCgroup[] {
  return KINDS.filter(({ word }) => facts.enforced.includes(word))
    .map(({ word, owner, title }) => {
      const configured = facts.cgroups[owner];
      const parts = cgroupName(configured, facts.driver);
      const amounts = facts.reservation[owner];
      const name = printedName(parts);
      const path = cgroupPath(parts, facts.driver);
      const part = word.endsWith("-compressible") ? "compressible" : "all";
      const wanted = amounts.size > 0 && isCgroupName(parts)
        ? { path, values: valuesOf(facts, amounts, part) }
        : `${name} cgroup is not configured properly`;
      return { owner, configured, title, name, wanted };
    });
}

function valuesOf(
  { hugePageSizes, isMemoryKept }: ReservedFacts,
  amounts: ReadonlyMap<string, Quantity>,
  part: "all" | "compressible",
): CgroupValues {
  const cpu = amounts.get("cpu");
  const [memory = 0n, pids] = part === "all"
    ? [amounts.get("memory"), amounts.get("pid")]
    : [];
  return {
    ...cpu === undefined ? {} : { cpuShares: cpuShares(milliUnits(cpu)) },
    // Compat: a limit of nothing is none.
    ...memory > 0n ? { memoryLimitBytes: units(memory) } : {},
    ...memory > 0n && isMemoryKept ? { memoryMinBytes: units(memory) } : {},
    ...pids === undefined ? {} : { pidsLimit: units(pids) },
    // Compat: sizes that nobody reserved are reserved for nobody.
    hugePageLimits: new Map(hugePageSizes.map((size) => [size, 0n])),
  };
}

function countText(quantity: Quantity): string {
  return quantityText(quantity, "decimal");
}

/** Why the node cannot give what it shall keep back; undefined: it can. */
export function overReserved(
  reservation: Reservation,
  machine: Pick<MachineFacts, "cpuCount" | "memoryBytes">,
  rootBytes: bigint | undefined,
): string | undefined {
  const capacity = [
    ["cpu", whole(BigInt(machine.cpuCount)), countText],
    ["memory", whole(machine.memoryBytes), binaryText],
    ...rootBytes === undefined
      ? []
      : [["ephemeral-storage", whole(rootBytes), binaryText] as const],
  ] as const;
  const broken = capacity.flatMap(([name, has, textOf]) => {
    const kept = reserved(reservation, name, has);
    if (kept <= has) return [];
    return [
      `Resource ${JSON.stringify(name)} has a reservation of ` +
      `${textOf(kept)} but capacity of ${textOf(has)}. ` +
      "Expected capacity >= reservation.",
    ];
  });
  if (broken.length === 0) return undefined;
  return `invalid Node Allocatable configuration. ${broken.join(" ")}`;
}
