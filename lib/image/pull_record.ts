/**
 * What is remembered on disk about pulls: that one is under way, and with what
 * an image was pulled. Text and value; pure. Never holds a credential, only
 * where it was from and its hash.
 * Compat: kubelet 1.36 ImagePullIntent, ImagePulledRecord, file names and JSON
 * so that a kubelet and this agent read each other's.
 */
import { createHash } from "node:crypto";
import { isObject, type JsonObject, parseJson } from "../base/json.ts";
import {
  type Coordinates,
  type Credential,
  hashOf,
  isSame,
} from "./credential.ts";

const GROUP = "kubelet.config.k8s.io";
const WRITTEN = `${GROUP}/v1beta1`;
const READ: readonly unknown[] = [WRITTEN, `${GROUP}/v1alpha1`];

export interface ProvenSecret {
  readonly at: Coordinates;
  /** Of the login it held then; empty when it could not be made. */
  readonly hash: string;
}

export interface PullCredentials {
  /** It took no credential, or one that is the node's. */
  readonly isForAll: boolean;
  readonly secrets: readonly ProvenSecret[];
  readonly serviceAccounts: readonly Coordinates[];
}

export interface PulledRecord {
  /** As the runtime names the image. */
  readonly ref: string;
  readonly updatedAtMs: number;
  /** By the name in the pod, without tag and digest. */
  readonly credentials: ReadonlyMap<string, PullCredentials>;
}

/** One file for each pull under way. */
export function pullingFolder(rootDir: string): string {
  return `${rootDir}/image_manager/pulling`;
}

/** One file for each image that was pulled here. */
export function pulledFolder(rootDir: string): string {
  return `${rootDir}/image_manager/pulled`;
}

export function recordFile(name: string): string {
  return `sha256-${createHash("sha256").update(name).digest("hex")}`;
}

/** False for files of others, and for what a kubelet left half written. */
export function isRecordFile(file: string): boolean {
  return file.startsWith("sha256-") && !file.endsWith(".tmp");
}

export function intentText(image: string): string {
  return jsonLine({ kind: "ImagePullIntent", apiVersion: WRITTEN, image });
}

/** The image; undefined when the text is no such record. */
export function parseIntent(text: string): string | undefined {
  const root = parseJson(text);
  if (!isKind(root, "ImagePullIntent")) return undefined;
  const { image } = root;
  return typeof image === "string" ? image : undefined;
}

export function recordText(record: PulledRecord): string {
  const { ref, updatedAtMs, credentials } = record;
  const names = [...credentials.keys()].sort();
  return jsonLine({
    kind: "ImagePulledRecord",
    apiVersion: WRITTEN,
    lastUpdatedTime: new Date(updatedAtMs).toISOString()
      .replace(/\.\d+Z$/, "Z"),
    imageRef: ref,
    ...names.length === 0 ? {} : {
      credentialMapping: Object.fromEntries(
        names.map((name) => [name, credentialsJson(credentials.get(name))]),
      ),
    },
  });
}

function credentialsJson(credentials: PullCredentials | undefined) {
  const { isForAll = false, secrets = [], serviceAccounts = [] } =
    credentials ?? {};
  return {
    ...secrets.length === 0 ? {} : {
      kubernetesSecrets: secrets.map(({ at, hash }) => ({
        ...coordinates(at),
        credentialHash: hash,
      })),
    },
    ...serviceAccounts.length === 0
      ? {}
      : { kubernetesServiceAccounts: serviceAccounts.map(coordinates) },
    ...isForAll ? { nodePodsAccessible: true } : {},
  };
}

function coordinates({ uid, namespace, name }: Coordinates) {
  return { uid, namespace, name };
}

/** Undefined when the text is no such record. */
export function parseRecord(text: string): PulledRecord | undefined {
  const root = parseJson(text);
  if (!isKind(root, "ImagePulledRecord")) return undefined;
  const { imageRef, lastUpdatedTime, credentialMapping = {} } = root;
  const updatedAtMs = Date.parse(String(lastUpdatedTime));
  if (typeof imageRef !== "string" || Number.isNaN(updatedAtMs)) {
    return undefined;
  }
  if (!isObject(credentialMapping)) return undefined;
  const credentials = new Map<string, PullCredentials>();
  for (const [name, value] of Object.entries(credentialMapping)) {
    const parsed = parseCredentials(value);
    if (parsed === undefined) return undefined;
    credentials.set(name, parsed);
  }
  return { ref: imageRef, updatedAtMs, credentials };
}

function parseCredentials(value: unknown): PullCredentials | undefined {
  if (!isObject(value)) return undefined;
  const {
    kubernetesSecrets = [],
    kubernetesServiceAccounts = [],
    nodePodsAccessible = false,
  } = value;
  if (typeof nodePodsAccessible !== "boolean") return undefined;
  const secrets = everyOf(kubernetesSecrets, (entry) => {
    const at = parseCoordinates(entry);
    const hash = isObject(entry) ? entry.credentialHash : undefined;
    return at && typeof hash === "string" ? { at, hash } : undefined;
  });
  const serviceAccounts = everyOf(kubernetesServiceAccounts, parseCoordinates);
  return secrets && serviceAccounts &&
    { isForAll: nodePodsAccessible, secrets, serviceAccounts };
}

function parseCoordinates(value: unknown): Coordinates | undefined {
  if (!isObject(value)) return undefined;
  const { uid, namespace, name } = value;
  return typeof uid === "string" && typeof namespace === "string" &&
      typeof name === "string"
    ? { uid, namespace, name }
    : undefined;
}

/** The record with what a new pull proved; undefined when it knew that. */
export function withCredentials(
  record: PulledRecord,
  path: string,
  { found, nowMs }: {
    readonly found: PullCredentials | undefined;
    readonly nowMs: number;
  },
): PulledRecord | undefined {
  if (found === undefined) return undefined;
  const { isForAll, secrets, serviceAccounts } = found;
  const proves = isForAll || secrets.length + serviceAccounts.length > 0;
  if (!proves) return undefined;
  const known = record.credentials.get(path);
  const merged = known === undefined ? found : merge(known, found);
  if (merged === undefined) return undefined;
  const credentials = new Map(record.credentials).set(path, merged);
  return { ...record, updatedAtMs: nowMs, credentials };
}

function merge(
  known: PullCredentials,
  found: PullCredentials,
): PullCredentials | undefined {
  if (known.isForAll) return undefined;
  if (found.isForAll) {
    return { isForAll: true, secrets: [], serviceAccounts: [] };
  }
  const newSecrets = found.secrets.filter((each) =>
    !known.secrets.some(({ at, hash }) =>
      isSame(at, each.at) && hash === each.hash
    )
  );
  const newAccounts = found.serviceAccounts.filter((each) =>
    !known.serviceAccounts.some((at) => isSame(at, each))
  );
  if (newSecrets.length + newAccounts.length === 0) return undefined;
  const kept = known.secrets.filter(({ at }) =>
    !newSecrets.some((each) => isSame(at, each.at))
  );
  return {
    isForAll: false,
    secrets: [...kept, ...newSecrets]
      .sort((a, b) => compare(a.at, b.at)),
    serviceAccounts: [...known.serviceAccounts, ...newAccounts].sort(compare),
  };
}

function compare(a: Coordinates, b: Coordinates): number {
  const [left, right] = [a, b].map(({ namespace, name, uid }) =>
    [namespace, name, uid].join("\0")
  );
  return left === right ? 0 : (left ?? "") < (right ?? "") ? -1 : 1;
}

function everyOf<T>(
  list: unknown,
  parse: (entry: unknown) => T | undefined,
): readonly T[] | undefined {
  if (list === null) return [];
  if (!Array.isArray(list)) return undefined;
  const parsed = list.map(parse);
  const good = parsed.filter((each) => each !== undefined);
  return good.length === parsed.length ? good : undefined;
}

function isKind(value: unknown, kind: string): value is JsonObject {
  return isObject(value) && value.kind === kind &&
    READ.includes(value.apiVersion);
}

function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** What a pull with this credential proves; undefined: it took none. */
export function provenBy(credential: Credential | undefined): PullCredentials {
  const { source, login } = credential ?? { source: { kind: "node" } };
  const nothing = { isForAll: false, secrets: [], serviceAccounts: [] };
  switch (source.kind) {
    case "node":
      return { ...nothing, isForAll: true };
    case "service-account":
      return { ...nothing, serviceAccounts: [source.at] };
    case "secret": {
      const hash = login === undefined ? "" : hashOf(login);
      return { ...nothing, secrets: [{ at: source.at, hash }] };
    }
  }
}
