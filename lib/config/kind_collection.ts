/**
 * The kinds whose value is a list or a map, with the flag grammars that go with
 * them: `a,b`, `k=v,k=v`, `signal<value`, `name:value`. A flag given again adds
 * to what was collected before, as in pflag.
 */
import { bool, type Kind, parseBool, text } from "./kind.ts";
import { jsonObject } from "./tree.ts";

export type TextMap = ReadonlyMap<string, string>;
export type SwitchMap = ReadonlyMap<string, boolean>;
export type HeaderMap = ReadonlyMap<string, readonly string[]>;

/** A list whose items are all of one kind; as a flag, comma-separated. */
export function listOf<V>(item: Kind<V>): Kind<readonly V[]> {
  return {
    allowed: `a list, each item ${item.allowed}`,
    flagAllowed: "items separated by commas",
    holds: (value): value is readonly V[] =>
      Array.isArray(value) && value.every((one) => item.holds(one)),
    fromTree: (tree) =>
      tree.kind === "list" ? every(tree.items, item.fromTree) : undefined,
    fromFlag: (value, previous = []) => {
      const added = every(
        splitCsv(value),
        (one) => item.fromFlag(one, undefined),
      );
      return added === undefined ? undefined : [...previous, ...added];
    },
    toJson: (value) => value.map((one) => item.toJson(one)),
  };
}

/** A map with text keys; the flag grammar is given with it. */
function mapOf<V>(
  item: Kind<V>,
  flag: Pick<Kind<ReadonlyMap<string, V>>, "flagAllowed" | "fromFlag">,
): Kind<ReadonlyMap<string, V>> {
  return {
    ...flag,
    allowed: `a map, each value ${item.allowed}`,
    holds: (value): value is ReadonlyMap<string, V> =>
      value instanceof Map &&
      [...value].every(([key, one]) =>
        typeof key === "string" && item.holds(one)
      ),
    fromTree: (tree) => {
      if (tree.kind !== "map") return undefined;
      const pairs = every([...tree.entries], ([key, value]) => {
        const one = item.fromTree(value);
        return one === undefined ? undefined : [key, one] as const;
      });
      return pairs && new Map(pairs);
    },
    toJson: (value) =>
      jsonObject([...value].map(([key, one]) => [key, item.toJson(one)])),
  };
}

/** `k=v,k=v`. Compat: component-base 0.36 MapStringString.Set */
export const textMap: Kind<TextMap> = mapOf(text, pairFlag("="));

/** `signal<value,…`. Compat: LangleSeparatedMapStringString.Set */
export const belowMap: Kind<TextMap> = mapOf(text, pairFlag("<"));

/** One `k=v` per flag; commas belong to the value. */
export const unsplitTextMap: Kind<TextMap> = mapOf(text, {
  flagAllowed: "one key=value",
  fromFlag: (value, previous) => addPairs(previous, [value], "="),
});

/** `k=v,k`: a key alone has an empty value. Compat: ConfigurationMap.Set */
export const labelMap: Kind<TextMap> = mapOf(text, {
  flagAllowed: "key=value pairs separated by commas",
  fromFlag: (value, previous) => {
    const parts = value.split(",").filter((part) => part !== "");
    const pairs = parts.map((part) => part.includes("=") ? part : `${part}=`);
    return addPairs(previous, pairs, "=");
  },
});

/** `Gate=true,Gate=false`. Compat: MapStringBool.Set */
export const switchMap: Kind<SwitchMap> = mapOf(bool, {
  flagAllowed: "Name=true or Name=false pairs separated by commas",
  fromFlag: (value, previous) => {
    const added = textMap.fromFlag(value, undefined);
    const pairs = added && every([...added], ([key, word]) => {
      const on = parseBool(word);
      return on === undefined ? undefined : [key, on] as const;
    });
    return pairs && new Map([...previous ?? [], ...pairs]);
  },
});

/** `a:b,a:c`. Compat: ColonSeparatedMultimapStringString.Set */
export const headerMap: Kind<HeaderMap> = mapOf(listOf(text), {
  flagAllowed: "name:value pairs separated by commas",
  fromFlag: (value, previous) => {
    const collected = new Map(previous);
    for (const part of value.split(",").filter((part) => part !== "")) {
      const pair = splitPair(part, ":");
      if (pair === undefined) return undefined;
      collected.set(pair[0], [...collected.get(pair[0]) ?? [], pair[1]]);
    }
    return collected;
  },
});

function pairFlag(separator: "=" | "<") {
  return {
    flagAllowed: `key${separator}value pairs separated by commas`,
    fromFlag: (value: string, previous: TextMap | undefined) =>
      addPairs(
        previous,
        value.split(",").filter((part) => part !== ""),
        separator,
      ),
  };
}

function addPairs(
  previous: TextMap | undefined,
  parts: readonly string[],
  separator: string,
): TextMap | undefined {
  const pairs = every(parts, (part) => splitPair(part, separator));
  return pairs && new Map([...previous ?? [], ...pairs]);
}

function splitPair(
  part: string,
  separator: string,
): readonly [string, string] | undefined {
  const at = part.indexOf(separator);
  return at < 0
    ? undefined
    : [part.slice(0, at).trim(), part.slice(at + separator.length).trim()];
}

/** The results of `read`, or undefined as soon as one is. */
export function every<A, B>(
  items: readonly A[],
  read: (item: A) => B | undefined,
): B[] | undefined {
  const results: B[] = [];
  for (const item of items) {
    const result = read(item);
    if (result === undefined) return undefined;
    results.push(result);
  }
  return results;
}

/** Fields separated by commas; a field in double quotes may hold commas. */
function splitCsv(value: string): string[] {
  if (value === "") return [];
  const fields = value.match(/(?:"(?:[^"]|"")*"|[^,])+|(?<=,|^)(?=,|$)/g) ?? [];
  return fields.map((field) =>
    /^".*"$/s.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field
  );
}
