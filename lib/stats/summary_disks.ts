/**
 * The disk part of a pod's summary: volumes, and all that goes with the pod.
 * Pure. Compat: kubelet 1.36 stats/helper.go makePodStorageStats,
 * calcEphemeralStorage.
 */
import type { ContainerId } from "../api/id.ts";
import type { Json } from "./json_text.ts";
import { filesystem, time } from "./summary_parts.ts";
import type {
  DiskFigures,
  MeasuredVolume,
  PodFigures,
  VolumeTaken,
} from "./types.ts";

export function podDisks(
  { pod, containers }: PodFigures,
  disks: DiskFigures,
): Record<string, Json> {
  const taken = disks.volumes.get(pod.uid);
  const volumes = pod.volumes.flatMap((volume) =>
    volumeStats(volume, {
      namespace: pod.namespace,
      taken: taken?.get(volume.name),
    })
  );
  return {
    volume: volumes.length === 0 ? undefined : volumes,
    "ephemeral-storage": ephemeral(
      pod.volumes,
      containers.map(({ container }) => container.id),
      { disks, taken },
    ),
  };
}

type Taken = ReturnType<DiskFigures["volumes"]["get"]>;

function volumeStats(
  { name, claim }: MeasuredVolume,
  { namespace, taken }: {
    readonly namespace: string;
    readonly taken: VolumeTaken | undefined;
  },
): Json[] {
  if (taken === undefined) return [];
  const { whole, usedBytes, inodes, atMs } = taken;
  return [{
    ...whole === undefined ? { time: time(atMs) } : filesystem(whole, atMs),
    usedBytes,
    inodesUsed: inodes,
    name,
    pvcRef: claim === undefined ? undefined : { name: claim, namespace },
  }];
}

/** Writable layers, logs, and volumes on disk that go with the pod. */
function ephemeral(
  volumes: readonly MeasuredVolume[],
  containers: readonly ContainerId[],
  at: { readonly disks: DiskFigures; readonly taken: Taken },
): Json {
  const { disks, taken } = at;
  if (disks.root === undefined) return undefined;
  const parts = [
    ...containers.flatMap((id) => {
      const layer = disks.layers.get(id);
      const logs = disks.logs.get(id);
      return [
        ...layer === undefined ? [] : [{
          usedBytes: layer.usedBytes,
          inodes: layer.inodesUsed,
        }],
        ...logs === undefined ? [] : [logs],
      ];
    }),
    ...volumes.filter(({ isEphemeral, medium }) =>
      isEphemeral && medium === "disk"
    ).flatMap(({ name }) => taken?.get(name) ?? []),
  ];
  return {
    ...filesystem(disks.root, disks.atMs),
    usedBytes: parts.reduce((sum, each) => sum + each.usedBytes, 0n),
    inodesUsed: parts.reduce((sum, each) => sum + each.inodes, 0n),
  };
}
