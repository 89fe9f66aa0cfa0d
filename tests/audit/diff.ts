/**
 * What a run used of its grants, from the log that DENO_AUDIT_PERMISSIONS
 * writes: what it used besides, and what nobody used. Pure.
 */
import { isAbsolute, join, normalize } from "node:path/posix";

/** One line of the log. It is written before Deno decides: refused or not. */
export interface Use {
  readonly permission: string;
  readonly value: string;
}

/** A permission set of deno.json whose grants are all lists. */
export interface Granted {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly net: readonly string[];
  readonly ffi: readonly string[];
  readonly env: readonly string[];
  readonly sys: readonly string[];
}

const KINDS = ["read", "write", "net", "ffi", "env", "sys"] as const;
type Kind = typeof KINDS[number];

/** Each use once. A process that was killed may leave half a line at the end. */
export function usesOf(log: string): readonly Use[] {
  const lines = log.split("\n");
  const whole = lines.slice(0, -1).filter((line) => line !== "");
  const once = new Map<string, Use>();
  for (const line of whole) {
    const { permission, value = "" } = JSON.parse(line);
    once.set(`${permission} ${value}`, { permission, value });
  }
  return [...once.values()];
}

/** Uses that no grant covers; the program itself lies in `checkout`. */
export function outsideOf(
  set: Granted,
  uses: readonly Use[],
  checkout: string,
): readonly string[] {
  const read = [...set.read, checkout.replace(/\/$/, "")];
  const wider: Granted = { ...set, read };
  return uses.filter(({ permission, value }) => {
    const kind = KINDS.find((each) => each === permission);
    return kind === undefined ||
      !wider[kind].some((grant) => covers(kind, grant, value, checkout));
  }).map(({ permission, value }) => `${permission} ${value}`);
}

/** Grants that no use needed. */
export function unusedOf(
  set: Granted,
  uses: readonly Use[],
  checkout: string,
): readonly string[] {
  return KINDS.flatMap((kind) =>
    set[kind].filter((grant) =>
      !uses.some(({ permission, value }) =>
        permission === kind && covers(kind, grant, value, checkout)
      )
    ).map((grant) => `${kind} ${grant}`)
  );
}

function covers(
  kind: Kind,
  grant: string,
  value: string,
  checkout: string,
): boolean {
  switch (kind) {
    case "read":
    case "write": {
      // Written as the program wrote it, dots included.
      const path = normalize(isAbsolute(value) ? value : join(checkout, value));
      return path === grant || path.startsWith(`${grant}/`);
    }
    case "net":
      return coversAddress(grant, value);
    case "env":
      return grant.endsWith("*")
        ? value.startsWith(grant.slice(0, -1))
        : value === grant;
    case "ffi":
    case "sys":
      return value === grant;
  }
}

function coversAddress(grant: string, value: string): boolean {
  if (value === grant) return true;
  if (grant.startsWith("unix:")) return false;
  const [range = "", bits] = grant.split("/");
  const host = value.replace(/:\d+$/, "");
  if (bits === undefined) return host === grant;
  const [from, address] = [numberOf(range), numberOf(host)];
  if (from === undefined || address === undefined) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(from / size) === Math.floor(address / size);
}

/** Of an IPv4 address: Deno knows no other ranges. */
function numberOf(address: string): number | undefined {
  const parts = address.split(".").map(Number);
  const isAddress = parts.length === 4 &&
    parts.every((part) => Number.isInteger(part) && part >= 0 && part < 256);
  return isAddress ? parts.reduce((sum, part) => sum * 256 + part) : undefined;
}
