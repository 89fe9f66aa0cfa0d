/**
 * The labels, taints and annotations a node gives itself, and which of them
 * are put right on a node that exists already. NodeRestriction refuses any
 * other label, so nothing else is ever sent.
 */
import { PROVIDED_IP } from "./addresses.ts";
import type { KnownNode, NodeSettings, NodeTaint } from "./types.ts";

const OS = "kubernetes.io/os";
const ARCH = "kubernetes.io/arch";
const LINUX = "linux";
export const ATTACH_BY_CONTROLLER =
  "volumes.kubernetes.io/controller-managed-attach-detach";
const UNINITIALIZED = "node.cloudprovider.kubernetes.io/uninitialized";

/** Compat: kubelet 1.36 updateDefaultLabels */
const RECONCILED: readonly string[] = [
  "kubernetes.io/hostname",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  OS,
  ARCH,
  "node.kubernetes.io/windows-build",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
];

/** Keys below kubernetes.io that a node may set itself. */
const OWN_KEYS: ReadonlySet<string> = new Set(
  RECONCILED.filter((key) => key !== "node.kubernetes.io/windows-build"),
);

/** A change of labels or annotations; null takes one away. */
export type TextPatch = Readonly<Record<string, string | null>>;

/** Labels of a new node. The operator's may replace the defaults. */
export function initialLabels(
  settings: Pick<NodeSettings, "nodeName" | "labels">,
  architecture: string,
): Readonly<Record<string, string>> {
  const own = [...settings.labels].filter(([key]) => mayLabel(key));
  return {
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": LINUX,
    [ARCH]: architecture,
    "kubernetes.io/hostname": settings.nodeName,
    [OS]: LINUX,
    ...Object.fromEntries(own),
  };
}

/**
 * Whether the API server lets a node set this label. The configuration has
 * refused the others at start; this is the last fence before the wire.
 * Compat: kubelet 1.36 IsKubeletLabel.
 */
export function mayLabel(key: string): boolean {
  const namespace = key.includes("/") ? key.slice(0, key.indexOf("/")) : "";
  const isBelow = (domain: string) =>
    namespace === domain || namespace.endsWith(`.${domain}`);
  if (!isBelow("kubernetes.io") && !isBelow("k8s.io")) return true;
  return OWN_KEYS.has(key) || isBelow("kubelet.kubernetes.io") ||
    isBelow("node.kubernetes.io");
}

/** Taints of a new node; never sent again, NodeRestriction would refuse. */
export function initialTaints(
  { taints, isCloudExternal }: NodeSettings,
): readonly NodeTaint[] {
  if (!isCloudExternal) return taints;
  const cloud = { key: UNINITIALIZED, value: "true", effect: "NoSchedule" };
  return [...taints, cloud];
}

export function initialAnnotations(
  settings: NodeSettings,
  provided: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...settings.leavesAttachToController
      ? { [ATTACH_BY_CONTROLLER]: "true" }
      : {},
    ...provided === undefined ? {} : { [PROVIDED_IP]: provided },
  };
}

/**
 * Default labels that a node from earlier has otherwise. An empty value takes
 * the label away.
 * Compat: kubelet 1.36 updateDefaultLabels.
 */
export function reconciledLabels(
  initial: Readonly<Record<string, string>>,
  known: KnownNode,
): TextPatch {
  const patch: Record<string, string | null> = {};
  for (const key of RECONCILED) {
    const value = initial[key];
    const before = known.labels.get(key);
    if (value === undefined || value === (before ?? "")) continue;
    patch[key] = value === "" ? null : value;
  }
  return patch;
}

/** The two labels that are put right with each status. */
export function requiredLabels(
  known: KnownNode,
  architecture: string,
): TextPatch {
  const hasArch = architecture === "" ||
    known.labels.get(ARCH) === architecture;
  return {
    ...known.labels.get(OS) === LINUX ? {} : { [OS]: LINUX },
    ...hasArch ? {} : { [ARCH]: architecture },
  };
}

/** Compat: kubelet 1.36 reconcileCMADAnnotationWithExistingNode */
export function reconciledAnnotations(
  settings: NodeSettings,
  known: KnownNode,
): TextPatch {
  const wanted = settings.leavesAttachToController ? "true" : undefined;
  const before = known.annotations.get(ATTACH_BY_CONTROLLER);
  return wanted === before ? {} : { [ATTACH_BY_CONTROLLER]: wanted ?? null };
}

/** Keeps the annotation for cloud controllers true. */
export function providedAnnotation(
  provided: string | undefined,
  known: KnownNode,
): TextPatch {
  const before = known.annotations.get(PROVIDED_IP);
  return provided === before ? {} : { [PROVIDED_IP]: provided ?? null };
}
