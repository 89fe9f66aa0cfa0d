/**
 * The steps that tell of a wait, once it begins: a container that is not
 * restarted yet, an image that is not pulled again yet, a container that
 * cannot be made as it is written.
 * Compat: kubelet 1.36 doBackOff, EnsureImageExists, startContainer.
 */
import { containersOf, podNameOf } from "../api/pod.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";

export function waitSteps(
  pod: V1Pod,
  before: PodStatusJson | undefined,
  after: PodStatusJson,
): Step[] {
  return containersOf(pod).flatMap(({ name, image = "" }) => {
    const reason = waitingReason(after, name);
    if (reason === waitingReason(before, name)) return [];
    switch (reason) {
      case "CrashLoopBackOff": {
        const { namespace, name: podName, uid } = podNameOf(pod);
        return [{
          type: "Warning",
          reason: "BackOff",
          message: `Back-off restarting failed container ${name} in pod ` +
            `${podName}_${namespace}(${uid})`,
          container: name,
        }];
      }
      case "ImagePullBackOff":
        return [{
          type: "Normal",
          reason: "BackOff",
          message: `Back-off pulling image "${image}"`,
          container: name,
        }, {
          type: "Warning",
          reason: "Failed",
          message: "Error: ImagePullBackOff",
          container: name,
        }];
      case "CreateContainerConfigError":
        // When it fails again: see reference/run.ts.
        return [{
          type: "Warning",
          reason: "Failed",
          message: `Error: ${waitingState(after, name)?.message ?? ""}`,
          container: name,
        }];
      default:
        return [];
    }
  });
}

function waitingReason(
  status: PodStatusJson | undefined,
  name: string,
): string | undefined {
  return waitingState(status, name)?.reason;
}

function waitingState(status: PodStatusJson | undefined, name: string) {
  return status?.containerStatuses
    .find((each) => each.name === name)?.state.waiting;
}
