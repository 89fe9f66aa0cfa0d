/**
 * What a static pod may not refer to, because it must start before there is
 * an API server to ask.
 * Compat: kubelet 1.36 podutil.HasAPIObjectReference (gate
 * PreventStaticPodAPIReferences, on), tryDecodeSinglePod without it. Upstream
 * stops at the first.
 */
import type { V1PodSpec } from "../api/types.ts";
import type { Path, Violation } from "./field.ts";
import type { EnvSource, Projection, Volume } from "./parts.ts";

const ENV_SOURCES: ReadonlyMap<keyof EnvSource, string> = new Map([
  ["secretKeyRef", "secrets"],
  ["configMapKeyRef", "configmaps"],
]);

const VOLUMES: ReadonlyMap<string, string> = new Map([
  ["configMap", "configmaps (via configmap volumes)"],
  ["secret", "secrets (via secret volumes)"],
  ["csi", "csidrivers (via CSI volumes)"],
  ["glusterfs", "endpoints (via glusterFS volumes)"],
  ["persistentVolumeClaim", "persistentvolumeclaims"],
  ["ephemeral", "persistentvolumeclaims (via ephemeral volumes)"],
  ["azureFile", "secrets (via azureFile volumes)"],
]);

/** Volume sources that may name a secret by `secretRef`. */
const SECRET_USERS = [
  "cephfs",
  "cinder",
  "flexVolume",
  "iscsi",
  "rbd",
  "scaleIO",
  "storageos",
] as const;

const PROJECTIONS: ReadonlyMap<keyof Projection, string> = new Map([
  ["configMap", "configmaps (via projected volumes)"],
  ["secret", "secrets (via projected volumes)"],
  ["serviceAccountToken", "serviceaccounts (via projected volumes)"],
  ["clusterTrustBundle", "clustertrustbundles"],
  ["podCertificate", "podcertificates"],
]);

/**
 * Only what cannot work for a static pod.
 * Compat: kubelet 1.36 without the gate.
 */
export function* impossibleReferences(spec: V1PodSpec): Generator<Violation> {
  if (spec.resourceClaims?.length) {
    const message = "static pods may not use ResourceClaims";
    yield { path: ["spec", "resourceClaims"], message };
  }
  for (const [index, { projected }] of (spec.volumes ?? []).entries()) {
    for (const [nth, source] of (projected?.sources ?? []).entries()) {
      if (source.clusterTrustBundle === undefined) continue;
      const path = ["spec", "volumes", index, "projected", "sources", nth];
      const message = "static pods may not use ClusterTrustBundle projected " +
        "volume sources";
      yield { path, message };
    }
  }
}

export function* forbiddenReferences(spec: V1PodSpec): Generator<Violation> {
  if (spec.serviceAccountName) {
    yield refuse(["spec", "serviceAccountName"], "serviceaccounts");
  }
  for (const index of (spec.imagePullSecrets ?? []).keys()) {
    yield refuse(["spec", "imagePullSecrets", index], "secrets");
  }
  if (spec.resourceClaims?.length) {
    yield refuse(["spec", "resourceClaims"], "resourceclaims");
  }
  for (const list of ["initContainers", "containers"] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      const path = ["spec", list, index];
      for (const [nth, { valueFrom }] of (container.env ?? []).entries()) {
        const at = [...path, "env", nth, "valueFrom"];
        yield* refuseFields(valueFrom ?? {}, ENV_SOURCES, at);
      }
      for (const [nth, from] of (container.envFrom ?? []).entries()) {
        const at = [...path, "envFrom", nth];
        if (from.secretRef) yield refuse([...at, "secretRef"], "secrets");
        if (from.configMapRef) {
          yield refuse([...at, "configMapRef"], "configmaps");
        }
      }
    }
  }
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    yield* volumeReferences(volume, ["spec", "volumes", index]);
  }
}

function* volumeReferences(volume: Volume, path: Path): Generator<Violation> {
  yield* refuseFields(volume, VOLUMES, path);
  for (const name of SECRET_USERS) {
    if (volume[name]?.secretRef === undefined) continue;
    yield refuse([...path, name, "secretRef"], "secrets");
  }
  for (const [nth, source] of (volume.projected?.sources ?? []).entries()) {
    const at = [...path, "projected", "sources", nth];
    yield* refuseFields(source, PROJECTIONS, at);
  }
}

function* refuseFields(
  part: object,
  refused: ReadonlyMap<string, string>,
  path: Path,
): Generator<Violation> {
  for (const name of Object.keys(part)) {
    const what = refused.get(name);
    if (what !== undefined) yield refuse([...path, name], what);
  }
}

function refuse(path: Path, what: string): Violation {
  return { path, message: `static pods may not reference ${what}` };
}
