/**
 * What the node has and what of it pods may use: reservations, the part that
 * hard eviction keeps free, and huge pages taken off.
 * Compat: kubelet 1.36 nodestatus.MachineInfo, GetNodeAllocatableReservation,
 * hardEvictionReservation.
 */
import { type Quantity, units } from "../api/quantity.ts";
import type { MachineFacts } from "../port/machine.ts";
import { quantityText } from "../api/quantity_text.ts";
import { binaryText, whole } from "./amount.ts";
import type {
  DeviceResources,
  NodeSettings,
  Reservation,
  Threshold,
} from "./types.ts";

const CPU = "cpu";
const MEMORY = "memory";
const STORAGE = "ephemeral-storage";
const PODS = "pods";
const HUGE_PAGES = "hugepages-";

export interface Resources {
  readonly capacity: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
}

export interface CapacityFacts {
  readonly settings: Pick<
    NodeSettings,
    "maxPods" | "podsPerCore" | "reservation" | "isStorageIsolated"
  >;
  readonly machine: MachineFacts;
  /** Size of the file system of the root directory, once measured. */
  readonly rootBytes: bigint | undefined;
  readonly devices: DeviceResources;
  /** Capacity in the API; what others advertised there is kept. */
  readonly known: ReadonlyMap<string, string>;
}

/** Capacity and allocatable, as texts. */
export function resources(facts: CapacityFacts): Resources {
  const own = ownCapacity(facts);
  const capacity: Record<string, string> = {};
  const allocatable: Record<string, string> = {};
  for (const [name, text] of facts.known) {
    if (own.has(name) || name.startsWith(HUGE_PAGES)) continue;
    if (name === STORAGE && !facts.settings.isStorageIsolated) continue;
    capacity[name] = text;
    allocatable[name] = text;
  }
  const huge = hugePageBytes(facts.machine);
  for (const [name, amount] of own) {
    capacity[name] = textOf(name, amount);
    const kept = reserved(facts.settings.reservation, name, amount);
    const free = atLeastNothing(amount - kept);
    const usable = name === MEMORY ? atLeastNothing(free - huge) : free;
    allocatable[name] = textOf(name, usable);
  }
  const { devices } = facts;
  for (const [name, text] of devices.capacity) {
    capacity[name] = text;
    allocatable[name] = devices.allocatable.get(name) ?? text;
  }
  for (const name of devices.removed) {
    capacity[name] = "0";
    allocatable[name] = "0";
  }
  return { capacity, allocatable };
}

/** Resources without which the node cannot be ready, as upstream names them. */
export function missingCapacities(
  capacity: Readonly<Record<string, string>>,
  settings: Pick<NodeSettings, "isStorageIsolated">,
): readonly string[] {
  const storage = settings.isStorageIsolated ? [STORAGE] : [];
  const needed = [CPU, MEMORY, PODS, ...storage];
  return needed.filter((name) => capacity[name] === undefined);
}

/** How much of a resource pods cannot have. */
export function reserved(
  { system, kube, eviction }: Reservation,
  name: string,
  capacity: Quantity,
): Quantity {
  const threshold = eviction.get(name);
  return (system.get(name) ?? 0n) + (kube.get(name) ?? 0n) +
    (threshold === undefined ? 0n : keptFree(threshold, capacity));
}

function ownCapacity(facts: CapacityFacts): Map<string, Quantity> {
  const { machine, settings, rootBytes } = facts;
  const capacity = new Map([
    [CPU, whole(BigInt(machine.cpuCount))],
    [MEMORY, whole(machine.memoryBytes)],
    [PODS, whole(BigInt(podCount(settings, machine.cpuCount)))],
  ]);
  if (settings.isStorageIsolated && rootBytes !== undefined) {
    capacity.set(STORAGE, whole(rootBytes));
  }
  for (const { sizeBytes, count } of machine.hugePages) {
    const name = `${HUGE_PAGES}${binaryText(whole(sizeBytes))}`;
    capacity.set(name, whole(sizeBytes * count));
  }
  return capacity;
}

function podCount(
  { maxPods, podsPerCore }: CapacityFacts["settings"],
  cpuCount: number,
): number {
  return podsPerCore > 0 ? Math.min(cpuCount * podsPerCore, maxPods) : maxPods;
}

/**
 * Compat: upstream keeps a share as a 32-bit float and cuts the product to
 * whole bytes.
 */
function keptFree(threshold: Threshold, capacity: Quantity): Quantity {
  if (threshold.kind === "amount") return threshold.quantity;
  const share = Math.fround(Math.fround(threshold.percent) / 100);
  return whole(BigInt(Math.trunc(Number(units(capacity)) * share)));
}

function hugePageBytes({ hugePages }: MachineFacts): Quantity {
  const bytes = hugePages.map(({ sizeBytes, count }) => sizeBytes * count);
  return whole(bytes.reduce((sum, one) => sum + one, 0n));
}

function atLeastNothing(quantity: Quantity): Quantity {
  return quantity < 0n ? 0n : quantity;
}

function textOf(name: string, quantity: Quantity): string {
  return name === CPU || name === PODS
    ? quantityText(quantity, "decimal")
    : binaryText(quantity);
}
