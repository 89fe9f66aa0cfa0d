/**
 * What an unquoted YAML scalar means.
 * Compat: kubelet 1.36 reads manifests by sigs.k8s.io/yaml (go-yaml v2): a
 * YAML 1.1 mixture in which `yes` is true, 0644 is octal and a date is text.
 */
import { type Tree, WrittenNumber } from "./tree.ts";

const WORDS: ReadonlyMap<string, Tree> = new Map([
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...spellings(["y", "yes", "true", "on"]).map((word) => [word, true] as const),
  ...spellings(["n", "no", "false", "off"]).map((word) =>
    [word, false] as const
  ),
]);
const INTEGER = /^[-+]?(0b[01]+|0x[0-9a-fA-F]+|0o?[0-7]+|0|[1-9]\d*)$/;
const FLOAT = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
const GREATEST = 2n ** 64n - 1n;
const LEAST = -(2n ** 63n);

export function plainScalar(text: string): Tree {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.\d]/.test(text)) return text;
  const plain = text.replaceAll("_", "");
  if (INTEGER.test(plain)) return integer(plain) ?? float(plain);
  return FLOAT.test(plain) ? float(plain) : text;
}

/** Decimal text of the number; undefined beyond 64 bits. */
function integer(text: string): WrittenNumber | undefined {
  const sign = text.startsWith("-") ? -1n : 1n;
  const digits = text.replace(/^[-+]/, "");
  const isOctal = /^0[0-7]/.test(digits);
  const value = sign * BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (value > GREATEST || value < LEAST) return undefined;
  return new WrittenNumber(String(value), Number(value));
}

function float(text: string): WrittenNumber {
  return new WrittenNumber(text, Number(text));
}

/** Lower case, Capital, UPPER CASE, and nothing between. */
function spellings(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    const capital = word.charAt(0).toUpperCase() + word.slice(1);
    return [word, capital, word.toUpperCase()];
  });
}
