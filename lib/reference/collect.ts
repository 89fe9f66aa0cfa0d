/**
 * Finds what the environment of one container refers to: all objects side by
 * side, then judged in the order in which the container names them. Wording of
 * failures is contract: people search for it.
 * Compat: kubelet 1.36 makeEnvironmentVariables.
 */
import { AgentError, isAbort } from "../base/errors.ts";
import { namespaceOf } from "../api/pod.ts";
import type { V1Container, V1EnvVarSource, V1Pod } from "../api/types.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import { valueIn } from "./env_file.ts";
import type { FoundReferences, ObjectAsk, ObjectHold } from "./types.ts";

/** More than any environment can hold. */
const LONGEST_FILE_BYTES = 4 * 1024 * 1024;

export interface ReferenceRequest {
  readonly pod: V1Pod;
  readonly container: V1Container;
  /** Volume name → host path. */
  readonly volumePaths: ReadonlyMap<string, string>;
}

interface Parts {
  readonly hold: ObjectHold;
  readonly files: Files;
  readonly signal: AbortSignal;
}

/** An object or its absence, or why nobody knows. */
type Answer =
  | { readonly kind: "object"; readonly object: ApiObject | undefined }
  | { readonly kind: "failed"; readonly error: unknown };

type Answers = (ask: ObjectAsk) => ApiObject | undefined;

/** Rejects with what people shall read. */
export async function collectReferences(
  parts: Parts,
  request: ReferenceRequest,
): Promise<FoundReferences> {
  const { envFrom = [], env = [] } = request.container;
  const answers = await answersFor(parts, request);
  const whole = new Map<number, ReadonlyMap<string, string>>();
  for (const [index, { configMapRef, secretRef }] of envFrom.entries()) {
    const ref = configMapRef ?? secretRef;
    if (ref === undefined) continue;
    const kind = configMapRef !== undefined ? "configmap" : "secret";
    const ask = askFor(request.pod, kind, ref.name);
    const object = answers(ask);
    if (object !== undefined) whole.set(index, textsOf(ask, object));
    else if (ref.optional !== true) throw notFound(ask);
  }
  const single = new Map<number, string>();
  for (const [index, { value = "", valueFrom }] of env.entries()) {
    if (value !== "" || valueFrom === undefined) continue;
    const found = keyOf(request.pod, valueFrom, answers) ??
      await fileValue(parts.files, valueFrom, request.volumePaths);
    if (found !== undefined) single.set(index, found);
  }
  return { envFrom: whole, env: single };
}

/** Every object that the container names is asked for at once. */
async function answersFor(
  { hold, signal }: Parts,
  { pod, container }: ReferenceRequest,
): Promise<Answers> {
  const asks = new Map<string, ObjectAsk>();
  for (const ask of asksOf(pod, container)) asks.set(nameFor(ask), ask);
  const answers = new Map<string, Answer>();
  await Promise.all(
    [...asks].map(async ([name, ask]) => {
      try {
        const object = await hold.get(ask, signal);
        answers.set(name, { kind: "object", object });
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        answers.set(name, { kind: "failed", error });
      }
    }),
  );
  return (ask) => {
    const answer = answers.get(nameFor(ask));
    if (answer?.kind === "failed") throw answer.error;
    return answer?.object;
  };
}

function* asksOf(
  pod: V1Pod,
  { envFrom = [], env = [] }: V1Container,
): Generator<ObjectAsk> {
  for (const { configMapRef, secretRef } of envFrom) {
    if (configMapRef !== undefined) {
      yield askFor(pod, "configmap", configMapRef.name);
    } else if (secretRef !== undefined) {
      yield askFor(pod, "secret", secretRef.name);
    }
  }
  for (const { value = "", valueFrom = {} } of env) {
    if (value !== "") continue;
    const { configMapKeyRef, secretKeyRef } = valueFrom;
    if (configMapKeyRef !== undefined) {
      yield askFor(pod, "configmap", configMapKeyRef.name);
    } else if (secretKeyRef !== undefined) {
      yield askFor(pod, "secret", secretKeyRef.name);
    }
  }
}

/** Invariant: the namespace is the pod's, whatever the pod says. */
function askFor(
  pod: V1Pod,
  kind: ObjectAsk["kind"],
  name: string | undefined,
): ObjectAsk {
  return { kind, namespace: namespaceOf(pod), name: name ?? "" };
}

/** Undefined: an optional one that is not there, or no such source. */
function keyOf(
  pod: V1Pod,
  { configMapKeyRef, secretKeyRef }: V1EnvVarSource,
  answers: Answers,
): string | undefined {
  const ref = configMapKeyRef ?? secretKeyRef;
  if (ref === undefined) return undefined;
  const kind = configMapKeyRef !== undefined ? "configmap" : "secret";
  const ask = askFor(pod, kind, ref.name);
  const object = answers(ask);
  if (object === undefined) {
    if (ref.optional === true) return undefined;
    throw notFound(ask);
  }
  const text = dataOf(object).get(ref.key);
  if (text !== undefined) return textOf(ask, ref.key, text);
  if (ref.optional === true) return undefined;
  const shown = kind === "secret" ? "Secret" : "ConfigMap";
  throw refusal(
    `couldn't find key ${ref.key} in ${shown} ${ask.namespace}/${ask.name}`,
  );
}

/** Read beneath the volume, following no link that a pod has placed. */
async function fileValue(
  files: Files,
  { fileKeyRef }: V1EnvVarSource,
  volumePaths: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  if (fileKeyRef === undefined) return undefined;
  const { volumeName, path, key, optional } = fileKeyRef;
  const volume = volumePaths.get(volumeName);
  if (volume === undefined) {
    throw refusal(
      `cannot find the volume ${JSON.stringify(volumeName)} referenced by ` +
        "FileKeyRef",
    );
  }
  const file = `${volume}/${path}`;
  const value = await keyInFile(files, { file, path, key });
  if (value !== "") return value;
  if (optional === true) return undefined;
  throw refusal(
    `environment variable key ${JSON.stringify(key)} not found in file ` +
      JSON.stringify(file),
  );
}

async function keyInFile(
  files: Files,
  at: {
    readonly file: string;
    readonly path: string;
    readonly key: string;
  },
): Promise<string> {
  const unreadable = (cause: unknown) =>
    new AgentError("couldn't parse env file", { next: "retry", cause });
  if (at.path.startsWith("/") || at.path.split("/").includes("..")) {
    throw unreadable(`${at.path} leads out of the volume`);
  }
  let bytes: Uint8Array | undefined;
  try {
    bytes = await files.read(at.file, LONGEST_FILE_BYTES);
  } catch (error) {
    throw unreadable(error);
  }
  if (bytes === undefined) throw unreadable(`there is no ${at.path}`);
  const text = decoded(bytes);
  if (text === undefined) throw unreadable(`${at.path} is not UTF-8`);
  const found = valueIn(text, at.key);
  if (found.kind === "broken") throw unreadable(found.message);
  if (found.value.includes("\0")) throw unreadable("it holds a NUL byte");
  return found.value;
}

/** All that the object holds, as text. */
function textsOf(
  ask: ObjectAsk,
  object: ApiObject,
): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [key, text] of dataOf(object)) {
    texts.set(key, textOf(ask, key, text));
  }
  return texts;
}

/** Never quotes the value. */
function textOf(ask: ObjectAsk, key: string, text: string): string {
  const title = `${ask.kind} ${ask.namespace}/${ask.name}`;
  const value = ask.kind === "secret" ? fromBase64(text) : text;
  if (value === undefined) {
    throw refusal(`key ${key} of ${title} is not UTF-8 text`);
  }
  if (value.includes("\0")) {
    throw refusal(`key ${key} of ${title} contains a NUL byte`);
  }
  return value;
}

function dataOf({ data }: ApiObject): ReadonlyMap<string, string> {
  return new Map(
    typeof data === "object" && data !== null
      ? Object.entries(data).map(([key, value]) => [key, String(value ?? "")])
      : [],
  );
}

function fromBase64(text: string): string | undefined {
  try {
    return decoded(Uint8Array.fromBase64(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Undefined when it is not UTF-8, which no program could be given. */
function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Compat: the API server's words for a missing object. */
function notFound({ kind, name }: ObjectAsk): AgentError {
  return refusal(`${kind} ${JSON.stringify(name)} not found`);
}

function refusal(message: string): AgentError {
  return new AgentError(message, { next: "retry" });
}

function nameFor(ask: ObjectAsk): string {
  return `${ask.kind}/${ask.name}`;
}
