/**
 * A persistent volume as it is to be made ready for one pod. Pure; the checks
 * are the kubelet's, in its words.
 * Compat: kubelet 1.36 createVolumeSpec, getPVCExtractPV, getPVSpec.
 */
import { nameOf, namespaceOf, uidOf } from "../api/pod.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
} from "../api/types.ts";
import {
  type ClaimVolume,
  deviceMounts,
  type Ground,
  noDriver,
  planNfs,
  type StorageVolume,
  unsupportedKind,
} from "./plan_storage.ts";

const PROTECTION = "kubernetes.io/pvc-protection";
const OPTIONS = "volume.beta.kubernetes.io/mount-options";
const GROUP = "pv.beta.kubernetes.io/gid";
const OPTIONS_REFUSED = "mount options are not supported for this volume type";
/** In-tree types that another driver serves since. */
const MIGRATED: ReadonlyMap<string, string> = new Map([
  ["awsElasticBlockStore", "ebs.csi.aws.com"],
  ["azureDisk", "disk.csi.azure.com"],
  ["azureFile", "file.csi.azure.com"],
  ["cinder", "cinder.csi.openstack.org"],
  ["gcePersistentDisk", "pd.csi.storage.gke.io"],
  ["portworxVolume", "pxd.portworx.com"],
  ["vsphereVolume", "csi.vsphere.vmware.com"],
]);
const PLAIN_FIELDS = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);

/** What is wrong with the claim, or undefined. */
export function claimFault(
  pod: V1Pod,
  { isEphemeral }: ClaimVolume,
  claim: V1PersistentVolumeClaim,
): string | undefined {
  const { metadata, spec, status } = claim;
  const isProtected = metadata?.finalizers?.includes(PROTECTION) === true;
  if (metadata?.deletionTimestamp !== undefined && !isProtected) {
    return "PVC is being deleted";
  }
  if (status?.phase !== "Bound") return "PVC is not bound";
  if ((spec?.volumeName ?? "") === "") {
    return "PVC has empty pvc.Spec.VolumeName";
  }
  if (isEphemeral && !isControlledBy(claim, pod)) {
    const namespace = namespaceOf(pod);
    return `PVC ${namespace}/${metadata?.name} was not created for pod ` +
      `${namespace}/${nameOf(pod)} (pod is not owner)`;
  }
  return undefined;
}

function isControlledBy(claim: V1PersistentVolumeClaim, pod: V1Pod): boolean {
  return (claim.metadata?.ownerReferences ?? []).some(({ controller, uid }) =>
    controller === true && uid === uidOf(pod)
  );
}

/** What is wrong with the volume that the claim names, or undefined. */
export function boundFault(
  volume: V1PersistentVolume,
  claim: V1PersistentVolumeClaim,
): string | undefined {
  const name = volume.metadata?.name;
  const ref = volume.spec?.claimRef;
  if (ref === undefined) {
    return `found PV object ${name} but it has a nil pv.Spec.ClaimRef ` +
      "indicating it is not yet bound to the claim";
  }
  const uid = claim.metadata?.uid;
  return ref.uid === uid
    ? undefined
    : `found PV object ${name} but its pv.Spec.ClaimRef.UID ${ref.uid} does ` +
      `not point to claim.UID ${uid}`;
}

/** Whether the pod uses it as what it is, or undefined. */
export function modeFault(
  { name, usedAs }: ClaimVolume,
  volume: V1PersistentVolume,
): string | undefined {
  const mode = volume.spec?.volumeMode ?? "Filesystem";
  const wrong = mode === "Filesystem" ? "device" : "mount";
  if (!usedAs.has(wrong)) return undefined;
  const field = wrong === "mount" ? "volumeMounts" : "volumeDevices";
  return `volume ${name} has volumeMode ${mode}, but is specified in ${field}`;
}

/** Compat: kubelet 1.36 MountOptionFromSpec: the annotation wins. */
export function mountOptions(volume: V1PersistentVolume): readonly string[] {
  const annotated = volume.metadata?.annotations?.[OPTIONS];
  const options = annotated?.split(",") ?? volume.spec?.mountOptions ?? [];
  return [...new Set(options)].sort();
}

/** The group that may use the volume; empty: not said. */
export function groupOf(volume: V1PersistentVolume): string {
  return volume.metadata?.annotations?.[GROUP] ?? "";
}

/** Why its options cannot be had, or undefined. */
export function optionsFault(volume: V1PersistentVolume): string | undefined {
  const { local, nfs } = volume.spec ?? {};
  const isFit = local !== undefined || nfs !== undefined;
  return isFit || mountOptions(volume).length === 0
    ? undefined
    : OPTIONS_REFUSED;
}

export function planPersistent(
  ground: Ground,
  claim: ClaimVolume,
  volume: V1PersistentVolume,
): StorageVolume {
  const { isReadOnly } = claim;
  const name = volume.metadata?.name ?? "";
  const { spec } = volume;
  const { hostPath, local, nfs, csi } = spec ?? {};
  if (hostPath !== undefined) {
    const { path, type = "" } = hostPath;
    return { kind: "host-path", name, path, type, isReadOnly };
  }
  if (local !== undefined) return planLocal(ground, claim, volume);
  if (nfs !== undefined) {
    const options = mountOptions(volume);
    return planNfs(ground, name, { nfs, isReadOnly, options });
  }
  if (csi !== undefined) return noDriver(name, csi.driver);
  const kind = Object.keys(spec ?? {}).find((key) => !PLAIN_FIELDS.has(key)) ??
    "unknown";
  const driver = MIGRATED.get(kind);
  return driver === undefined
    ? unsupportedKind(name, kind)
    : noDriver(name, driver);
}

function planLocal(
  { directory, pluginsDir, owner }: Ground,
  { isReadOnly }: ClaimVolume,
  volume: V1PersistentVolume,
): StorageVolume {
  const name = volume.metadata?.name ?? "";
  const { path: source = "", fsType } = volume.spec?.local ?? {};
  const plugin = `kubernetes.io~local-volume/${name}`;
  if (source.split("/").includes("..")) {
    const message = `invalid path: ${source} must not contain '..'`;
    return { kind: "refused", name, message };
  }
  if (volume.spec?.volumeMode === "Block") {
    const path = `${directory}/volumeDevices/${plugin}`;
    return { kind: "device", name, path, source, isReadOnly };
  }
  return {
    kind: "bound",
    name,
    path: `${directory}/volumes/${plugin}`,
    source: source.startsWith("/") ? source : `/${source}`,
    isReadOnly,
    options: mountOptions(volume),
    readyFile: `${directory}/plugins/${plugin}/ready`,
    owner,
    asDevice: {
      path: `${deviceMounts(pluginsDir)}/${name}`,
      // Compat: kubelet 1.36 local defaultFSType.
      fsType: fsType || "ext4",
    },
  };
}
