/** What this process was granted. Asks nobody and changes nothing. */
import { ANYWHERE, type Need } from "../config/needs.ts";

/**
 * Those of the needs that were not granted. Ranges of addresses cannot be
 * asked for, patterns of names neither; what is optional says so when somebody
 * wants it, and libc has words of its own.
 */
export async function ungranted(
  needs: readonly Need[],
): Promise<readonly Need[]> {
  const states = await Promise.all(needs.map(stateOf));
  return needs.filter((_, at) => states[at] === "missing");
}

async function stateOf(need: Need): Promise<"granted" | "missing"> {
  const descriptor = need.isOptional ? undefined : descriptorOf(need);
  if (descriptor === undefined) return "granted";
  const { state } = await Deno.permissions.query(descriptor);
  return state === "granted" ? "granted" : "missing";
}

function descriptorOf(
  { kind, value }: Need,
): Deno.PermissionDescriptor | undefined {
  switch (kind) {
    case "read":
    case "write":
      return { name: kind, path: value };
    case "run":
      return { name: "run", command: value };
    case "net":
      return value === ANYWHERE || /\/\d+$/.test(value)
        ? undefined
        : { name: "net", host: value };
    case "sys":
      return { name: "sys", kind: sysKind(value) };
    case "env":
    case "ffi":
      return undefined;
  }
}

function sysKind(
  value: string,
): NonNullable<Deno.SysPermissionDescriptor["kind"]> {
  switch (value) {
    case "hostname":
    case "networkInterfaces":
    case "statfs":
      return value;
    default:
      throw new Error(`Nobody asks for ${value}`);
  }
}
