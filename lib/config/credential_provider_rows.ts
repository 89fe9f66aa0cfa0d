/**
 * The fields of a credential plugin's configuration as written, each of its
 * kind; what they may say is checked in `credential_providers.ts`. Pure.
 */
import { bool, duration, type Kind, text } from "./kind.ts";
import { listOf } from "./kind_collection.ts";
import type { MapTree, Tree } from "./tree.ts";

const texts = listOf(text);

export interface ProviderRow {
  readonly name: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheDuration: number | undefined;
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly tokenAttributes: Tree | undefined;
}

export interface TokenRow {
  readonly serviceAccountTokenAudience: string;
  readonly cacheType: string;
  readonly requireServiceAccount: boolean | undefined;
  readonly requiredServiceAccountAnnotationKeys: readonly string[];
  readonly optionalServiceAccountAnnotationKeys: readonly string[];
}

/** The row, or what is wrong with it: `.name: must be text`. */
export function fieldsOfProvider(tree: Tree): ProviderRow | string {
  return readRow(tree, (read) => ({
    name: read("name", text) ?? "",
    matchImages: read("matchImages", texts) ?? [],
    defaultCacheDuration: read("defaultCacheDuration", duration),
    apiVersion: read("apiVersion", text) ?? "",
    args: read("args", texts) ?? [],
    env: read("env", ENV) ?? [],
    tokenAttributes: read("tokenAttributes", ANY),
  }));
}

export function tokenRowOf(tree: Tree | undefined): TokenRow | string {
  if (tree === undefined) return ": is missing";
  return readRow(tree, (read) => ({
    serviceAccountTokenAudience: read("serviceAccountTokenAudience", text) ??
      "",
    cacheType: read("cacheType", text) ?? "",
    requireServiceAccount: read("requireServiceAccount", bool),
    requiredServiceAccountAnnotationKeys:
      read("requiredServiceAccountAnnotationKeys", texts) ?? [],
    optionalServiceAccountAnnotationKeys:
      read("optionalServiceAccountAnnotationKeys", texts) ?? [],
  }));
}

type ReadField = <V>(
  name: string,
  kind: Pick<Kind<V>, "allowed" | "fromTree">,
) => V | undefined;

function readRow<R>(tree: Tree, build: (read: ReadField) => R): R | string {
  if (tree.kind !== "map") return ": must be a map";
  const left = new Set(tree.entries.keys());
  const problems: string[] = [];
  const row = build((name, kind) => {
    left.delete(name);
    const found = entryOf(tree, name);
    if (found === undefined) return undefined;
    const value = kind.fromTree(found);
    if (value === undefined) problems.push(`.${name}: must be ${kind.allowed}`);
    return value;
  });
  const [unknown] = left;
  if (unknown !== undefined) problems.push(`.${unknown}: unknown field`);
  return problems[0] ?? row;
}

function entryOf(tree: MapTree, name: string): Tree | undefined {
  const found = tree.entries.get(name);
  return found?.kind === "scalar" && found.value === null ? undefined : found;
}

const ANY = { allowed: "a map", fromTree: (tree: Tree): Tree => tree };

const ENV = {
  allowed: "a list of maps with name and value",
  fromTree: (tree: Tree) => {
    if (tree.kind !== "list") return undefined;
    const rows = tree.items.map((item) =>
      readRow(item, (read) => ({
        name: read("name", text) ?? "",
        value: read("value", text) ?? "",
      }))
    );
    const good = rows.filter((row) => typeof row !== "string");
    return good.length === rows.length ? good : undefined;
  },
};
