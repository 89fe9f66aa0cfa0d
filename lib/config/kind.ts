/**
 * What sorts of value fields and flags hold. A kind knows how its value is read
 * from a document, read from a flag and written as JSON; whether a value is in
 * range is the field's own business.
 */
import {
  type DurationMs,
  parseGoDuration,
  printGoDuration,
} from "./go_duration.ts";
import type { Json, Tree } from "./tree.ts";

export interface Kind<V> {
  /** What may stand in a document, for error messages. */
  readonly allowed: string;
  /** What may stand behind a flag, where that reads differently. */
  readonly flagAllowed?: string;
  holds(value: unknown): value is V;
  /** The value, or undefined when the tree is not of this kind. */
  fromTree(tree: Tree): V | undefined;
  /**
   * The value of a flag, or undefined when the text is not of this kind.
   * `previous` is the value of the same flag further left, for the kinds that
   * collect (lists, maps).
   */
  fromFlag(text: string, previous: V | undefined): V | undefined;
  toJson(value: V): Json;
}

/** What a kind whose document value is one scalar needs to say. */
interface ScalarRules<V> {
  readonly allowed: string;
  holds(value: unknown): value is V;
  fromFlag(text: string): V | undefined;
}

function scalar<V extends string | number | boolean>(
  rules: ScalarRules<V>,
): Kind<V> {
  return {
    ...rules,
    fromTree: (tree) =>
      tree.kind === "scalar" && rules.holds(tree.value)
        ? tree.value
        : undefined,
    toJson: (value) => value,
  };
}

export const bool: Kind<boolean> = scalar({
  allowed: "true or false",
  holds: (value) => typeof value === "boolean",
  fromFlag: parseBool,
});

export const text: Kind<string> = scalar({
  allowed: "text (quote it if it looks like a number)",
  holds: (value) => typeof value === "string",
  fromFlag: (value) => value,
});

/** Whole numbers between two bounds, both included. */
function integer(min: number, max: number): Kind<number> {
  return scalar({
    allowed: `a whole number from ${min} to ${max}`,
    holds: (value): value is number =>
      typeof value === "number" && Number.isInteger(value) &&
      value >= min && value <= max,
    fromFlag: (value) => {
      const parsed = parseInteger(value);
      return parsed !== undefined && parsed >= min && parsed <= max
        ? parsed
        : undefined;
    },
  });
}

export const int32: Kind<number> = integer(-(2 ** 31), 2 ** 31 - 1);
/** Upstream's int64, as far as a double is exact; the rest is refused. */
export const int64: Kind<number> = integer(
  Number.MIN_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER,
);
export const uint32: Kind<number> = integer(0, 2 ** 31 - 1);

export const float: Kind<number> = scalar({
  allowed: "a number",
  holds: (value): value is number =>
    typeof value === "number" && Number.isFinite(value),
  fromFlag: (value) => /^[-+\d.eE]+$/.test(value) ? Number(value) : undefined,
});

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly W[]): Kind<W> {
  const holds = (value: unknown): value is W =>
    words.some((word) => word === value);
  return scalar({
    allowed: words.map((word) => JSON.stringify(word)).join(", "),
    holds,
    fromFlag: (value) => holds(value) ? value : undefined,
  });
}

const DURATION_EXAMPLES = 'a duration such as "30s", "1m30s" or "100ms"';

export const duration: Kind<DurationMs> = {
  allowed: DURATION_EXAMPLES,
  holds: (value) => typeof value === "number",
  fromTree: (tree) => {
    if (tree.kind !== "scalar") return undefined;
    if (tree.value === 0) return 0;
    return typeof tree.value === "string"
      ? parseGoDuration(tree.value)
      : undefined;
  },
  fromFlag: parseGoDuration,
  toJson: printGoDuration,
};

/** A duration that upstream also lets be written as whole nanoseconds. */
export const durationOrNanos: Kind<DurationMs> = {
  ...duration,
  allowed: `${DURATION_EXAMPLES}, or whole nanoseconds`,
  fromTree: (tree) =>
    tree.kind === "scalar" && typeof tree.value === "number" &&
      Number.isInteger(tree.value)
      ? tree.value / 1e6
      : duration.fromTree(tree),
};

/** A value that may stay unset. */
export function optional<V>(kind: Kind<V>): Kind<V | undefined> {
  return {
    ...kind,
    holds: (value) => value === undefined || kind.holds(value),
    fromFlag: (value, previous) => kind.fromFlag(value, previous),
    toJson: (value) => value === undefined ? null : kind.toJson(value),
  };
}

/** Compat: Go strconv.ParseBool */
export function parseBool(value: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  return undefined;
}

/** Compat: Go strconv.ParseInt with base 0 */
function parseInteger(value: string): number | undefined {
  const match = /^([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/
    .exec(value);
  if (match === null) return undefined;
  const digits = match[2]?.replace(/^0[oO]?(?=[0-7])/, "0o") ?? "";
  const size = Number(digits);
  return Number.isSafeInteger(size)
    ? (match[1] === "-" && size !== 0 ? -size : size)
    : undefined;
}
