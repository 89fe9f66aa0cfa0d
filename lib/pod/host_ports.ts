/**
 * Ports of the node that pods take for themselves.
 * Compat: kubelet 1.36 GetHostPorts, HostPortInfo.
 */
import { containersOf, sidecarsOf } from "../api/pod.ts";
import type { V1ContainerPort, V1Pod } from "../api/types.ts";

/** Compat: `::` is an address like any other here. */
const EVERY_ADDRESS = "0.0.0.0";

/** True when the pod asks for a port that one of `others` has. */
export function isPortTaken(pod: V1Pod, others: readonly V1Pod[]): boolean {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return false;
  const taken = others.flatMap(hostPortsOf);
  return wanted.some((port) => taken.some((other) => collide(port, other)));
}

/** Those of the containers that stay: the regular ones and the sidecars. */
function hostPortsOf(pod: V1Pod): V1ContainerPort[] {
  const sidecars = sidecarsOf(pod);
  return [...sidecars, ...containersOf(pod)]
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => (hostPort ?? 0) > 0);
}

function collide(one: V1ContainerPort, other: V1ContainerPort): boolean {
  const address = one.hostIP || EVERY_ADDRESS;
  const otherAddress = other.hostIP || EVERY_ADDRESS;
  return one.hostPort === other.hostPort &&
    (one.protocol || "TCP") === (other.protocol || "TCP") &&
    (address === otherAddress || address === EVERY_ADDRESS ||
      otherAddress === EVERY_ADDRESS);
}
