/**
 * In what order a resize is set, so that no container ever has more than its
 * pod: what grows of the pod goes before its containers, what shrinks after
 * them; of the containers those that shrink go first; memory before cpu.
 * Called by resize.ts. Pure.
 * Compat: kubelet 1.36 doPodResizeAction, updatePodContainerResources,
 * validateMemoryResizeAction.
 */
import type { V1Pod } from "../api/types.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { Action } from "./action.ts";
import type { PodPlace } from "./container_plan.ts";
import type { Facts } from "./facts.ts";
import type { LowerLimits, ResizeStep } from "./resize_step.ts";
import { podCgroup } from "./pod_cgroup.ts";
import { containerResources, sandboxResources } from "./runtime_resources.ts";
import { fieldsOf, type Resizable, type SizeField } from "./size.ts";
import {
  containerAt,
  type ContainerChange,
  type Done,
  NONE_DONE,
  podAt,
} from "./sized_pod.ts";

export function resizeAction(
  facts: Facts,
  { pod, sandbox }: PodPlace,
  changes: readonly ContainerChange[],
): Extract<Action, { kind: "resize-pod" }> {
  const { gates } = facts.settings;
  const whole = gates.mayResizePods ? pod.spec?.resources : undefined;
  const before = valuesOf(
    facts,
    podAt(facts, pod, { changes, done: NONE_DONE }),
  );
  const after = valuesOf(facts, pod);
  const place = { facts, pod, changes, before, after };
  return {
    kind: "resize-pod",
    sandboxId: sandbox.id,
    lower: lowerLimits(place),
    steps: [
      ...stepsFor("memory", place, new Set()),
      ...stepsFor("cpu", place, new Set(fieldsOf("memory"))),
      ...whole ? [{ kind: "pod", given: whole } as const] : [],
    ],
  };
}

interface Place {
  readonly facts: Facts;
  readonly pod: V1Pod;
  readonly changes: readonly ContainerChange[];
  /** Of the pod's cgroup. */
  readonly before: CgroupValues;
  readonly after: CgroupValues;
}

function stepsFor(
  resource: Resizable,
  place: Place,
  done: Done,
): readonly ResizeStep[] {
  const [limit, request] = fieldsOf(resource);
  const ways = [limit, request].map((field) =>
    [field, wayOf(field, place)] as const
  );
  const now = new Set(done);
  const step = ([field]: readonly [SizeField, unknown]) => {
    now.add(field);
    return cgroupStep(field, place, new Set(now));
  };
  // Limits grow before requests and shrink after them.
  const isStale = place.facts.resize.cgroup !== "current";
  const first = ways.filter(([, way]) =>
    way === "more" || (way === "same" && isStale)
  ).flatMap(step);
  const last = ways.filter(([, way]) => way === "less").reverse().flatMap(step);
  return [...first, ...containerSteps(resource, place, done), ...last];
}

/** None where the pod's cgroup has no such value. */
function cgroupStep(
  field: SizeField,
  { facts, pod, changes, after }: Place,
  done: Done,
): ResizeStep[] {
  const path = podCgroup(facts.settings, pod)?.path;
  const values = pick(field, after);
  if (path === undefined || values === undefined) return [];
  const then = podAt(facts, pod, { changes, done });
  return [{
    kind: "cgroup",
    resource: field.startsWith("memory") ? "memory" : "cpu",
    path,
    values,
    sandbox: sandboxResources(facts.settings, then),
  }];
}

/** Memory requests are not written to cgroups. */
function pick(
  field: SizeField,
  { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes }: CgroupValues,
): CgroupValues | undefined {
  switch (field) {
    case "memoryLimit":
      return memoryLimitBytes === undefined ? undefined : { memoryLimitBytes };
    case "memoryRequest":
      return undefined;
    case "cpuLimit":
      if (cpuQuotaUs === undefined) return undefined;
      return {
        cpuQuotaUs,
        ...cpuPeriodUs === undefined ? {} : { cpuPeriodUs },
      };
    case "cpuRequest":
      return cpuShares === undefined ? undefined : { cpuShares };
  }
}

/**
 * Compat: kubelet 1.36 compares quotas as numbers, -1 for none: a first quota
 * is set before the containers have theirs. A first memory limit comes after.
 */
function wayOf(
  field: SizeField,
  { before, after }: Place,
): "more" | "less" | "same" {
  const [old, now] = [before, after].map((values) => {
    switch (field) {
      case "memoryLimit":
        return values.memoryLimitBytes ?? MOST;
      case "memoryRequest":
        return 0n;
      case "cpuLimit":
        return values.cpuQuotaUs ?? -1n;
      case "cpuRequest":
        return values.cpuShares ?? 0n;
    }
  });
  if (old === undefined || now === undefined || old === now) return "same";
  return now > old ? "more" : "less";
}

const MOST = 1n << 63n;

function containerSteps(
  resource: Resizable,
  { facts, pod, changes }: Place,
  done: Done,
): ResizeStep[] {
  const [limit, request] = fieldsOf(resource);
  const due = changes.filter(({ wanted, actual }) =>
    wanted[limit] !== actual[limit] || wanted[request] !== actual[request]
  );
  const isLess = ({ wanted, actual }: ContainerChange) =>
    wanted[limit] === actual[limit]
      ? wanted[request] < actual[request]
      : wanted[limit] < actual[limit];
  const ordered = [
    ...due.filter(isLess),
    ...due.filter((each) => !isLess(each)),
  ];
  const now = new Set([...done, limit, request]);
  const { settings } = facts;
  return ordered.map((change) => {
    const container = containerAt(facts, pod, { ...change, done: now });
    return {
      kind: "container",
      id: change.id,
      name: container.name,
      resources: containerResources(settings, pod, container),
      given: container.resources ?? {},
    };
  });
}

function lowerLimits({ changes, before, after }: Place): LowerLimits {
  const podBytes = after.memoryLimitBytes;
  const isLess = podBytes !== undefined &&
    podBytes < (before.memoryLimitBytes ?? MOST);
  return {
    podBytes: isLess ? podBytes : undefined,
    containerBytes: new Map(
      changes.filter(({ wanted, actual }) =>
        wanted.memoryLimit !== 0n &&
        (actual.memoryLimit === 0n || wanted.memoryLimit < actual.memoryLimit)
      ).map(({ container, wanted }) => [container.name, wanted.memoryLimit]),
    ),
  };
}

function valuesOf({ settings }: Facts, pod: V1Pod): CgroupValues {
  return podCgroup(settings, pod)?.values ?? {};
}
