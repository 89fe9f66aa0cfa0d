/**
 * A pod as the node's feature gates have it: what is switched off is not there
 * for any decision. Called by `sync/gather.ts`; the same pod comes back where
 * there is nothing to take away.
 * Compat: kubelet 1.36 gates ContainerRestartRules and
 * RestartAllContainersOnContainerExits (on).
 */
import { containersOf, initContainersOf, isSidecar } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";

export interface PodGates {
  /** Containers may have policies and rules of their own. */
  readonly hasRestartRules: boolean;
  /** A rule may start every container of the pod anew. */
  readonly mayRestartAll: boolean;
}

export function gatedPod(pod: V1Pod, gates: PodGates): V1Pod {
  const { spec } = pod;
  const isWhole = gates.hasRestartRules && gates.mayRestartAll;
  if (isWhole || spec === undefined) return pod;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: containersOf(pod).map((each) => gated(each, gates)),
      initContainers: initContainersOf(pod)
        .map((each) => isSidecar(each) ? each : gated(each, gates)),
    },
  };
}

function gated(container: V1Container, gates: PodGates): V1Container {
  const { restartPolicy, restartPolicyRules, ...rest } = container;
  if (restartPolicy === undefined || !gates.hasRestartRules) return rest;
  const rules = (restartPolicyRules ?? [])
    .filter(({ action }) => action !== "RestartAllContainers");
  return { ...rest, restartPolicy, restartPolicyRules: rules };
}
