/**
 * What a container runs once it has started, and how it is ended if that
 * fails. Compat: kubelet 1.36 startContainer, step 4.
 */
import { podNameOf } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { PostStart } from "./action.ts";
import { type Facts, podIpOf } from "./facts.ts";
import { hookOf } from "./hook.ts";
import { containerGrace } from "./stop.ts";

export function postStart(
  facts: Facts,
  { pod, container }: { readonly pod: V1Pod; readonly container: V1Container },
): { readonly postStart?: PostStart } {
  const { postStart, preStop } = container.lifecycle ?? {};
  if (!postStart) return {};
  const owner = {
    pod: podNameOf(pod),
    container: container.name,
    ports: container.ports ?? [],
    podIp: podIpOf(facts),
  };
  return {
    postStart: {
      hook: hookOf(postStart, owner),
      stop: {
        name: container.name,
        graceSeconds: containerGrace(pod),
        message: "FailedPostStartHook",
        ...preStop ? { preStop: hookOf(preStop, owner) } : {},
      },
    },
  };
}
