/**
 * Security contexts of a pod and its containers as the runtime takes them.
 * Compat: kubelet 1.36 DetermineEffectiveSecurityContext, verifyRunAsNonRoot,
 * NamespacesForPod. Profiles are chosen in `security_profile.ts`.
 */
import type { ContainerId } from "../api/id.ts";
import { allContainersOf, fullNameOf, uidOf } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type {
  ContainerSecurity,
  Namespaces,
  SandboxSecurity,
} from "../port/runtime_spec.ts";
import { appArmorProfile, seccompProfile } from "./security_profile.ts";

const MASKED_PATHS = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const READONLY_PATHS = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
];

const LARGEST_ID = 2_147_483_647n;

/** The user that an image asks for. */
export interface ImageUser {
  readonly uid?: bigint;
  readonly userName: string;
}

export function podNamespaces(
  pod: V1Pod,
  user?: Namespaces["user"],
): Namespaces {
  const spec = pod.spec;
  return {
    ...user === undefined ? {} : { user },
    network: spec?.hostNetwork ? "node" : "pod",
    ipc: spec?.hostIPC ? "node" : "pod",
    pid: spec?.hostPID
      ? "node"
      : spec?.shareProcessNamespace
      ? "pod"
      : "container",
  };
}

/** Compat: kubelet 1.36: a pod that shares its processes needs no target. */
function containerNamespaces(
  pod: V1Pod,
  { targetId, user }: {
    readonly targetId?: ContainerId | undefined;
    readonly user?: Namespaces["user"];
  },
): Namespaces {
  const namespaces = podNamespaces(pod, user);
  return targetId === undefined || namespaces.pid !== "container"
    ? namespaces
    : { ...namespaces, pid: "target", targetId };
}

export function sandboxSecurity(
  pod: V1Pod,
  user?: Namespaces["user"],
): SandboxSecurity {
  const context = pod.spec?.securityContext;
  return {
    namespaces: podNamespaces(pod, user),
    isPrivileged: allContainersOf(pod)
      .some((container) => container.securityContext?.privileged === true),
    isRootReadOnly: false,
    ...idField("runAsUser", context?.runAsUser),
    ...idField("runAsGroup", context?.runAsGroup),
    supplementalGroups: podGroups(pod),
    supplementalGroupsPolicy: groupsPolicy(pod),
    seccomp: { kind: "runtime-default" },
    ...selinux(context?.seLinuxOptions),
  };
}

export function containerSecurity(
  pod: V1Pod,
  container: V1Container,
  options: {
    readonly image: ImageUser;
    readonly isSeccompDefault: boolean;
    readonly seccompDir: string;
    /** Of the machine, besides the usual ones. */
    readonly maskedPaths?: readonly string[];
    readonly user?: Namespaces["user"];
    readonly targetId?: ContainerId | undefined;
  },
): ContainerSecurity {
  const own = container.securityContext;
  const pods = pod.spec?.securityContext;
  const isUnmasked = own?.procMount === "Unmasked";
  const runAsUser = own?.runAsUser ?? pods?.runAsUser;
  const { image } = options;
  const apparmor = appArmorProfile(pod, container);
  return {
    namespaces: containerNamespaces(pod, options),
    isPrivileged: own?.privileged === true,
    isRootReadOnly: own?.readOnlyRootFilesystem === true,
    hasNoNewPrivileges: own?.allowPrivilegeEscalation === false,
    addCapabilities: own?.capabilities?.add ?? [],
    dropCapabilities: own?.capabilities?.drop ?? [],
    ...(runAsUser !== undefined
      ? idField("runAsUser", runAsUser)
      : image.uid !== undefined
      ? { runAsUser: image.uid }
      : image.userName === ""
      ? { runAsUser: 0n }
      : { runAsUserName: image.userName }),
    ...idField("runAsGroup", own?.runAsGroup ?? pods?.runAsGroup),
    supplementalGroups: podGroups(pod),
    supplementalGroupsPolicy: groupsPolicy(pod),
    seccomp: seccompProfile(pod, container, options),
    ...apparmor === undefined ? {} : { apparmor },
    ...selinux(own?.seLinuxOptions ?? pods?.seLinuxOptions),
    maskedPaths: isUnmasked
      ? []
      : [...MASKED_PATHS, ...options.maskedPaths ?? []],
    readonlyPaths: isUnmasked ? [] : READONLY_PATHS,
  };
}

/** Why the container may not run as the user it would get, if so. */
export function nonRootViolation(
  pod: V1Pod,
  container: V1Container,
  image: ImageUser,
): string | undefined {
  const own = container.securityContext;
  const pods = pod.spec?.securityContext;
  if ((own?.runAsNonRoot ?? pods?.runAsNonRoot) !== true) return undefined;
  // Compat: kubelet 1.36 format.Pod.
  const where = `(pod: "${fullNameOf(pod)}(${uidOf(pod)})", ` +
    `container: ${container.name})`;
  const runAsUser = own?.runAsUser ?? pods?.runAsUser;
  if (runAsUser !== undefined) {
    return Number(runAsUser) === 0
      ? `container's runAsUser breaks non-root policy ${where}`
      : undefined;
  }
  // Compat: kubelet 1.36 getImageUser: an image that names no user runs as root.
  if (image.uid === 0n || (image.uid === undefined && image.userName === "")) {
    return `container has runAsNonRoot and image will run as root ${where}`;
  }
  if (image.uid !== undefined && image.uid > LARGEST_ID) {
    return "container has runAsNonRoot and image has an invalid user id " +
      `(${image.uid}). (Must be 1-(${LARGEST_ID})): must be between 0 and ` +
      `${LARGEST_ID}, inclusive ${where}`;
  }
  if (image.uid === undefined) {
    return "container has runAsNonRoot and image has non-numeric user " +
      `(${image.userName}), cannot verify user is non-root ${where}`;
  }
  return undefined;
}

function podGroups(pod: V1Pod): bigint[] {
  const context = pod.spec?.securityContext;
  const fsGroup = context?.fsGroup;
  return [
    ...fsGroup === undefined ? [] : [BigInt(fsGroup)],
    ...(context?.supplementalGroups ?? []).map(BigInt),
  ];
}

function groupsPolicy(pod: V1Pod): "merge" | "strict" {
  const policy = pod.spec?.securityContext?.supplementalGroupsPolicy;
  return policy === "Strict" ? "strict" : "merge";
}

function idField<Key extends string>(
  key: Key,
  id: number | undefined,
): { readonly [K in Key]?: bigint } {
  const fields: { [K in Key]?: bigint } = {};
  if (id !== undefined) fields[key] = BigInt(id);
  return fields;
}

function selinux(
  options: {
    user?: string;
    role?: string;
    type?: string;
    level?: string;
  } | undefined,
) {
  if (options === undefined) return {};
  const { user = "", role = "", type = "", level = "" } = options;
  return { selinux: { user, role, type, level } };
}
