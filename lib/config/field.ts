/**
 * How one setting is declared: its kind, its default, its flag, its rule. The
 * tables of settings are nested like the document they describe; types, reading,
 * defaults, flags, help and printing all follow from them.
 */
import type { Kind } from "./kind.ts";

export interface Field<V> {
  readonly kind: Kind<V>;
  readonly initial: V;
  /** One line for people. */
  readonly help: string;
  /** The flag that sets the same value, without dashes. */
  readonly flag?: string;
  /** One letter that also names the flag. */
  readonly letter?: string;
  /** Where the flag is written in another grammar than the field's kind. */
  readonly flagKind?: Kind<V>;
  /**
   * True when upstream's type is a pointer: then 0, "" and false are values.
   * Otherwise they mean unset and become the default.
   */
  readonly keepsZero?: boolean;
  /** True for a host path whose default lies below the host root. */
  readonly isHostPath?: boolean;
  /** True when a relative path counts from the configuration file. */
  readonly isFilePath?: boolean;
  /** True when values are not to be shown. */
  readonly isSecret?: boolean;
  /** What is allowed, where the kind's own words are too wide. */
  readonly allowed?: string;
  /** Whether a value of the right kind is allowed, other fields aside. */
  isAllowed?(value: V): boolean;
}

/** A table of settings, nested as the document is. */
export interface Shape {
  readonly [key: string]: Field<unknown> | Shape;
}

/** The values a table describes. */
export type ValuesOf<S> = {
  readonly [K in keyof S]: S[K] extends Field<infer V> ? V : ValuesOf<S[K]>;
};

export function field<V>(
  kind: Kind<V>,
  initial: NoInfer<V>,
  row: Omit<Field<NoInfer<V>>, "kind" | "initial">,
): Field<V> {
  return { ...row, kind, initial };
}

export function isField(part: Field<unknown> | Shape): part is Field<unknown> {
  return "initial" in part && "kind" in part;
}

/** Every field of a table by its dotted path, in order. */
export function fieldsOf(
  shape: Shape,
  prefix = "",
): ReadonlyMap<string, Field<unknown>> {
  const fields = new Map<string, Field<unknown>>();
  for (const [key, part] of Object.entries(shape)) {
    if (isField(part)) fields.set(prefix + key, part);
    else {
      for (const [path, leaf] of fieldsOf(part, `${prefix}${key}.`)) {
        fields.set(path, leaf);
      }
    }
  }
  return fields;
}

/** True when upstream's decoding cannot tell `value` from an absent one. */
export function isZero(value: unknown): boolean {
  return value === 0 || value === "" || value === false;
}

/** Rows for the common ranges. */
export function between(min: number, max: number) {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    isAllowed: (value: number) => value >= min && value <= max,
  };
}

export function atLeast(min: number) {
  return {
    allowed: `a whole number of at least ${min}`,
    isAllowed: (value: number) => value >= min,
  };
}

/** For a duration that must go forward. */
export const moreThanNothing = {
  allowed: 'a duration longer than 0, such as "10s"',
  isAllowed: (value: number) => value > 0,
} as const;

export const notNegative = {
  allowed: 'a duration that is not negative, such as "2m"',
  isAllowed: (value: number) => value >= 0,
} as const;
