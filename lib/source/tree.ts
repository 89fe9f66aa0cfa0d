/**
 * A manifest after reading its text and before giving it types: plain values,
 * with maps for objects, so that no key, `__proto__` or other, is special.
 */
import type { Path } from "./field.ts";

/** A number as it was written. `1.10` stays "1.10", 2^63 stays exact. */
export class WrittenNumber {
  readonly text: string;
  readonly value: number;

  constructor(text: string, value: number) {
    this.text = text;
    this.value = value;
  }
}

export type Tree =
  | null
  | boolean
  | string
  | WrittenNumber
  | readonly Tree[]
  | ReadonlyMap<string, Tree>;

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One document of a manifest file. */
export interface Document {
  readonly tree: Tree;
  /** Where the field is, or the nearest one above it that is written down. */
  locate(path: Path): Place;
}

/** The entries of an object; undefined for anything else. */
export function objectOf(tree: Tree): ReadonlyMap<string, Tree> | undefined {
  return tree instanceof Map ? tree : undefined;
}

/** What people call the kind of value. */
export function kindOf(tree: Tree): string {
  if (tree === null) return "null";
  if (tree instanceof WrittenNumber) return "number";
  if (Array.isArray(tree)) return "list";
  return tree instanceof Map ? "object" : typeof tree;
}

/** Earlier maps win over later ones, as YAML's merge key says. */
export function mergeInto(merged: Map<string, Tree>, tree: Tree): void {
  for (const each of Array.isArray(tree) ? tree : [tree]) {
    if (!(each instanceof Map)) continue;
    for (const [key, value] of each) {
      if (!merged.has(key)) merged.set(key, value);
    }
  }
}

/** Why a text cannot be read further; becomes a finding. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}
