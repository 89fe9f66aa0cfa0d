/**
 * Does a pod take more of the disk than it may by its own limits? Pure. The
 * first limit that is passed says why the pod goes.
 * Compat: kubelet 1.36 localStorageEviction. Besides what upstream counts, the
 * pod's /etc/hosts is, which its containers can write to.
 */
import { parseQuantity } from "../api/quantity.ts";
import { canonicalText, sumText } from "../api/quantity_text.ts";
import { allContainersOf } from "../api/pod.ts";
import { isCritical } from "../api/priority.ts";
import { limitsOf } from "../api/requests.ts";
import type { V1Pod } from "../api/types.ts";
import { diskUse } from "./rank.ts";
import type { DiskLayout, EvictionOrder, PodUse } from "./types.ts";

const NANO = 1_000_000_000n;
const STORAGE = "ephemeral-storage";
/** Compat: kubelet 1.36 immediateEvictionGracePeriodSeconds. */
export const IMMEDIATE_SECONDS = 1;

/** Some limit has to be watched. */
export function hasLimits(pod: V1Pod): boolean {
  const { volumes = [] } = pod.spec ?? {};
  return !isCritical(pod) &&
    (volumes.some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) ||
      limitsOf(pod).has(STORAGE));
}

export function passedLimit(
  use: PodUse,
  layout: DiskLayout,
): EvictionOrder | undefined {
  if (isCritical(use.pod)) return undefined;
  const passed = emptyDirLimit(use) ?? podLimit(use) ??
    containerLimit(use, layout);
  if (passed === undefined) return undefined;
  return { ...passed, graceSeconds: IMMEDIATE_SECONDS, isNodeShort: false };
}

type Passed = Pick<EvictionOrder, "signal" | "message"> | undefined;

function emptyDirLimit({ pod, volumes }: PodUse): Passed {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const limit = emptyDir?.sizeLimit;
    const taken = volumes.get(name);
    if (limit === undefined || taken === undefined) continue;
    const most = parseQuantity(limit) ?? 0n;
    if (most <= 0n || taken.bytes * NANO <= most) continue;
    return {
      signal: "emptydirfs.limit",
      message: `Usage of EmptyDir volume "${name}" exceeds the limit ` +
        `"${canonicalText(limit)}". `,
    };
  }
  return undefined;
}

/** The containers' limits together, against all that goes with the pod. */
function podLimit(use: PodUse): Passed {
  const most = limitsOf(use.pod).get(STORAGE);
  if (most === undefined) return undefined;
  const everything = { layers: true, logs: true, volumes: true };
  const used = diskUse(use, everything).bytes + use.hostsBytes;
  if (used * NANO <= most) return undefined;
  return {
    signal: "ephemeralpodfs.limit",
    message: "Pod ephemeral local storage usage exceeds the total limit of " +
      `containers ${limitText(use.pod, most)}. `,
  };
}

/** As the limits are written, where they make up the sum. */
function limitText(pod: V1Pod, most: bigint): string {
  const written = allContainersOf(pod).flatMap(({ resources }) =>
    resources?.limits?.[STORAGE] ?? []
  );
  const sum = written.reduce(sumText, "0");
  if (parseQuantity(sum) === most) return canonicalText(sum);
  return canonicalText(
    written.find((text) => parseQuantity(text) === most) ?? `${most / NANO}`,
  );
}

/** Where layers have a disk of their own only the logs count. */
function containerLimit(
  { pod, containers }: PodUse,
  layout: DiskLayout,
): Passed {
  const limits = new Map(
    (pod.spec?.containers ?? []).flatMap(({ name, resources }) => {
      const text = resources?.limits?.[STORAGE];
      return text === undefined ? [] : [[name, text] as const];
    }),
  );
  for (const { name, layer, logs } of containers) {
    const text = limits.get(name);
    const most = text === undefined ? 0n : parseQuantity(text) ?? 0n;
    const used = (logs?.bytes ?? 0n) +
      (layout === "one" ? layer?.bytes ?? 0n : 0n);
    if (text === undefined || most === 0n || used * NANO <= most) continue;
    return {
      signal: "ephemeralcontainerfs.limit",
      message: `Container ${name} exceeded its local ephemeral storage limit ` +
        `"${canonicalText(text)}". `,
    };
  }
  return undefined;
}
