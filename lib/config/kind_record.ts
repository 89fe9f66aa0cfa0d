/**
 * The kinds whose value is a list of small records: taints, NUMA reservations,
 * shutdown classes, log levels by file; with the flag grammar of each.
 */
import { every, type TextMap, textMap } from "./kind_collection.ts";
import { int32, int64, type Kind, optional, text, uint32 } from "./kind.ts";
import { quantitySign } from "./text_rules.ts";
import { type Json, jsonObject, type Tree } from "./tree.ts";

/** A taint the node registers itself with. */
export interface TaintSetting {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
  /** Never allowed here; kept so that validation can say so. */
  readonly timeAdded: string | undefined;
}

/** Memory kept back on one NUMA node; quantities by resource name. */
export interface MemoryReservation {
  readonly numaNode: number;
  readonly limits: TextMap;
}

/** How long pods of at least this priority get at node shutdown. */
export interface ShutdownClass {
  readonly priority: number;
  readonly shutdownGracePeriodSeconds: number;
}

/** The log verbosity of the files a pattern names. */
export interface FileVerbosity {
  readonly filePattern: string;
  readonly verbosity: number;
}

/** One member of a record: its kind, and what it is when left out. */
interface Member<V> {
  readonly kind: Kind<V>;
  readonly absent?: V;
}

/** A list of records, each read member by member. */
function recordsOf<R>(
  members: { readonly [K in keyof R]: Member<R[K]> },
  flag: Pick<Kind<readonly R[]>, "flagAllowed" | "fromFlag">,
): Kind<readonly R[]> {
  const names = Object.keys(members);
  const memberOf = new Map<string, Member<unknown>>(Object.entries(members));
  const isRecord = (value: unknown): value is R => {
    if (typeof value !== "object" || value === null) return false;
    const found = new Map<string, unknown>(Object.entries(value));
    return [...memberOf].every(([name, { kind }]) =>
      found.has(name) && kind.holds(found.get(name))
    );
  };
  const readRecord = (tree: Tree): R | undefined => {
    if (tree.kind !== "map") return undefined;
    if ([...tree.entries.keys()].some((key) => !memberOf.has(key))) {
      return undefined;
    }
    const record: Record<string, unknown> = {};
    for (const [name, { kind, absent }] of memberOf) {
      const entry = tree.entries.get(name);
      record[name] = entry === undefined ? absent : kind.fromTree(entry);
    }
    return isRecord(record) ? record : undefined;
  };
  const writeRecord = (record: R): Json => {
    const found = Object.entries(record ?? {});
    return jsonObject(found.flatMap(([name, value]) => {
      const kind = memberOf.get(name)?.kind;
      return kind === undefined || value === undefined || value === ""
        ? []
        : [[name, kind.toJson(value)] as const];
    }));
  };
  return {
    ...flag,
    allowed: `a list of maps with ${names.join(", ")}`,
    holds: (value): value is readonly R[] =>
      Array.isArray(value) && value.every(isRecord),
    fromTree: (tree) =>
      tree.kind === "list" ? every(tree.items, readRecord) : undefined,
    toJson: (value) => value.map(writeRecord),
  };
}

/** `key=value:Effect,key:Effect`. Compat: RegisterWithTaintsVar.Set */
export const taints: Kind<readonly TaintSetting[]> = recordsOf<TaintSetting>(
  {
    key: { kind: text },
    value: { kind: text, absent: "" },
    effect: { kind: text },
    timeAdded: { kind: optional(text) },
  },
  {
    flagAllowed: "key=value:Effect items separated by commas",
    fromFlag: (value) =>
      every(value === "" ? [] : value.split(","), (part) => {
        const match = /^([^=:]+)(?:=([^=:]*))?:([^=:]+)$/.exec(part);
        if (match === null) return undefined;
        const [, key = "", own = "", effect = ""] = match;
        return { key, value: own, effect, timeAdded: undefined };
      }),
  },
);

/** A map of quantities, which a document may also write as plain numbers. */
const quantityMap: Kind<TextMap> = {
  ...textMap,
  fromTree: (tree) => {
    if (tree.kind !== "map") return undefined;
    const pairs = every([...tree.entries], ([name, value]) => {
      const quantity = value.kind === "scalar" ? String(value.value) : "";
      return quantitySign(quantity) === undefined
        ? undefined
        : [name, quantity] as const;
    });
    return pairs && new Map(pairs);
  },
};

/** `0:memory=1Gi,hugepages-1M=2Gi;1:memory=2Gi`. Compat: ReservedMemoryVar.Set */
export const reservations: Kind<readonly MemoryReservation[]> = recordsOf<
  MemoryReservation
>(
  { numaNode: { kind: int32, absent: 0 }, limits: { kind: quantityMap } },
  {
    flagAllowed: "node:type=quantity[,type=quantity…] items separated by ;",
    fromFlag: (value, previous = []) => {
      const added = every(value === "" ? [] : value.split(";"), (part) => {
        const match = /^(\d{1,9}):([^:]+)$/.exec(part);
        const limits = textMap.fromFlag(match?.[2] ?? "", undefined);
        return match === null || limits === undefined ||
            [...limits.values()].some((q) => quantitySign(q) === undefined)
          ? undefined
          : { numaNode: Number(match[1]), limits };
      });
      return added && [...previous, ...added];
    },
  },
);

export const shutdownClasses: Kind<readonly ShutdownClass[]> = recordsOf<
  ShutdownClass
>(
  {
    priority: { kind: int32, absent: 0 },
    shutdownGracePeriodSeconds: { kind: int64, absent: 0 },
  },
  { fromFlag: () => undefined },
);

/** `pattern=N,pattern=N`. Compat: component-base 0.36 VModuleConfiguration */
export const fileVerbosities: Kind<readonly FileVerbosity[]> = recordsOf<
  FileVerbosity
>(
  { filePattern: { kind: text }, verbosity: { kind: uint32 } },
  {
    flagAllowed: "pattern=N items separated by commas",
    fromFlag: (value) =>
      every(value.split(",").filter((part) => part !== ""), (part) => {
        const match = /^([^=]+)=(\d{1,9})$/.exec(part.trim());
        return match === null
          ? undefined
          : { filePattern: match[1] ?? "", verbosity: Number(match[2]) };
      }),
  },
);
