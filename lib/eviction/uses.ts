/** Asks what pods take, as far as it matters for what is short. */
import type { PodUid } from "../api/id.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { UseDetail } from "../port/usage.ts";
import type { DiskFigures, Figures } from "../stats/types.ts";
import { podUses } from "./measure.ts";
import type { PodUse } from "./types.ts";

export interface UsePorts {
  readonly stats: {
    figures(detail: UseDetail): Promise<Figures>;
    disks(signal: AbortSignal): Promise<DiskFigures>;
  };
  /** Size of the pod's /etc/hosts; 0 where it has none. */
  readonly hostsBytes: (uid: PodUid) => Promise<bigint>;
}

export async function readUses(
  { stats, hostsBytes }: UsePorts,
  pods: readonly V1Pod[],
  { detail, disks, signal }: {
    readonly detail: UseDetail;
    readonly disks: "none" | "with-hosts" | "without-hosts";
    readonly signal: AbortSignal;
  },
): Promise<readonly PodUse[]> {
  const figures = await stats.figures(detail);
  const found = disks === "none" ? undefined : await stats.disks(signal);
  const hosts = new Map<string, bigint>();
  if (disks === "with-hosts") {
    for (const uid of pods.map(uidOf)) hosts.set(uid, await hostsBytes(uid));
  }
  return podUses(pods, figures, { disks: found, hostsBytes: hosts });
}
