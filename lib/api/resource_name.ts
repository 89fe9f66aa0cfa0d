/**
 * What kind of resource a name stands for. Called wherever amounts are counted
 * by name; never looks at amounts.
 */
import { isLabelKey } from "./label.ts";
import type { V1Pod } from "./types.ts";

const NATIVE = "kubernetes.io/";
const QUOTA_PREFIX = "requests.";
const HUGE_PAGES = "hugepages-";
const ATTACHABLE = "attachable-volumes-";
const DEVICE_CLASS = "deviceclass.resource.kubernetes.io/";

/**
 * A resource of somebody else's domain, `example.com/gpu`.
 * Compat: kubelet 1.36 IsExtendedResourceName.
 */
export function isExtendedResource(name: string): boolean {
  return name.includes("/") && !name.includes(NATIVE) &&
    !name.startsWith(QUOTA_PREFIX) && isLabelKey(QUOTA_PREFIX + name);
}

/**
 * Counted in whole pieces, beside cpu, memory and ephemeral-storage.
 * Compat: kubelet 1.36 IsScalarResourceName.
 */
export function isScalarResource(name: string): boolean {
  return isExtendedResource(name) || name.startsWith(HUGE_PAGES) ||
    name.includes(NATIVE) || name.startsWith(ATTACHABLE);
}

/**
 * May be given for a pod as a whole.
 * Compat: kubelet 1.36 IsSupportedPodLevelResource.
 */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith(HUGE_PAGES);
}

/**
 * Whether anything is given for a pod as a whole.
 * Compat: kubelet 1.36 IsPodLevelResourcesSet.
 */
export function hasPodResources(spec: V1Pod["spec"]): boolean {
  const { limits, requests } = spec?.resources ?? {};
  return Object.keys({ ...limits, ...requests }).some(isPodLevelResource);
}

/**
 * May stand for a device that a resource claim hands out.
 * Compat: kubelet 1.36 IsDRAExtendedResourceName.
 */
export function isClaimableResource(name: string): boolean {
  return isExtendedResource(name) || name.startsWith(DEVICE_CLASS);
}
