/**
 * Which ids of the host a pod with a user namespace of its own gets: equal
 * pieces of one pool, each to one pod at a time. Also the text in which a
 * pod's piece is kept in its directory. Called by `sync/user_ids.ts`.
 * Compat: kubelet 1.36 pkg/kubelet/userns, GetOrCreateUserNamespaceMappings.
 */
import { parseJson } from "../base/json.ts";
import type { V1Pod } from "../api/types.ts";
import type { RuntimeHandler } from "../port/runtime.ts";
import type { IdMapping, Namespaces } from "../port/runtime_spec.ts";

/** Ids of the host, from `first` on; id 0 of the pod is the first. */
export interface IdRange {
  readonly first: number;
  readonly length: number;
}

/** What there is to give: `count` pieces of `length` ids each. */
export interface IdPool extends IdRange {
  readonly count: number;
}

const ALL_IDS = 2 ** 32;
/** Compat: kubelet 1.36 kubeletUser. */
const AGENT_USER = "kubelet";
const UNUSABLE: IdRange = { first: 0, length: 0 };

/** A pod asks for ids of its own. */
export function wantsOwnIds(pod: V1Pod): boolean {
  return pod.spec?.hostUsers === false;
}

/**
 * The pool of a node: the ids that its admin sets aside for the agent, else
 * all but the first piece, whose ids the host uses itself. Undefined when the
 * ids that were set aside cannot be cut into pieces.
 */
export function idPool(
  idsPerPod: number,
  setAside: IdRange | undefined,
): IdPool | undefined {
  const { first, length } = setAside ??
    { first: idsPerPod, length: ALL_IDS - idsPerPod };
  const isCut = first >= idsPerPod && first % idsPerPod === 0 &&
    length % idsPerPod === 0 && first + length <= ALL_IDS;
  if (!isCut || length === 0) return undefined;
  return { first, length: idsPerPod, count: length / idsPerPod };
}

/**
 * The ids that the node's admin sets aside for the agent, from the texts of
 * /etc/subuid and /etc/subgid; undefined: none. Ranges that are more than one,
 * or are not the same for users and groups, are no range that can be used.
 * Compat: kubelet 1.36 getKubeletMappings, which asks the program getsubids.
 */
export function idsSetAside(
  subuid: string,
  subgid: string,
): IdRange | undefined {
  const [uids, gids] = [entriesOf(subuid), entriesOf(subgid)];
  if (uids.length === 0 && gids.length === 0) return undefined;
  const [entry] = uids;
  const isOne = uids.length === 1 && gids.length === 1 && entry === gids[0];
  const [, first = NaN, length = NaN] = entry?.split(":").map(Number) ?? [];
  return isOne && isId(first) && isId(length) ? { first, length } : UNUSABLE;
}

function entriesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim())
    .filter((line) => line.startsWith(`${AGENT_USER}:`));
}

/**
 * A piece that touches none of `used`; undefined when there is none. The
 * search begins at piece `from`, so that what was given back rests a while.
 */
export function freeRange(
  pool: IdPool,
  used: Iterable<IdRange>,
  from: number,
): IdRange | undefined {
  const taken = new Set<number>();
  for (const { first, length } of used) {
    const start = Math.floor((first - pool.first) / pool.length);
    const end = Math.floor((first + length - 1 - pool.first) / pool.length);
    for (let piece = start; piece <= end; piece++) taken.add(piece);
  }
  for (let step = 0; step < pool.count; step++) {
    const piece = (from + step) % pool.count;
    if (taken.has(piece)) continue;
    return { first: pool.first + piece * pool.length, length: pool.length };
  }
  return undefined;
}

/** The text of `<podDir>/userns`; upstream's kubelet can read it. */
export function rangeText({ first, length }: IdRange): string {
  const mapping = { hostId: first, containerId: 0, length };
  return JSON.stringify({ uidMappings: [mapping], gidMappings: [mapping] });
}

/** Undefined when the text is not one of ours. */
export function parseRange(text: string): IdRange | undefined {
  const whole = parseJson(text);
  const uids = only(listIn(whole, "uidMappings"));
  const gids = only(listIn(whole, "gidMappings"));
  if (uids === undefined || gids === undefined) return undefined;
  return uids.first === gids.first && uids.length === gids.length
    ? uids
    : undefined;
}

/** Of a sandbox: the range that its namespace maps, as the runtime says. */
export function mappedRange(user: Namespaces["user"]): IdRange | undefined {
  const [mapping] = user?.uids ?? [];
  if (mapping === undefined) return undefined;
  return { first: mapping.hostId, length: mapping.length };
}

export function mappingsOf(
  { first, length }: IdRange,
): NonNullable<Namespaces["user"]> {
  const mapping: IdMapping = { hostId: first, containerId: 0, length };
  return { uids: [mapping], gids: [mapping] };
}

/** Why the runtime cannot give a pod ids of its own; undefined: it can. */
export function idsFault(
  handlers: readonly RuntimeHandler[],
  handler: string,
): string | undefined {
  const words = handler === ""
    ? "can't set `spec.hostUsers: false`, runtime does not support user " +
      "namespaces"
    : "can't set `spec.hostUsers: false`, RuntimeClass handler " +
      `"${handler}" does not support user namespaces`;
  if (handlers.length === 0) return words;
  const found = handlers.find(({ name }) => name === handler);
  if (found === undefined) {
    return `${words}: the handler "${handler}" is not known`;
  }
  return found.hasUserNamespaces ? undefined : words;
}

function listIn(owner: unknown, key: string): readonly unknown[] {
  const found = fieldOf(owner, key);
  return Array.isArray(found) ? found : [];
}

function only(list: readonly unknown[]): IdRange | undefined {
  const [mapping] = list;
  const first = fieldOf(mapping, "hostId");
  const length = fieldOf(mapping, "length");
  const isOurs = list.length === 1 && fieldOf(mapping, "containerId") === 0 &&
    isId(first) && isId(length) && length > 0 && first + length <= ALL_IDS;
  return isOurs ? { first, length } : undefined;
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 &&
    value < ALL_IDS;
}

function fieldOf(owner: unknown, key: string): unknown {
  if (typeof owner !== "object" || owner === null) return undefined;
  return new Map<string, unknown>(Object.entries(owner)).get(key);
}
