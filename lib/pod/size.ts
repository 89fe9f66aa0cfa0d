/**
 * How much cpu and memory a container is to have, and has: as the pod is given
 * it, and as it was set in the runtime. Read by `resize.ts` and the status.
 * Compat: kubelet 1.36 containerResourcesFromRequirements, GetLimits,
 * isContainerResourceResizeInProgress.
 */
import { amountOf } from "../api/qos.ts";
import { milliUnits, units } from "../api/quantity.ts";
import type {
  V1Container,
  V1Pod,
  V1ResourceRequirements,
} from "../api/types.ts";
import type { LinuxResources } from "../port/runtime_spec.ts";
import type { ResizeGates } from "./allocation.ts";
import { cpuLimitMilli, cpuRequestMilli } from "./container_resources.ts";
import type { Facts, ObservedContainer } from "./facts.ts";
import { containerResources } from "./runtime_resources.ts";

/** Thousandths of a cpu, and bytes; 0: not said. */
export interface Size {
  readonly cpuRequest: bigint;
  readonly cpuLimit: bigint;
  readonly memoryRequest: bigint;
  readonly memoryLimit: bigint;
}

export type SizeField = keyof Size;

/** What can be resized, in the order in which it is. */
export const RESOURCES = ["memory", "cpu"] as const;
export type Resizable = (typeof RESOURCES)[number];

const FIELDS: Readonly<Record<Resizable, readonly [SizeField, SizeField]>> = {
  memory: ["memoryLimit", "memoryRequest"],
  cpu: ["cpuLimit", "cpuRequest"],
};

/** The limit first. */
export function fieldsOf(resource: Resizable): readonly [SizeField, SizeField] {
  return FIELDS[resource];
}

/** As one container is asked for: where it has no limit, the pod's holds. */
export function effectiveResources(
  pod: V1Pod,
  { resources = {} }: V1Container,
  { mayResizePods }: Pick<ResizeGates, "mayResizePods">,
): V1ResourceRequirements {
  const whole = mayResizePods ? pod.spec?.resources?.limits : undefined;
  const added = RESOURCES.flatMap((name) => {
    const text = whole?.[name];
    const isOwn = amountOf(resources.limits, name) !== undefined;
    if (isOwn || text === undefined) return [];
    return amountOf(whole, name) === undefined ? [] : [[name, text] as const];
  });
  if (added.length === 0) return resources;
  const limits = { ...resources.limits, ...Object.fromEntries(added) };
  return { ...resources, limits };
}

export function sizeOf(
  { requests, limits }: V1ResourceRequirements,
): Size {
  return {
    cpuRequest: milliUnits(amountOf(requests, "cpu") ?? 0n),
    cpuLimit: milliUnits(amountOf(limits, "cpu") ?? 0n),
    memoryRequest: units(amountOf(requests, "memory") ?? 0n),
    memoryLimit: units(amountOf(limits, "memory") ?? 0n),
  };
}

/** What the container is to have, and what it has as far as anybody knows. */
export interface Sizes {
  readonly wanted: Size;
  readonly actual: Size;
}

/**
 * What was set is taken from the record of it, or from the runtime, whichever
 * says that nothing is left to do: a record may be lost or late, and a runtime
 * may round. Where both say otherwise the runtime knows what there is. Of a
 * container of which neither tells, nothing is changed.
 */
export function sizesOf(
  facts: Pick<Facts, "settings" | "resize">,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  instance: ObservedContainer,
): Sizes {
  const { settings } = facts;
  const { pod, container } = at;
  const given = effectiveResources(pod, container, settings.gates);
  const wanted = sizeOf(given);
  const record = facts.resize.actuated?.containers.get(container.name);
  const known = record === undefined ? undefined : sizeOf(record);
  if (known !== undefined && !differs({ wanted, actual: known })) {
    return { wanted, actual: wanted };
  }
  const target = containerResources(settings, pod, container);
  const told = instance.resources === undefined
    ? undefined
    : toldSize(wanted, target, instance.resources);
  const actual = (field: SizeField, second: bigint | undefined) => {
    const first = known?.[field];
    if (first === wanted[field] || second === wanted[field]) {
      return wanted[field];
    }
    // A record may be older than what another agent set before it was killed.
    return second ?? first ?? wanted[field];
  };
  return {
    wanted,
    actual: {
      cpuRequest: actual("cpuRequest", told?.cpuRequest),
      cpuLimit: actual("cpuLimit", told?.cpuLimit),
      memoryLimit: actual("memoryLimit", told?.memoryLimit),
      // The runtime is not told of it.
      memoryRequest: actual("memoryRequest", undefined),
    },
  };
}

/** What the runtime has, in the terms of a pod. */
function toldSize(
  wanted: Size,
  target: LinuxResources,
  has: LinuxResources,
): Omit<Size, "memoryRequest"> {
  const isQuota = has.cpuPeriodUs > 0n &&
    has.cpuQuotaUs * target.cpuPeriodUs ===
      target.cpuQuotaUs * has.cpuPeriodUs;
  // -1 and 0 both mean that there is none.
  const isNone = has.cpuQuotaUs <= 0n && target.cpuQuotaUs <= 0n;
  return {
    cpuRequest: has.cpuShares === target.cpuShares
      ? wanted.cpuRequest
      : cpuRequestMilli(has),
    cpuLimit: isQuota || isNone ? wanted.cpuLimit : cpuLimitMilli(has),
    memoryLimit: has.memoryLimitBytes,
  };
}

export function differs({ wanted, actual }: Sizes): boolean {
  return RESOURCES.some((resource) =>
    fieldsOf(resource).some((field) => wanted[field] !== actual[field])
  );
}

/** The policy of the container wants it started anew for the change. */
export function needsRestart(
  { resizePolicy = [] }: Pick<V1Container, "resizePolicy">,
  { wanted, actual }: Sizes,
): boolean {
  return RESOURCES.some((resource) => {
    const policy = resizePolicy.find(({ resourceName }) =>
      resourceName === resource
    );
    return policy?.restartPolicy === "RestartContainer" &&
      fieldsOf(resource).some((field) => wanted[field] !== actual[field]);
  });
}
