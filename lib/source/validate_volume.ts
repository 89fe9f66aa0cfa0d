/**
 * Rules for volumes and for mounting them. Sources that a static pod may not
 * use are refused by `references.ts` whatever they contain, so only the
 * others are looked into.
 * Compat: kubelet 1.36 ValidateVolumes, ValidateVolumeMounts.
 */
import { parseQuantity } from "../api/quantity.ts";
import type { V1Container } from "../api/types.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalids,
  notFound,
  notSupported,
  type Path,
  required,
  type Violation,
} from "./field.ts";
import { dnsLabel } from "./names.ts";
import type {
  DownwardItem,
  Projection,
  Surroundings,
  Volume,
  VolumeMount,
} from "./parts.ts";
import { validateFieldRef, validateResourceRef } from "./validate_env.ts";
import { descending, noBacksteps, nonReserved } from "./validate_path.ts";

const GREATEST_MODE = 0o777;
const MODE = "must be a number between 0 and 0777 (octal), both inclusive";
const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE = ["Disabled", "Enabled", "IfPossible"];

/** Reports what is wrong and returns the volumes that are in order. */
export function* validateVolumes(
  volumes: readonly Volume[],
  path: Path,
): Generator<Violation, ReadonlyMap<string, Volume>> {
  const fine = new Map<string, Volume>();
  for (const [index, volume] of volumes.entries()) {
    const at = [...path, index];
    const wrong = [...validateVolume(volume, at)];
    if (!volume.name) wrong.push(required([...at, "name"]));
    else {
      wrong.push(
        ...invalids([...at, "name"], volume.name, dnsLabel(volume.name)),
      );
    }
    if (fine.has(volume.name)) {
      wrong.push(duplicate([...at, "name"], volume.name));
    }
    if (wrong.length === 0) fine.set(volume.name, volume);
    yield* wrong;
  }
  return fine;
}

function* validateVolume(volume: Volume, path: Path): Generator<Violation> {
  const [, ...others] = Object.keys(volume).filter((name) => name !== "name");
  for (const name of others) {
    yield forbidden([...path, name], "may not specify more than 1 volume type");
  }
  const limit = volume.emptyDir?.sizeLimit;
  if (limit !== undefined && (parseQuantity(limit) ?? 0n) < 0n) {
    const detail = "SizeLimit field must be a valid resource quantity";
    yield forbidden([...path, "emptyDir", "sizeLimit"], detail);
  }
  const { hostPath, downwardAPI, projected, nfs, image } = volume;
  if (hostPath !== undefined) {
    const at = [...path, "hostPath"];
    if (!hostPath.path) yield required([...at, "path"]);
    else yield* noBacksteps([...at, "path"], hostPath.path);
    if (!HOST_PATH_TYPES.includes(hostPath.type ?? "")) {
      yield notSupported([...at, "type"], hostPath.type, HOST_PATH_TYPES);
    }
  }
  if (nfs !== undefined) {
    const at = [...path, "nfs"];
    if (!nfs.server) yield required([...at, "server"]);
    if (!nfs.path) yield required([...at, "path"]);
    else if (!nfs.path.startsWith("/")) {
      yield invalid([...at, "path"], nfs.path, "must be an absolute path");
    }
  }
  if (image !== undefined) {
    const at = [...path, "image"];
    if (!image.reference) yield required([...at, "reference"]);
    if (!PULL_POLICIES.includes(image.pullPolicy ?? "")) {
      yield notSupported(
        [...at, "pullPolicy"],
        image.pullPolicy,
        PULL_POLICIES,
      );
    }
  }
  if (downwardAPI !== undefined) {
    const at = [...path, "downwardAPI"];
    yield* validateMode(downwardAPI.defaultMode, [...at, "defaultMode"]);
    for (const [index, item] of (downwardAPI.items ?? []).entries()) {
      yield* validateItem(item, [...at, "items", index]);
    }
  }
  if (projected !== undefined) {
    const at = [...path, "projected"];
    yield* validateMode(projected.defaultMode, [...at, "defaultMode"]);
    yield* validateSources(projected.sources ?? [], at);
  }
}

function* validateSources(
  sources: readonly Projection[],
  path: Path,
): Generator<Violation> {
  const seen = new Set<string>();
  for (const [index, source] of sources.entries()) {
    const at = [...path, "sources", index];
    if (Object.keys(source).length > 1) {
      const detail = "may not specify more than 1 volume type per source";
      yield forbidden(at, detail);
    }
    for (const [nth, item] of (source.downwardAPI?.items ?? []).entries()) {
      yield* validateItem(item, [...at, "downwardAPI", "items", nth]);
      if (seen.has(item.path)) {
        yield invalid(path, item.path, "conflicting duplicate paths");
      }
      seen.add(item.path);
    }
  }
}

function* validateItem(item: DownwardItem, path: Path): Generator<Violation> {
  if (!item.path) yield required([...path, "path"]);
  else yield* nonReserved([...path, "path"], item.path);
  const { fieldRef, resourceFieldRef } = item;
  if (fieldRef !== undefined) {
    yield* validateFieldRef(fieldRef, "volume", [...path, "fieldRef"]);
  }
  if (resourceFieldRef !== undefined) {
    const at = [...path, "resourceFieldRef"];
    yield* validateResourceRef(resourceFieldRef, "volume", at);
  }
  if (fieldRef === undefined && resourceFieldRef === undefined) {
    yield required(path, "one of fieldRef and resourceFieldRef is required");
  }
  if (fieldRef !== undefined && resourceFieldRef !== undefined) {
    const detail =
      "fieldRef and resourceFieldRef can not be specified simultaneously";
    yield invalid(path, "resource", detail);
  }
  yield* validateMode(item.mode, [...path, "mode"]);
}

function* validateMode(
  mode: number | undefined,
  path: Path,
): Generator<Violation> {
  if (mode === undefined || (mode >= 0 && mode <= GREATEST_MODE)) return;
  yield invalid(path, mode, MODE);
}

export function* validateMounts(
  container: V1Container,
  around: Surroundings,
  path: Path,
): Generator<Violation> {
  const seen = new Set<string>();
  const devices = container.volumeDevices ?? [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = [...path, "volumeMounts", index];
    if (!mount.name) yield required([...at, "name"]);
    if (!around.volumes.has(mount.name)) {
      yield notFound([...at, "name"], mount.name ?? "");
    }
    if (!mount.mountPath) yield required([...at, "mountPath"]);
    else if (seen.has(mount.mountPath)) {
      yield invalid([...at, "mountPath"], mount.mountPath, "must be unique");
    }
    seen.add(mount.mountPath);
    if (devices.some(({ name }) => name === mount.name)) {
      const detail = "must not already exist in volumeDevices";
      yield invalid([...at, "name"], mount.name, detail);
    }
    yield* validateMount(mount, container, at);
  }
  for (const [index, device] of devices.entries()) {
    const at = [...path, "volumeDevices", index];
    // Only claims can be devices, and a static pod may not have claims.
    const detail = "can only use volume source type of PersistentVolumeClaim " +
      "or Ephemeral for block mode";
    yield invalid([...at, "name"], device.name ?? "", detail);
  }
}

function* validateMount(
  mount: VolumeMount,
  container: V1Container,
  path: Path,
): Generator<Violation> {
  const { subPath, subPathExpr, mountPropagation: propagation } = mount;
  if (subPath) yield* descending([...path, "subPath"], subPath);
  if (subPathExpr) {
    const at = [...path, "subPathExpr"];
    if (subPath) {
      const detail = "subPathExpr and subPath are mutually exclusive";
      yield invalid(at, subPathExpr, detail);
    }
    yield* descending(at, subPathExpr);
  }
  const at = [...path, "mountPropagation"];
  if (propagation !== undefined && !PROPAGATIONS.includes(propagation)) {
    yield notSupported(at, propagation, PROPAGATIONS);
  }
  const isPrivileged = container.securityContext?.privileged === true;
  if (propagation === "Bidirectional" && !isPrivileged) {
    yield forbidden(
      at,
      "Bidirectional mount propagation is available only to privileged " +
        "containers",
    );
  }
  yield* validateRecursive(mount, [...path, "recursiveReadOnly"]);
}

function* validateRecursive(
  mount: VolumeMount,
  path: Path,
): Generator<Violation> {
  const { recursiveReadOnly: mode, mountPropagation } = mount;
  if (mode === undefined || mode === "Disabled") return;
  if (!RECURSIVE.includes(mode)) {
    return yield notSupported(path, mode, RECURSIVE);
  }
  if (!mount.readOnly) {
    yield forbidden(path, "may only be specified when readOnly is true");
  }
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    const detail =
      "may only be specified when mountPropagation is None or not specified";
    yield forbidden(path, detail);
  }
}
