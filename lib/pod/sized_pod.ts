/**
 * A pod in the middle of a resize: some of what its containers are to have is
 * set, the rest is as it was. Read by resize.ts, resize_steps.ts and through
 * them by the status.
 */
import type { ContainerId } from "../api/id.ts";
import type {
  V1Container,
  V1Pod,
  V1ResourceRequirements,
} from "../api/types.ts";
import { withResources } from "./allocation.ts";
import type { Facts } from "./facts.ts";
import {
  effectiveResources,
  type Resizable,
  RESOURCES,
  type SizeField,
  sizeOf,
  type Sizes,
} from "./size.ts";

/** A container that runs, what it is to have, and what it has. */
export interface ContainerChange extends Sizes {
  readonly container: V1Container;
  readonly id: ContainerId;
}

/** What is set already, of every container. */
export type Done = ReadonlySet<SizeField>;

export const NONE_DONE: ReadonlySet<SizeField> = new Set();

/** The pod when these fields of its containers are as they are to be. */
export function podAt(
  facts: Facts,
  pod: V1Pod,
  { changes, done }: {
    readonly changes: readonly ContainerChange[];
    readonly done: Done;
  },
): V1Pod {
  const byName = new Map(changes.map((each) => [each.container.name, each]));
  const then = (container: V1Container): V1Container => {
    const change = byName.get(container.name) ?? restOf(facts, pod, container);
    return change === undefined
      ? container
      : containerAt(facts, pod, { ...change, done });
  };
  return withResources(pod, wholeAt(facts, pod, done), then);
}

/** One that does not run: it is made as it is to be, the pod comes first. */
function restOf(
  { resize, settings }: Facts,
  pod: V1Pod,
  container: V1Container,
): (Sizes & { readonly container: V1Container }) | undefined {
  const record = resize.actuated?.containers.get(container.name);
  if (record === undefined) return undefined;
  const wanted = sizeOf(effectiveResources(pod, container, settings.gates));
  return { container, wanted, actual: sizeOf(record) };
}

function wholeAt(
  { resize, settings }: Facts,
  { spec }: V1Pod,
  done: Done,
): V1ResourceRequirements | undefined {
  const given = spec?.resources;
  const record = resize.actuated?.pod;
  if (!settings.gates.mayResizePods || !given || record === undefined) {
    return given;
  }
  return mixed(given, { wanted: sizeOf(given), actual: sizeOf(record) }, done);
}

export function containerAt(
  { settings }: Facts,
  pod: V1Pod,
  { container, done, ...sizes }: Sizes & {
    readonly container: V1Container;
    readonly done: Done;
  },
): V1Container {
  const given = effectiveResources(pod, container, settings.gates);
  return { ...container, resources: mixed(given, sizes, done) };
}

/** Some fields as they are to be, the others as they are. */
function mixed(
  given: V1ResourceRequirements,
  { wanted, actual }: Sizes,
  done: Done,
): V1ResourceRequirements {
  const at = (field: SizeField) => (done.has(field) ? wanted : actual)[field];
  const requests = amounts(given.requests, {
    cpu: at("cpuRequest"),
    memory: at("memoryRequest"),
  });
  const limits = amounts(given.limits, {
    cpu: at("cpuLimit"),
    memory: at("memoryLimit"),
  });
  const { requests: _requests, limits: _limits, ...rest } = given;
  return {
    ...rest,
    ...requests === undefined ? {} : { requests },
    ...limits === undefined ? {} : { limits },
  };
}

/** As written where it is the same amount. */
function amounts(
  list: Readonly<Record<string, string>> | undefined,
  sizes: Readonly<Record<Resizable, bigint>>,
): Record<string, string> | undefined {
  const { cpuRequest: cpu, memoryRequest: memory } = sizeOf({
    requests: { ...list },
  });
  const own: Readonly<Record<Resizable, bigint>> = { cpu, memory };
  const rest = Object.entries(list ?? {})
    .filter(([name]) => name !== "cpu" && name !== "memory");
  const said = RESOURCES.flatMap((name) => {
    const size = sizes[name];
    const text = list?.[name];
    if (size === own[name]) return text === undefined ? [] : [[name, text]];
    return size === 0n ? [] : [[name, `${size}${name === "cpu" ? "m" : ""}`]];
  });
  const all = [...rest, ...said];
  return all.length === 0 ? undefined : Object.fromEntries(all);
}
