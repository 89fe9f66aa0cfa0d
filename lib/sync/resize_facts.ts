/** What is known of one pod's resizes, for its facts. Called by gather.ts. */
import type { ContainerId, PodUid } from "../api/id.ts";
import { plannedContainersOf } from "../api/pod.ts";
import { allStatusesOf, type PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { Facts, ObservedContainer } from "../pod/facts.ts";
import { isOutgrown } from "../pod/resize.ts";
import { NO_RESIZE, type ResizeFacts } from "../pod/resize_facts.ts";
import type { Allocations } from "./allocations.ts";
import type { Resizes } from "./resizes.ts";
import type { PodMemory } from "./store.ts";

export function resizeFacts(
  { resizes, allocations }: {
    readonly resizes: Pick<Resizes, "of">;
    readonly allocations: Pick<Allocations, "actuated" | "cgroupOf">;
  },
  { uid, pod, settings }: {
    readonly uid: PodUid;
    readonly pod: V1Pod | undefined;
    readonly settings: Facts["settings"];
  },
  memory: PodMemory,
): ResizeFacts {
  const resize = {
    actuated: allocations.actuated(uid),
    cgroup: allocations.cgroupOf(uid),
    ...resizes.of(uid),
    outgrown: NO_RESIZE.outgrown,
  };
  return pod === undefined
    ? resize
    : { ...resize, outgrown: outgrown({ resize, settings }, pod, memory) };
}

/**
 * An instance that ends while it is to start anew with other resources does
 * start anew, whatever its exit code; also where the agent died meanwhile.
 */
function outgrown(
  facts: Pick<Facts, "settings" | "resize">,
  pod: V1Pod,
  { observed, outgrown: before, status }: PodMemory,
): ReadonlySet<ContainerId> {
  const byName = new Map(
    plannedContainersOf(pod).map((each) => [each.name, each]),
  );
  const ids = observed.containers.filter((instance) => {
    const container = byName.get(instance.name);
    if (container === undefined) return false;
    const mayBe = instance.state === "running" ||
      (instance.state === "exited" && wasRunning(status, instance));
    return (instance.state === "exited" && before.has(instance.id)) ||
      (mayBe && isOutgrown(facts, { pod, container }, instance));
  }).map(({ id }) => id);
  return ids.length === 0 ? NO_RESIZE.outgrown : new Set(ids);
}

/** When its pod was looked at the last time. */
function wasRunning(
  status: PodStatusJson | undefined,
  { id, name }: ObservedContainer,
): boolean {
  const old = allStatusesOf(status).find((each) => each.name === name);
  return old?.state.running !== undefined &&
    old.containerID?.endsWith(`://${id}`) === true;
}
