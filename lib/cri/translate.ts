/**
 * The small change of the CRI: 64-bit numbers, times, maps and enum values,
 * wire ⇄ ours. Pure; the other `translate_*.ts` files are built from these.
 */
import { AgentError } from "../base/errors.ts";
import type { RuntimeEvent } from "../port/runtime.ts";
import type {
  MountPropagation,
  NamespaceMode,
  Protocol,
} from "../port/runtime_spec.ts";
import type { ContainerStateKind } from "../port/runtime_status.ts";
import type { Int64, Int64Value, StringMap } from "./wire.ts";

/** Containers carry their pod's uid under this label; listings select by it. */
export const POD_UID_LABEL = "io.kubernetes.pod.uid";

/** Each table is in the order of the numbers on the wire. */
export const NAMESPACE_MODES: readonly NamespaceMode[] = [
  "pod",
  "container",
  "node",
  "target",
];
export const PROTOCOLS: readonly Protocol[] = ["TCP", "UDP", "SCTP"];
export const PROPAGATIONS: readonly MountPropagation[] = [
  "private",
  "host-to-container",
  "bidirectional",
];
export const CONTAINER_STATES: readonly ContainerStateKind[] = [
  "created",
  "running",
  "exited",
  "unknown",
];
export const PROFILE_KINDS = [
  "runtime-default",
  "unconfined",
  "localhost",
] as const;
export const GROUP_POLICIES = ["merge", "strict"] as const;
export const CGROUP_DRIVERS = ["systemd", "cgroupfs"] as const;
export const EVENT_KINDS: readonly RuntimeEvent["kind"][] = [
  "created",
  "started",
  "stopped",
  "deleted",
];
export const SANDBOX_READY = 0;

/** The 64-bit number with these halves, exactly. */
export function bigintOf(value: Int64): bigint {
  const high = value.unsigned ? value.high >>> 0 : value.high | 0;
  return (BigInt(high) << 32n) | BigInt(value.low >>> 0);
}

/** 68 years: runtimes count in nanoseconds, and more would be none at all. */
const LONGEST_GRACE_SECONDS = 2 ** 31 - 1;

/** In whole seconds, none too few. */
export function wholeGrace(seconds: number): number {
  return Math.min(Math.max(0, Math.ceil(seconds)), LONGEST_GRACE_SECONDS);
}

export function int64Of(value: bigint): Int64 {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
}

export function uint64Of(value: bigint): Int64 {
  return { ...int64Of(value), unsigned: true };
}

/** A wrapped number; null stands for absent. */
export function wrapped(value: bigint | undefined): Int64Value | null {
  return value === undefined ? null : { value: int64Of(value) };
}

/** The number in a wrapper; absent counts as zero. */
export function unwrapped(value: Int64Value | null): bigint {
  return value === null ? 0n : bigintOf(value.value);
}

/**
 * Nanoseconds since the epoch as milliseconds; 0 for "never", which some
 * runtimes write as the year 1.
 */
export function millisecondsOf(nanoseconds: Int64): number {
  const exact = bigintOf(nanoseconds);
  return exact <= 0n ? 0 : Number(exact / 1_000_000n);
}

export function mapOf(record: StringMap): ReadonlyMap<string, string> {
  return new Map(Object.entries(record));
}

export function recordOf(map: ReadonlyMap<string, string>): StringMap {
  return Object.fromEntries(map);
}

/** The wire number of a word; every word of our unions is in its table. */
export function numberOf<Word>(table: readonly Word[], word: Word): number {
  const number = table.indexOf(word);
  if (number >= 0) return number;
  throw new AgentError(
    `Cannot translate ${JSON.stringify(word)}: expected one of ` +
      table.join(", "),
    { next: "give-up" },
  );
}

/** The word of a wire number; `other` for one that we do not know. */
export function wordOf<Word>(
  table: readonly Word[],
  number: number,
  other: Word,
): Word {
  return table[number] ?? other;
}

/**
 * Signals in wire order, as Kubernetes writes them (`SIGRTMIN+1`); number 0 is
 * "the image's own".
 */
export const SIGNALS: readonly string[] = [
  "",
  ...("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF" +
    " PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2" +
    " VTALRM WINCH XCPU XFSZ").split(" ").map((name) => `SIG${name}`),
  "SIGRTMIN",
  ...Array.from({ length: 15 }, (_, index) => `SIGRTMIN+${index + 1}`),
  ...Array.from({ length: 14 }, (_, index) => `SIGRTMAX-${14 - index}`),
  "SIGRTMAX",
];
