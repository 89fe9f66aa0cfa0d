/**
 * Rules for security contexts, of a pod and of a container.
 * Compat: kubelet 1.36 validatePodSpecSecurityContext, ValidateSecurityContext
 * (privileged containers allowed), validateHostUsers.
 */
import type { V1PodSpec, V1SecurityContext } from "../api/types.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalids,
  notSupported,
  type Path,
  required,
  tooLong,
  type Violation,
} from "./field.ts";
import { sysctlName, userOrGroupId } from "./names.ts";
import type { AppArmor, Seccomp, SpecSecurity } from "./parts.ts";
import { descending } from "./validate_path.ts";

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const PROC_MOUNTS = ["Default", "Unmasked"];
const LONGEST_PATH = 4095;
const CHOICES = {
  fsGroupChangePolicy: ["Always", "OnRootMismatch"],
  supplementalGroupsPolicy: ["Merge", "Strict"],
  // Compat: gate SELinuxMount (off).
  seLinuxChangePolicy: ["Recursive"],
} as const;
const IPC_SYSCTLS = /^(kernel[./](shm|msg|sem)|fs[./]mqueue[./])/;
const NET_SYSCTLS = /^net[./]/;

export function* validatePodSecurity(
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  const context = spec.securityContext ?? {};
  for (const name of ["fsGroup", "runAsUser", "runAsGroup"] as const) {
    const id = context[name];
    if (id === undefined) continue;
    yield* invalids([...path, name], id, userOrGroupId(id));
  }
  for (const [index, id] of (context.supplementalGroups ?? []).entries()) {
    const at = [...path, "supplementalGroups", index];
    yield* invalids(at, id, userOrGroupId(id));
  }
  for (const [name, allowed] of Object.entries(CHOICES)) {
    const chosen = new Map(Object.entries(context)).get(name);
    if (chosen === undefined || allowed.some((each) => each === chosen)) {
      continue;
    }
    yield notSupported([...path, name], chosen, allowed);
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    yield invalid(
      [...path, "shareProcessNamespace"],
      true,
      "ShareProcessNamespace and HostPID cannot both be enabled",
    );
  }
  yield* validateSysctls(context, spec, [...path, "sysctls"]);
  yield* validateProfiles(context, path);
  yield* validateHostUsers(spec);
}

export function* validateContainerSecurity(
  context: V1SecurityContext,
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  for (const name of ["runAsUser", "runAsGroup"] as const) {
    const id = context[name];
    if (id === undefined) continue;
    yield* invalids([...path, name], id, userOrGroupId(id));
  }
  const { procMount } = context;
  if (procMount !== undefined && !PROC_MOUNTS.includes(procMount)) {
    yield notSupported([...path, "procMount"], procMount, PROC_MOUNTS);
  }
  if (procMount === "Unmasked" && spec.hostUsers !== false) {
    const detail = "`hostUsers` must be false to use `Unmasked`";
    yield invalid([...path, "procMount"], procMount, detail);
  }
  if (context.allowPrivilegeEscalation === false) {
    const both = "cannot set `allowPrivilegeEscalation` to false and ";
    if (context.privileged) {
      yield invalid(path, context, `${both}\`privileged\` to true`);
    }
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      yield invalid(path, context, `${both}\`capabilities.Add\` CAP_SYS_ADMIN`);
    }
  }
  yield* validateProfiles(context, path);
}

function* validateProfiles(
  context: { seccompProfile?: Seccomp; appArmorProfile?: AppArmor },
  path: Path,
): Generator<Violation> {
  const { seccompProfile, appArmorProfile } = context;
  if (seccompProfile !== undefined) {
    yield* validateSeccomp(seccompProfile, [...path, "seccompProfile"]);
  }
  if (appArmorProfile !== undefined) {
    yield* validateAppArmor(appArmorProfile, [...path, "appArmorProfile"]);
  }
}

function* validateSeccomp(profile: Seccomp, path: Path): Generator<Violation> {
  const { type, localhostProfile } = profile;
  const at = [...path, "localhostProfile"];
  if (!PROFILE_TYPES.includes(type)) {
    yield notSupported([...path, "type"], type ?? "", PROFILE_TYPES);
  }
  if (type !== "Localhost") {
    if (localhostProfile === undefined) return;
    const detail = "can only be set when seccomp type is Localhost";
    yield invalid(at, localhostProfile, detail);
  } else if (localhostProfile === undefined) {
    yield required(at, "must be set when seccomp type is Localhost");
  } else yield* descending(at, localhostProfile);
}

function* validateAppArmor(
  profile: AppArmor,
  path: Path,
): Generator<Violation> {
  const { type, localhostProfile } = profile;
  const at = [...path, "localhostProfile"];
  if (!type) {
    const detail = "type is required when appArmorProfile is set";
    yield required([...path, "type"], detail);
  } else if (!PROFILE_TYPES.includes(type)) {
    yield notSupported([...path, "type"], type, PROFILE_TYPES);
  } else if (type !== "Localhost") {
    if (localhostProfile === undefined) return;
    const detail = "can only be set when AppArmor type is Localhost";
    yield invalid(at, localhostProfile, detail);
  } else if (!localhostProfile) {
    yield required(at, "must be set when AppArmor type is Localhost");
  } else if (localhostProfile.trim() !== localhostProfile) {
    yield invalid(at, localhostProfile, "must not be padded with whitespace");
  } else if (localhostProfile.length > LONGEST_PATH) {
    yield tooLong(at, LONGEST_PATH);
  }
}

function* validateSysctls(
  context: SpecSecurity,
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  const seen = new Set<string>();
  for (const [index, { name }] of (context.sysctls ?? []).entries()) {
    const at = [...path, index, "name"];
    if (!name) yield required(at);
    else if (seen.has(name)) yield duplicate(at, name);
    else yield* invalids(at, name, sysctlName(name));
    seen.add(name);
    if (spec.hostNetwork && NET_SYSCTLS.test(name)) {
      yield invalid(
        at,
        name,
        "may not be specified when 'hostNetwork' is true",
      );
    }
    if (spec.hostIPC && IPC_SYSCTLS.test(name)) {
      yield invalid(at, name, "may not be specified when 'hostIPC' is true");
    }
  }
}

function* validateHostUsers(spec: V1PodSpec): Generator<Violation> {
  if (spec.hostUsers !== false) return;
  const detail = "when `hostUsers` is false";
  for (const name of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec[name]) yield forbidden(["spec", name], detail);
  }
  for (const list of ["containers", "initContainers"] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      if (!container.volumeDevices?.length) continue;
      yield forbidden(["spec", list, index, "volumeDevices"], detail);
    }
  }
}
