/**
 * What is said of an eviction: the words of the pod's status and event, the
 * event's annotations, and the arithmetic for the log and for `explain`. Pure.
 * Compat: kubelet 1.36 evictionMessage; words and spaces are contract.
 */
import { initContainersOf, nameOf, titleOf } from "../api/pod.ts";
import { parseQuantity } from "../api/quantity.ts";
import { canonicalText } from "../api/quantity_text.ts";
import type { V1Container } from "../api/types.ts";
import { excess, type Ranked } from "./rank.ts";
import {
  amountText,
  countText,
  resourceOf,
  thresholdText,
} from "./thresholds.ts";
import type {
  ContainerUse,
  Observations,
  PodUse,
  Resource,
  Threshold,
} from "./types.ts";

const NANO = 1_000_000_000n;

export interface EvictionWords {
  readonly message: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** `due`: everything that is short, in the order of its urgency. */
export function evictionWords(
  use: PodUse,
  resource: Resource,
  short: {
    readonly due: readonly Threshold[];
    readonly observations: Observations;
  },
): EvictionWords {
  const offenders = offendersOf(use, resource);
  const whole = resource === "memory" ? wholePod(use) : undefined;
  const containers = offenders.map(({ name, usage, request }) =>
    `Container ${name} was using ${usage}, request is ${request}, ` +
    `has larger consumption of ${resource}. `
  );
  const pod = whole === undefined
    ? ""
    : `Pod ${nameOf(use.pod)} was using ${whole.usage}, ` +
      `request is ${whole.request}, has larger consumption of ${resource}. `;
  return {
    message: `The node was low on resource: ${resource}. ` +
      thresholdWords(resource, short) + pod + containers.join(""),
    annotations: {
      ...whole === undefined ? {} : {
        offending_pod: nameOf(use.pod),
        offending_pod_usage: whole.usage,
      },
      offending_containers: offenders.map(({ name }) => name).join(","),
      offending_containers_usage: offenders.map(({ usage }) => usage).join(","),
      starved_resource: resource,
    },
  };
}

/** Of the first threshold of this resource that was measured. */
function thresholdWords(
  resource: Resource,
  { due, observations }: {
    readonly due: readonly Threshold[];
    readonly observations: Observations;
  },
): string {
  for (const { signal, value } of due) {
    const found = observations.get(signal);
    if (found === undefined || resourceOf(signal) !== resource) continue;
    return `Threshold quantity: ${amountText(value, found.capacity)}, ` +
      `available: ${countText(resource, found.available)}. `;
  }
  return "";
}

/** Of a pod that asks for memory as a whole; said whatever it uses. */
function wholePod({ pod, memoryBytes }: PodUse) {
  const request = pod.spec?.resources?.requests?.["memory"];
  if (request === undefined || memoryBytes === undefined) return undefined;
  return {
    usage: countText("memory", memoryBytes),
    request: canonicalText(request),
  };
}

/** Containers that use more than they asked for; ephemeral ones cannot ask. */
function offendersOf({ pod, containers }: PodUse, resource: Resource) {
  const specs: ReadonlyMap<string, V1Container> = new Map(
    [...initContainersOf(pod), ...pod.spec?.containers ?? []]
      .map((each) => [each.name, each]),
  );
  return containers.flatMap((container) => {
    const spec = specs.get(container.name);
    const used = usedOf(container, resource);
    if (spec === undefined || used === undefined) return [];
    const text = spec.resources?.requests?.[resource] ?? "0";
    if (used * NANO <= (parseQuantity(text) ?? 0n)) return [];
    const { name } = container;
    const usage = countText(resource, used);
    return [{ name, usage, request: canonicalText(text) }];
  });
}

function usedOf(
  { memoryBytes, layer, logs }: ContainerUse,
  resource: Resource,
): bigint | undefined {
  if (resource === "memory") return memoryBytes;
  if (resource !== "ephemeral-storage") return undefined;
  return layer === undefined || logs === undefined
    ? undefined
    : layer.bytes + logs.bytes;
}

/** `default/web: uses 40Mi, asked for 10Mi (30Mi above), priority 0`. */
export function rankedText(ranked: Ranked, resource: Resource): string {
  const { use, used, requested, setOff, priority } = ranked;
  const sparing = setOff === requested
    ? ""
    : `, later for the ${
      countText("ephemeral-storage", setOff)
    } of disk that ` +
      "it asked for";
  const over = excess(ranked);
  const above = over > 0n
    ? `${countText(resource, over)} above`
    : "not above it";
  return `${titleOf(use.pod)}: uses ${countText(resource, used)}, ` +
    `asked for ${countText(resource, requested)} (${above}), ` +
    `priority ${priority}${sparing}`;
}

/** What is available, of how much, against which threshold. */
export function arithmetic(
  threshold: Threshold,
  observations: Observations,
): string {
  const { signal, value, minReclaim } = threshold;
  const found = observations.get(signal);
  if (found === undefined) return "could not be measured, so it is ignored";
  const { available, capacity } = found;
  const resource = resourceOf(signal);
  const more = minReclaim === undefined
    ? ""
    : ` plus ${amountText(minReclaim, capacity)} once it was short`;
  return `${countText(resource, available)} of ` +
    `${countText(resource, capacity)} available; needs ` +
    `${amountText(value, capacity)}${more}`;
}

/** For the log: every threshold that is due. */
export function shortTexts(
  due: readonly Threshold[],
  observations: Observations,
): string[] {
  return due.map((each) =>
    `${thresholdText(each)}: ${arithmetic(each, observations)}`
  );
}
