/**
 * The files of one volume, from what was found for its sources. Pure. Wording
 * of failures is contract: people search for it.
 * Compat: kubelet 1.36 collectData of projected volumes, MakePayload of
 * secrets and config maps, CollectData of the downward API.
 */
import type { V1Pod } from "../api/types.ts";
import type { ApiObject } from "../port/cluster.ts";
import { downwardText } from "./downward.ts";
import { clashIn, projectedPath } from "./paths.ts";
import type {
  DownwardSource,
  FilesVolume,
  ObjectSource,
  Source,
  TokenSource,
} from "./plan.ts";

/** A step of so many files takes a millisecond. */
const STEP = 256;
/** More than any number of objects of 1 MiB that one pod should name. */
const MOST_BYTES = 64 * 1024 * 1024;
const TOKEN_MODE = 0o600;

/** What was found for one source. */
export type Found =
  | { readonly kind: "object"; readonly object: ApiObject }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "absent" }
  | { readonly kind: "nothing-needed" }
  | { readonly kind: "failed"; readonly message: string };

export interface ProjectedFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid?: number;
}

export type Content =
  | {
    readonly kind: "ok";
    readonly files: ReadonlyMap<string, ProjectedFile>;
  }
  | { readonly kind: "refused"; readonly message: string };

/** What is the same for all sources of a volume. */
interface Place {
  readonly volume: FilesVolume;
  readonly pod: V1Pod;
  readonly allocatable: ReadonlyMap<string, string>;
}

type Part =
  | { readonly kind: "ok"; readonly files: readonly Named[] }
  | { readonly kind: "refused"; readonly messages: readonly string[] };

interface Named extends ProjectedFile {
  readonly path: string;
}

/** Ends with what it made; whoever is in no hurry pauses at each `yield`. */
export type Steps<T> = Generator<void, T, void>;

/** `found` has one entry for each source of the volume, in their order. */
export function* contentOf(
  place: Place,
  found: readonly Found[],
): Steps<Content> {
  const files = new Map<string, ProjectedFile>();
  const messages = new Set<string>();
  for (const [index, source] of place.volume.sources.entries()) {
    const each = found[index] ?? { kind: "absent" };
    const part = yield* partOf(place, source, each);
    if (part.kind === "refused") {
      for (const message of part.messages) messages.add(message);
      continue;
    }
    for (const [count, { path, ...file }] of part.files.entries()) {
      if (count % STEP === 0) yield;
      const checked = projectedPath(path);
      if (checked.kind === "ok") files.set(checked.path, file);
      else messages.add(checked.message);
    }
  }
  const message = aggregate(messages) ?? faultOf(files);
  return message === undefined
    ? { kind: "ok", files }
    : { kind: "refused", message };
}

function faultOf(
  files: ReadonlyMap<string, ProjectedFile>,
): string | undefined {
  let size = 0;
  for (const { bytes } of files.values()) size += bytes.length;
  if (size > MOST_BYTES) {
    return `the files have ${size} bytes together, more than ${MOST_BYTES}`;
  }
  const clash = clashIn(new Set(files.keys()));
  return clash === undefined
    ? undefined
    : `path ${clash} is to be a file and a directory`;
}

/** Compat: utilerrors.Aggregate. */
function aggregate(messages: ReadonlySet<string>): string | undefined {
  if (messages.size === 0) return undefined;
  const text = [...messages].join(", ");
  return messages.size === 1 ? text : `[${text}]`;
}

function* partOf(place: Place, source: Source, found: Found): Steps<Part> {
  if (found.kind === "failed") return refused(found.message);
  switch (source.kind) {
    case "secret":
    case "configmap":
      return yield* objectPart(place, source, found);
    case "token":
      return tokenPart(place, source, found);
    case "downward-api":
      return downwardPart(place, source);
  }
}

function* objectPart(
  place: Place,
  source: ObjectSource,
  found: Found,
): Steps<Part> {
  const { kind, name, items, isOptional } = source;
  if (found.kind !== "object" && !isOptional) {
    return refused(`${kind} "${name}" not found`);
  }
  const values = found.kind === "object"
    ? yield* valuesOf(kind, found.object)
    : new Map<string, Uint8Array>();
  if (values === undefined) {
    return refused(`${kind} "${name}" holds a value that is not base64`);
  }
  const { defaultMode } = place.volume;
  if (items.length === 0) {
    return okay([...values].map(([path, bytes]) => ({
      path,
      bytes,
      mode: defaultMode,
    })));
  }
  const files: Named[] = [];
  for (const { key, path, mode = defaultMode } of items) {
    const bytes = values.get(key);
    if (bytes !== undefined) files.push({ path, bytes, mode });
    else if (!isOptional) {
      return refused(
        kind === "secret"
          ? `references non-existent secret key: ${key}`
          : `configmap references non-existent config key: ${key}`,
      );
    }
  }
  return okay(files);
}

/** By key; text wins over bytes. Undefined: not what the API promises. */
function* valuesOf(
  kind: ObjectSource["kind"],
  object: ApiObject,
): Steps<ReadonlyMap<string, Uint8Array> | undefined> {
  const values = new Map<string, Uint8Array>();
  const encoded = kind === "secret" ? object.data : object.binaryData;
  for (const [key, value] of textsOf(encoded)) {
    if (values.size % STEP === 0) yield;
    const bytes = decoded(value);
    if (bytes === undefined) return undefined;
    values.set(key, bytes);
  }
  if (kind === "secret") return values;
  const encoder = new TextEncoder();
  for (const [key, value] of textsOf(object.data)) {
    if (values.size % STEP === 0) yield;
    values.set(key, encoder.encode(value));
  }
  return values;
}

function textsOf(value: unknown): [string, string][] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).map(([key, each]) => [key, String(each ?? "")])
    : [];
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Only its user may read a token, or its group: `fsGroup` opens it for them. */
function tokenPart(place: Place, source: TokenSource, found: Found): Part {
  if (found.kind !== "token") return refused("failed to fetch token");
  const { defaultMode, owner } = place.volume;
  const isOwned = owner.uid !== undefined || owner.gid !== undefined;
  return okay([{
    path: source.path,
    bytes: new TextEncoder().encode(found.token),
    mode: isOwned ? TOKEN_MODE : defaultMode,
    ...(owner.uid === undefined ? {} : { uid: owner.uid }),
  }]);
}

function downwardPart(place: Place, source: DownwardSource): Part {
  const { volume, pod, allocatable } = place;
  const files: Named[] = [];
  const messages: string[] = [];
  for (const item of source.items) {
    const made = downwardText(item, pod, allocatable);
    if (made.kind === "refused") messages.push(made.message);
    else {
      files.push({
        path: item.path,
        bytes: new TextEncoder().encode(made.text),
        mode: item.mode ?? volume.defaultMode,
      });
    }
  }
  return messages.length === 0 ? okay(files) : { kind: "refused", messages };
}

function okay(files: readonly Named[]): Part {
  return { kind: "ok", files };
}

function refused(message: string): Part {
  return { kind: "refused", messages: [message] };
}
