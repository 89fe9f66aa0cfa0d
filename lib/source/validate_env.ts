/**
 * Rules for environment variables and what they and downward API files may
 * refer to.
 * Compat: kubelet 1.36 ValidateEnv, ValidateEnvFrom and what they call.
 */
import type { V1Container } from "../api/types.ts";
import {
  invalid,
  invalids,
  notFound,
  notSupported,
  type Path,
  required,
  type Violation,
} from "./field.ts";
import {
  configKey,
  dnsLabel,
  dnsSubdomain,
  envName,
  qualifiedName,
} from "./names.ts";
import type {
  EnvSource,
  FieldRef,
  ResourceRef,
  Surroundings,
} from "./parts.ts";
import { noBacksteps } from "./validate_path.ts";

const ENV_FIELDS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
const VOLUME_FIELDS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
const RESOURCES = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const HUGE_PAGES = /^(requests|limits)\.hugepages-/;
const CPU_DIVISORS = ["1m", "1"];
const BYTE_DIVISORS = "1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei".split(" ");
const SOURCES = "must specify one of: `fieldRef`, `resourceFieldRef`, " +
  "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
const TOO_MANY = "may not have more than one field specified at a time";

export function* validateEnv(
  container: V1Container,
  around: Surroundings,
  path: Path,
): Generator<Violation> {
  for (const [index, env] of (container.env ?? []).entries()) {
    const at = [...path, "env", index];
    if (!env.name) yield required([...at, "name"]);
    else yield* invalids([...at, "name"], env.name, envName(env.name));
    if (env.valueFrom === undefined) continue;
    yield* validateSource(env.valueFrom, around, [...at, "valueFrom"]);
    if (env.value && sourcesOf(env.valueFrom) > 0) {
      yield invalid(
        [...at, "valueFrom"],
        "",
        "may not be specified when `value` is not empty",
      );
    }
  }
  for (const [index, from] of (container.envFrom ?? []).entries()) {
    const at = [...path, "envFrom", index];
    if (from.prefix) {
      yield* invalids([...at, "prefix"], from.prefix, envName(from.prefix));
    }
    const count = [from.configMapRef, from.secretRef].filter(Boolean).length;
    if (count === 1) continue;
    const all = "must specify one of: `configMapRef` or `secretRef`";
    yield invalid([...path, "envFrom"], "", count === 0 ? all : TOO_MANY);
  }
}

function sourcesOf(source: EnvSource): number {
  return Object.values(source).filter((each) => each !== undefined).length;
}

function* validateSource(
  source: EnvSource,
  around: Surroundings,
  path: Path,
): Generator<Violation> {
  if (source.fieldRef !== undefined) {
    yield* validateFieldRef(source.fieldRef, "env", [...path, "fieldRef"]);
  }
  if (source.resourceFieldRef !== undefined) {
    const at = [...path, "resourceFieldRef"];
    yield* validateResourceRef(source.resourceFieldRef, "env", at);
  }
  for (const name of ["configMapKeyRef", "secretKeyRef"] as const) {
    const ref = source[name];
    if (ref === undefined) continue;
    const at = [...path, name];
    const wrong = dnsSubdomain(ref.name ?? "");
    yield* invalids([...at, "name"], ref.name ?? "", wrong);
    if (!ref.key) yield required([...at, "key"]);
    else yield* invalids([...at, "key"], ref.key, configKey(ref.key));
  }
  if (source.fileKeyRef !== undefined) {
    yield* validateFileKey(source.fileKeyRef, around, [...path, "fileKeyRef"]);
  }
  const count = sourcesOf(source);
  if (count === 0) yield invalid(path, "", SOURCES);
  if (count > 1) yield invalid(path, "", TOO_MANY);
}

function* validateFileKey(
  ref: NonNullable<EnvSource["fileKeyRef"]>,
  around: Surroundings,
  path: Path,
): Generator<Violation> {
  if (!ref.key) yield required([...path, "key"]);
  else yield* invalids([...path, "key"], ref.key, envName(ref.key));
  if (!ref.path) yield required([...path, "path"]);
  else yield* noBacksteps([...path, "path"], ref.path);
  const at = [...path, "volumeName"];
  if (!ref.volumeName) return yield required(at);
  yield* invalids(at, ref.volumeName, dnsLabel(ref.volumeName));
  const volume = around.volumes.get(ref.volumeName);
  if (volume === undefined) yield notFound(at, ref.volumeName);
  else if (volume.emptyDir === undefined) {
    const detail = "referenced volume must be of type emptyDir";
    yield invalid(at, ref.volumeName, detail);
  }
}

export function* validateFieldRef(
  ref: FieldRef,
  use: "env" | "volume",
  path: Path,
): Generator<Violation> {
  if (!ref.fieldPath) return yield required([...path, "fieldPath"]);
  if (ref.apiVersion !== "v1") {
    const detail = `error converting fieldPath: unsupported pod version: ` +
      `${ref.apiVersion}`;
    return yield invalid([...path, "fieldPath"], ref.fieldPath, detail);
  }
  const subscript = /^(.*)\['(.*)'\]$/.exec(ref.fieldPath);
  const field = subscript?.[1] ?? ref.fieldPath;
  const key = subscript?.[2];
  const known = use === "env" ? ENV_FIELDS : VOLUME_FIELDS;
  if (key === undefined) {
    if (known.includes(field)) return;
    const isElsewhere = ENV_FIELDS.includes(field) ||
      VOLUME_FIELDS.includes(field);
    const at = [...path, "fieldPath"];
    if (isElsewhere) return yield notSupported(at, field, known);
    const detail = `error converting fieldPath: field label not supported: ` +
      `${field}; supported are ${known.join(", ")}`;
    return yield invalid(at, field, detail);
  }
  if (field === "metadata.annotations") {
    yield* invalids(path, key.toLowerCase(), qualifiedName(key.toLowerCase()));
  } else if (field === "metadata.labels") {
    yield* invalids(path, key, qualifiedName(key));
  } else {
    const detail = `error converting fieldPath: field label does not support ` +
      `subscript: ${ref.fieldPath}`;
    yield invalid([...path, "fieldPath"], ref.fieldPath, detail);
  }
}

export function* validateResourceRef(
  ref: ResourceRef,
  use: "env" | "volume",
  path: Path,
): Generator<Violation> {
  const { resource } = ref;
  if (use === "volume" && !ref.containerName) {
    yield required([...path, "containerName"]);
  } else if (!resource) yield required([...path, "resource"]);
  else if (!RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) {
    yield notSupported([...path, "resource"], resource, RESOURCES);
  }
  const { divisor } = ref;
  if (divisor === undefined || divisor === "0") return;
  const isCpu = /\.cpu$/.test(resource ?? "");
  const allowed = isCpu ? CPU_DIVISORS : BYTE_DIVISORS;
  if (allowed.includes(divisor)) return;
  const detail = isCpu
    ? "only divisor's values 1m and 1 are supported with the cpu resource"
    : `only divisor's values ${BYTE_DIVISORS.join(", ")} are supported with ` +
      `this resource`;
  yield invalid([...path, "divisor"], resource, detail);
}
