/**
 * Which seccomp and AppArmor profile confines a container, and why one that is
 * named cannot. A profile that is not a plain file below the profile folder,
 * or a plain name, confines nothing and is refused.
 * Compat: kubelet 1.36 getSeccompProfile, getAppArmorProfile, GetProfile; the
 * API server drops the annotation for seccomp, nobody reads it.
 */
import { allContainersOf } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { SecurityProfile } from "../port/runtime_spec.ts";
import type { Refusal } from "./admit.ts";

const ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST = "localhost/";
const RUNTIME_DEFAULT = "runtime/default";
const UNCONFINED = "unconfined";

interface Named {
  readonly type: string;
  readonly localhostProfile?: string;
}

export function seccompProfile(
  pod: V1Pod,
  container: V1Container,
  node: { readonly isSeccompDefault: boolean; readonly seccompDir: string },
): SecurityProfile {
  const profile = namedSeccomp(pod, container);
  switch (profile?.type) {
    case "RuntimeDefault":
      return { kind: "runtime-default" };
    case "Localhost":
      return {
        kind: "localhost",
        ref: `${node.seccompDir}/${profile.localhostProfile ?? ""}`,
      };
    case "Unconfined":
      return { kind: "unconfined" };
    default:
      return { kind: node.isSeccompDefault ? "runtime-default" : "unconfined" };
  }
}

/** Undefined: the runtime's own choice. */
export function appArmorProfile(
  pod: V1Pod,
  container: V1Container,
): SecurityProfile | undefined {
  const profile = namedAppArmor(pod, container);
  switch (profile?.type) {
    case "RuntimeDefault":
      return { kind: "runtime-default" };
    case "Unconfined":
      return { kind: "unconfined" };
    case "Localhost":
      return { kind: "localhost", ref: profile.localhostProfile ?? "" };
    default:
      return undefined;
  }
}

/** Why the container's profiles cannot be used, if so. */
export function profileFault(
  pod: V1Pod,
  container: V1Container,
): string | undefined {
  const seccomp = namedSeccomp(pod, container);
  if (seccomp?.type === "Localhost") {
    const file = seccomp.localhostProfile ?? "";
    if (file === "") {
      return "localhostProfile must be set if seccompProfile type is Localhost.";
    }
    if (!isBelow(file)) {
      return `localhostProfile ${JSON.stringify(file)} must be a relative ` +
        "path without '..'";
    }
  }
  const apparmor = namedAppArmor(pod, container);
  if (apparmor === undefined) return undefined;
  if (!["RuntimeDefault", "Unconfined", "Localhost"].includes(apparmor.type)) {
    return `unknown apparmor profile type: "${apparmor.type}"`;
  }
  if (apparmor.type !== "Localhost") return undefined;
  const name = apparmor.localhostProfile;
  if (name === undefined) return "missing localhost apparmor profile name";
  return isProfileName(name)
    ? undefined
    : `invalid AppArmor profile name: ${JSON.stringify(name)}`;
}

/**
 * The refusal of a pod whose containers ask to be confined by AppArmor where
 * the host cannot. Compat: kubelet 1.36 AppArmorAdmitHandler, Validate.
 */
export function refuseAppArmor(
  pod: V1Pod,
  { hasAppArmor }: { readonly hasAppArmor: boolean },
): Refusal | undefined {
  if (!wantsAppArmor(pod)) return undefined;
  const why = hasAppArmor
    ? emptyProfile(pod)
    : "AppArmor is not enabled on the host";
  if (why === undefined) return undefined;
  return { reason: "AppArmor", message: `Cannot enforce AppArmor: ${why}` };
}

function emptyProfile(pod: V1Pod): string | undefined {
  const isEmpty = allContainersOf(pod).some((container) => {
    const profile = namedAppArmor(pod, container);
    return profile?.type === "Localhost" &&
      (profile.localhostProfile ?? "").trim() === "";
  });
  return isEmpty ? 'invalid empty AppArmor profile name: ""' : undefined;
}

function wantsAppArmor(pod: V1Pod): boolean {
  const confines = (profile: Named | undefined | null) =>
    profile !== undefined && profile !== null && profile.type !== "Unconfined";
  if (confines(pod.spec?.securityContext?.appArmorProfile)) return true;
  const isInUse = allContainersOf(pod)
    .some(({ securityContext }) => confines(securityContext?.appArmorProfile));
  return isInUse ||
    Object.entries(pod.metadata?.annotations ?? {})
      .some(([key, value]) =>
        key.startsWith(ANNOTATION) && value !== UNCONFINED
      );
}

function namedSeccomp(pod: V1Pod, container: V1Container): Named | undefined {
  return container.securityContext?.seccompProfile ??
    pod.spec?.securityContext?.seccompProfile ?? undefined;
}

/** The container's field, the old annotation, the pod's field, in this order. */
function namedAppArmor(pod: V1Pod, container: V1Container): Named | undefined {
  return container.securityContext?.appArmorProfile ??
    annotated(pod, container.name) ??
    pod.spec?.securityContext?.appArmorProfile ?? undefined;
}

function annotated(pod: V1Pod, name: string): Named | undefined {
  const value = pod.metadata?.annotations?.[ANNOTATION + name];
  if (value === RUNTIME_DEFAULT) return { type: "RuntimeDefault" };
  if (value === UNCONFINED) return { type: "Unconfined" };
  if (value?.startsWith(LOCALHOST) !== true) return undefined;
  const localhostProfile = value.slice(LOCALHOST.length);
  return { type: "Localhost", localhostProfile };
}

/** A file that lies below the folder, however it is written. */
function isBelow(file: string): boolean {
  return !file.startsWith("/") && !file.includes("\0") &&
    !file.split("/").includes("..");
}

/** Ours: no name of a profile ends one and begins another word of a file. */
function isProfileName(name: string): boolean {
  return name.trim() !== "" && name.trim() === name && !hasControl(name);
}

function hasControl(text: string): boolean {
  return [...text].some((each) => each < " " || each === "\x7f");
}
