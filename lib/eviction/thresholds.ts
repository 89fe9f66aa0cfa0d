/**
 * Reads the configured thresholds, and says what one of them amounts to. Pure.
 * The configuration has been checked by then: what is no threshold is left
 * out here, never guessed.
 * Compat: kubelet 1.36 ParseThresholdConfig, UpdateContainerFsThresholds.
 */
import { type Signal, SIGNALS } from "../api/eviction_signal.ts";
import { parseQuantity, type Quantity } from "../api/quantity.ts";
import { formOf, quantityText } from "../api/quantity_text.ts";
import { parseGoDuration } from "../config/go_duration.ts";
import { percentage } from "../config/text_rules.ts";
import type {
  Amount,
  DiskLayout,
  PressureKind,
  Resource,
  Threshold,
} from "./types.ts";

const NANO = 1_000_000_000n;

type Texts = ReadonlyMap<string, string>;

export interface ThresholdTexts {
  readonly evictionHard: Texts;
  readonly evictionSoft: Texts;
  readonly evictionSoftGracePeriod: Texts;
  readonly evictionMinimumReclaim: Texts;
  readonly enforceNodeAllocatable: readonly string[];
}

export function parseThresholds(texts: ThresholdTexts): Threshold[] {
  const { evictionHard, evictionSoft, evictionSoftGracePeriod } = texts;
  const hard = thresholdsIn(evictionHard, () => 0);
  const soft = thresholdsIn(
    evictionSoft,
    (signal) => parseGoDuration(evictionSoftGracePeriod.get(signal) ?? ""),
  );
  const all = [...hard, ...soft].map((threshold) => {
    const text = texts.evictionMinimumReclaim.get(threshold.signal);
    const minReclaim = text === undefined ? undefined : amount(text);
    return minReclaim === undefined ? threshold : { ...threshold, minReclaim };
  });
  if (!texts.enforceNodeAllocatable.includes("pods")) return all;
  return [
    ...all,
    ...all.filter(isHardMemory).map((threshold): Threshold => ({
      ...threshold,
      signal: "allocatableMemory.available",
    })),
  ];
}

function isHardMemory({ signal, graceMs }: Threshold): boolean {
  return signal === "memory.available" && graceMs === 0;
}

function thresholdsIn(
  texts: Texts,
  graceOf: (signal: Signal) => number | undefined,
): Threshold[] {
  return [...texts].flatMap(([name, text]) => {
    const signal = SIGNALS.find((each) => each === name);
    const graceMs = signal && graceOf(signal);
    // Compat: these two switch the threshold off.
    if (text === "0%" || text === "100%") return [];
    const value = amount(text);
    return signal === undefined || graceMs === undefined || value === undefined
      ? []
      : [{ signal, value, graceMs }];
  });
}

function amount(text: string): Amount | undefined {
  const percent = percentage(text);
  if (percent !== undefined) return { kind: "share", percent };
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  return { kind: "quantity", quantity, form: formOf(text) };
}

/**
 * What is asked of the disk of writable layers: the same as of the disk that
 * it is on. What is configured for it is not looked at.
 */
export function withContainerDisk(
  thresholds: readonly Threshold[],
  layout: DiskLayout,
): Threshold[] {
  const like = layout === "apart" ? "imagefs" : "nodefs";
  const signals: ReadonlyMap<string, Signal> = new Map([
    [`${like}.available`, "containerfs.available"],
    [`${like}.inodesFree`, "containerfs.inodesFree"],
  ]);
  const own = thresholds.filter(({ signal }) =>
    !signal.startsWith("containerfs.")
  );
  return [
    ...own,
    ...own.flatMap((threshold) => {
      const signal = signals.get(threshold.signal);
      return signal === undefined ? [] : [{ ...threshold, signal }];
    }),
  ];
}

/**
 * An amount of a capacity, in the unit of quantities.
 * Compat: a share is computed with 32 bits, and cut to whole units.
 */
export function quantityOf(value: Amount, capacity: bigint): Quantity {
  if (value.kind === "quantity") return value.quantity;
  const share = Math.fround(Math.fround(value.percent) / 100);
  return BigInt(Math.trunc(Number(capacity) * share)) * NANO;
}

export function amountText(value: Amount, capacity: bigint): string {
  const form = value.kind === "quantity" ? value.form : "binary";
  return quantityText(quantityOf(value, capacity), form);
}

/** `available` and such, as messages tell it. */
export function countText(resource: Resource, count: bigint): string {
  const isBytes = resource === "memory" || resource === "ephemeral-storage";
  return quantityText(count * NANO, isBytes ? "binary" : "decimal");
}

export function resourceOf(signal: Signal): Resource {
  switch (signal) {
    case "memory.available":
    case "allocatableMemory.available":
      return "memory";
    case "nodefs.available":
    case "imagefs.available":
    case "containerfs.available":
      return "ephemeral-storage";
    case "nodefs.inodesFree":
    case "imagefs.inodesFree":
    case "containerfs.inodesFree":
      return "inodes";
    case "pid.available":
      return "pids";
  }
}

export function pressureOf(signal: Signal): PressureKind {
  switch (resourceOf(signal)) {
    case "memory":
      return "MemoryPressure";
    case "ephemeral-storage":
    case "inodes":
      return "DiskPressure";
    case "pids":
      return "PIDPressure";
  }
}

/** `memory.available<100Mi`, with the time it has to last. */
export function thresholdText({ signal, value, graceMs }: Threshold): string {
  const text = value.kind === "share"
    ? `${value.percent}%`
    : quantityText(value.quantity, value.form);
  return `${signal}<${text}${graceMs === 0 ? "" : ` for ${graceMs / 1000} s`}`;
}
