/**
 * The steps that tell of a wait, once it begins: a container that is not
 * restarted yet, an image that is not pulled again yet, a container that
 * cannot be made as it is written.
 * Compat: kubelet 1.36 doBackOff, EnsureImageExists, startContainer.
 */
import { allContainersOf, podNameOf } from "../api/pod.ts";
import {
  allStatusesOf,
  type PodStatusJson,
  type WaitingState,
} from "../api/status.ts";
import type { Step } from "../api/step.ts";
import type { V1Container, V1Pod } from "../api/types.ts";

export function waitSteps(
  pod: V1Pod,
  before: PodStatusJson | undefined,
  after: PodStatusJson,
): Step[] {
  const [old, now] = [waitsOf(before), waitsOf(after)];
  return allContainersOf(pod).flatMap((container) => {
    const waiting = now.get(container.name);
    if (waiting === undefined) return [];
    if (waiting.reason === old.get(container.name)?.reason) return [];
    return stepsOf(pod, container, waiting);
  });
}

function stepsOf(
  pod: V1Pod,
  { name: container, image = "" }: V1Container,
  { reason, message = "" }: WaitingState,
): Step[] {
  switch (reason) {
    case "CrashLoopBackOff": {
      const { namespace, name, uid } = podNameOf(pod);
      return [{
        type: "Warning",
        reason: "BackOff",
        message: `Back-off restarting failed container ${container} in pod ` +
          `${name}_${namespace}(${uid})`,
        container,
      }];
    }
    case "ImagePullBackOff":
      return [{
        type: "Normal",
        reason: "BackOff",
        message: `Back-off pulling image "${image}"`,
        container,
      }, {
        type: "Warning",
        reason: "Failed",
        message: "Error: ImagePullBackOff",
        container,
      }];
    case "CreateContainerConfigError":
      return [{
        type: "Warning",
        reason: "Failed",
        message: `Error: ${message}`,
        container,
      }];
    default:
      return [];
  }
}

/** By the container's name; of all three lists. */
function waitsOf(
  status: PodStatusJson | undefined,
): ReadonlyMap<string, WaitingState> {
  return new Map(
    allStatusesOf(status).flatMap(({ name, state }) =>
      state.waiting ? [[name, state.waiting] as const] : []
    ),
  );
}
