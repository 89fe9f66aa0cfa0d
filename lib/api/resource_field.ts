/**
 * A container's requests and limits as text, by `resourceFieldRef`. What has
 * no limit may use all that pods may use of the node.
 * Compat: kubelet 1.36 ExtractContainerResourceValue,
 * defaultPodLimitsForDownwardAPI, MergeContainerResourceLimits.
 */
import { textAt, type TextResult } from "./field_path.ts";
import { milliUnits, parseQuantity, units } from "./quantity.ts";
import type { V1Container, V1Pod, V1ResourceFieldSelector } from "./types.ts";

/** Resources without a limit may use all that pods may use of the node. */
const BOUND_BY_NODE = ["cpu", "memory", "ephemeral-storage"];
/** What a pod as a whole may be bound in instead. */
const BOUND_BY_POD = ["cpu", "memory"];

/** What a container without limits is bound by. */
export type Bounds = ReadonlyMap<string, string>;

/** The container by its name, regular ones first. */
export function containerNamed(
  pod: V1Pod,
  name: string,
): V1Container | undefined {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  return [...containers, ...initContainers].find((each) => each.name === name);
}

/** The node's allocatable, or less where the pod as a whole has limits. */
export function boundsOf(pod: V1Pod, allocatable: Bounds): Bounds {
  const { limits = {} } = pod.spec?.resources ?? {};
  const bounds = new Map(allocatable);
  for (const name of BOUND_BY_POD) {
    const own = textAt(limits, name);
    if (amount(own) !== 0n && bounds.has(name)) bounds.set(name, own);
  }
  return bounds;
}

export function resourceText(
  selector: V1ResourceFieldSelector,
  container: V1Container,
  bounds: Bounds,
): TextResult {
  const { resource, divisor } = selector;
  const [, list = "", name = ""] = /^(limits|requests)\.(.+)$/.exec(resource) ??
    [];
  if (!BOUND_BY_NODE.includes(name) && !name.startsWith("hugepages-")) {
    const message = `unsupported container resource : ${resource}`;
    return { kind: "refused", message };
  }
  const { limits = {}, requests = {} } = container.resources ?? {};
  const own = amount(textAt(list === "limits" ? limits : requests, name));
  const isOpen = list === "limits" && own === 0n &&
    BOUND_BY_NODE.includes(name);
  const value = isOpen ? amount(bounds.get(name) ?? "") : own;
  const count = name === "cpu" ? milliUnits : units;
  const by = count(amount(divisor ?? "") || amount("1"));
  return { kind: "ok", text: String(dividedUp(count(value), by)) };
}

function amount(text: string): bigint {
  return parseQuantity(text) ?? 0n;
}

function dividedUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && quotient * by !== value ? quotient + 1n : quotient;
}
