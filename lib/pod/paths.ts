/**
 * Where a pod's files, logs and cgroup are. The layout is contract: log
 * collectors and security agents parse these paths.
 */
import { type CgroupName, cgroupPath, partsOf } from "../api/cgroup_name.ts";
import { type PodUid, podUid } from "../api/id.ts";
import { type PodName, uidOf } from "../api/pod.ts";
import { type QosClass, qosClass } from "../api/qos.ts";
import type { V1Pod } from "../api/types.ts";
import type { PodSettings } from "./facts.ts";

const ALL_PODS = "kubepods";
const LONGEST_FILE_NAME = 255;
const LOG_SUFFIX = ".log";

/** `<podLogsDir>/<namespace>_<name>_<uid>`. */
export function podLogDirectory(settings: PodSettings, pod: PodName): string {
  return `${settings.podLogsDir}/${pod.namespace}_${pod.name}_${pod.uid}`;
}

/** A container's log, relative to its pod's log directory. */
export function containerLogFile(container: string, attempt: number): string {
  return `${container}/${attempt}${LOG_SUFFIX}`;
}

/** The link for log collectors, without the container id and suffix. */
export function logLinkPrefix(
  settings: PodSettings,
  pod: PodName,
  container: string,
): string {
  const name = `${pod.name}_${pod.namespace}_${container}-`;
  return `${settings.containerLogsDir}/${name}`;
}

/**
 * The whole link path. Compat: kubelet 1.36 logSymlink cuts the name so that
 * it fits a file name, losing the end of the container id.
 */
export function logLink(prefix: string, containerId: string): string {
  const slash = prefix.lastIndexOf("/") + 1;
  const name = (prefix.slice(slash) + containerId)
    .slice(0, LONGEST_FILE_NAME - LOG_SUFFIX.length);
  return prefix.slice(0, slash) + name + LOG_SUFFIX;
}

/** `<root>/pods/<uid>`. */
export function podDirectory(settings: PodSettings, uid: PodUid): string {
  return `${settings.podsDir}/${uid}`;
}

/** Every directory that a pod has before its first container starts. */
export function podDirectories(
  settings: PodSettings,
  pod: PodName,
): { readonly path: string; readonly mode: number }[] {
  const own = podDirectory(settings, pod.uid);
  return [
    { path: own, mode: 0o750 },
    { path: `${own}/volumes`, mode: 0o750 },
    { path: `${own}/plugins`, mode: 0o750 },
    { path: podLogDirectory(settings, pod), mode: 0o755 },
  ];
}

/**
 * The cgroup of a pod, as the runtime wants it named.
 * Compat: kubelet 1.36 GetPodCgroupParent; empty without QoS cgroups when no
 * root is set.
 */
export function cgroupParent(settings: PodSettings, pod: V1Pod): string {
  if (!settings.usesQosCgroups) {
    const root = partsOf(settings.cgroupRoot);
    return root.length === 0 ? "" : cgroupPath(root, "cgroupfs");
  }
  return podCgroup(settings, uidOf(pod), qosClass(pod));
}

/** Every cgroup the pod may have had, whatever its class was. */
export function podCgroups(settings: PodSettings, uid: PodUid): string[] {
  if (!settings.usesQosCgroups) return [];
  const classes: QosClass[] = ["Guaranteed", "Burstable", "BestEffort"];
  return classes.map((qos) => podCgroup(settings, uid, qos));
}

/** Where cgroups of pods are, of each class. */
export function podCgroupParents(settings: PodSettings): string[] {
  return podCgroups(settings, podUid("x"))
    .map((path) => path.slice(0, path.lastIndexOf("/")));
}

/** Whose cgroup it is by its name; undefined: no pod's. */
export function podOfCgroup(name: string): PodUid | undefined {
  const uid = /^pod([^.]+)$/.exec(name)?.[1] ??
    /-pod([^-.]+)\.slice$/.exec(name)?.[1]?.replaceAll("_", "-");
  return uid === undefined ? undefined : podUid(uid);
}

/** Of all pods together and of those of each class; empty: there is none. */
export function podTiers(
  settings: PodSettings,
): { readonly all: string; readonly classes: readonly string[] } {
  if (!settings.usesQosCgroups) return { all: "", classes: [] };
  return {
    all: below(settings, []),
    classes: [below(settings, ["burstable"]), below(settings, ["besteffort"])],
  };
}

/** Above all pods; without cgroups of its own, the agent names the root. */
export function topCgroup(settings: PodSettings): CgroupName {
  const root = partsOf(settings.cgroupRoot);
  return settings.usesQosCgroups ? [...root, ALL_PODS] : root;
}

function podCgroup(settings: PodSettings, uid: PodUid, qos: QosClass): string {
  const tier = qos === "Guaranteed" ? [] : [qos.toLowerCase()];
  return below(settings, [...tier, `pod${uid}`]);
}

function below(settings: PodSettings, names: CgroupName): string {
  const name = [...partsOf(settings.cgroupRoot), ALL_PODS, ...names];
  return cgroupPath(name, settings.cgroupDriver);
}
