/**
 * Features that pods may ask of a node, of those that this agent has: the
 * scheduler sends such pods to no other.
 * Compat: kubelet 1.36 gate NodeDeclaredFeatures (on), framework.Discover.
 */
import type { Config } from "../config/load.ts";

const DECLARED = [
  "ExtendWebSocketsToKubelet",
  "InPlacePodLevelResourcesVerticalScaling",
  "InPlacePodVerticalScalingInitContainers",
  "RestartAllContainersOnContainerExits",
] as const;

/** By name, sorted. */
export function declaredFeatures(
  { features }: Pick<Config, "features">,
): readonly string[] {
  if (!features.NodeDeclaredFeatures) return [];
  return DECLARED.filter((name) => features[name]);
}
