/** What a probe is, and how a set is widened by one permission. */
export type PermissionSet = Readonly<Record<string, unknown>>;

export interface Probe {
  readonly name: string;
  /** Statements; they throw `NotCapable`, or print nothing. */
  readonly code: string;
  /** The set with the one permission more. "all": there is no narrower one. */
  readonly widened: ((set: PermissionSet) => PermissionSet) | "all";
  /** Tried only where this is so of a set. */
  readonly where?: (set: PermissionSet) => boolean;
}

/** A folder of the probes' own, outside of every set. */
export const OUTSIDE = "/tmp/denolet-probes";

export const READS = `Deno.readTextFileSync("/etc/shadow")`;
export const FROM_DATA = `data:text/javascript,${encodeURIComponent(READS)}`;

export function more(kind: string, ...values: readonly string[]) {
  return (set: PermissionSet): PermissionSet => {
    const before = set[kind];
    const list = Array.isArray(before) ? before : [];
    return { ...set, [kind]: [...list, ...values] };
  };
}

export function open(...kinds: readonly string[]) {
  return (set: PermissionSet): PermissionSet => ({
    ...set,
    ...Object.fromEntries(kinds.map((kind) => [kind, true])),
  });
}

export function all(
  ...steps: readonly ((set: PermissionSet) => PermissionSet)[]
): (set: PermissionSet) => PermissionSet {
  return (set) => steps.reduce((now, step) => step(now), set);
}

/** A list of addresses, not everything but some. */
export function isListed({ net }: PermissionSet): boolean {
  return Array.isArray(net);
}

export const SHADOW = more("read", "/etc/shadow");
