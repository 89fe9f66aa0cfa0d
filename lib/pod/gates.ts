/**
 * A pod as the node's feature gates have it: what is switched off is not there
 * for any decision. Called by `sync/gather.ts`; the same pod comes back where
 * there is nothing to take away.
 * Compat: kubelet 1.36 gates ContainerRestartRules, EnvFiles, HostnameOverride
 * and RestartAllContainersOnContainerExits (on).
 */
import { containersOf, initContainersOf, isSidecar } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { ResizeGates } from "./allocation.ts";

export interface PodGates {
  /** Containers may have policies and rules of their own. */
  readonly hasRestartRules: boolean;
  /** A rule may start every container of the pod anew. */
  readonly mayRestartAll: boolean;
  readonly hasHostnameOverride: boolean;
  /** Variables may come from files; without it those are empty. */
  readonly hasEnvFiles: boolean;
  /** Pods with resources as a whole are let in. */
  readonly hasPodResources: boolean;
  /** The status tells when the sandbox is there. */
  readonly hasReadyToStart: boolean;
}

/** As upstream's defaults are. */
export const OPEN_GATES: PodGates & ResizeGates = {
  hasRestartRules: true,
  mayRestartAll: true,
  hasHostnameOverride: true,
  hasEnvFiles: true,
  hasPodResources: true,
  hasReadyToStart: true,
  mayResizePods: true,
  mayResizeInit: true,
};

export function gatedPod(pod: V1Pod, gates: PodGates): V1Pod {
  const { spec } = pod;
  const areContainersWhole = gates.hasRestartRules && gates.mayRestartAll &&
    gates.hasEnvFiles;
  const isNameWhole = gates.hasHostnameOverride ||
    spec?.hostnameOverride === undefined;
  if (spec === undefined || (areContainersWhole && isNameWhole)) return pod;
  const { hostnameOverride, ...rest } = spec;
  return {
    ...pod,
    spec: {
      ...rest,
      ...isNameWhole && hostnameOverride !== undefined
        ? { hostnameOverride }
        : {},
      containers: containersOf(pod).map((each) => gated(each, gates)),
      initContainers: initContainersOf(pod).map((each) => gated(each, gates)),
    },
  };
}

function gated(container: V1Container, gates: PodGates): V1Container {
  const ruled = isSidecar(container)
    ? container
    : withGatedRules(container, gates);
  if (gates.hasEnvFiles || ruled.env === undefined) return ruled;
  const env = ruled.env.map((each) =>
    each.valueFrom?.fileKeyRef === undefined ? each : { name: each.name }
  );
  return { ...ruled, env };
}

function withGatedRules(
  container: V1Container,
  gates: PodGates,
): V1Container {
  if (gates.hasRestartRules && gates.mayRestartAll) return container;
  const { restartPolicy, restartPolicyRules, ...rest } = container;
  if (restartPolicy === undefined || !gates.hasRestartRules) return rest;
  const rules = (restartPolicyRules ?? [])
    .filter(({ action }) => action !== "RestartAllContainers");
  return { ...rest, restartPolicy, restartPolicyRules: rules };
}
