/**
 * Gives a volume to the pod's group, and says so when it takes long.
 * Compat: kubelet 1.36 VolumeOwnership, its times and words.
 */
import type { PodUid } from "../api/id.ts";
import type { Clock } from "../base/clock.ts";
import type { Mounts } from "../port/host.ts";
import type { Recorder } from "../port/recorder.ts";
import type { VolumeOwner } from "./plan_storage.ts";

const FIRST_REPORT_MS = 30_000;
const REPORT_MS = 60_000;
const ADVICE = "consider using OnRootMismatch - https://kubernetes.io/docs/" +
  "tasks/configure-pod-container/security-context/#configure-volume-" +
  "permission-and-ownership-change-policy-for-pods";

export interface OwnershipPorts {
  readonly mounts: Pick<Mounts, "giveGroup">;
  readonly clock: Clock;
  readonly recorder: Recorder;
}

export interface OwnershipAt {
  readonly path: string;
  readonly owner: VolumeOwner;
  readonly isReadOnly: boolean;
  readonly uid: PodUid;
  readonly signal: AbortSignal;
}

/** Nothing without a group. */
export async function giveToGroup(
  { mounts, clock, recorder }: OwnershipPorts,
  { path, owner, isReadOnly, uid, signal }: OwnershipAt,
): Promise<void> {
  const { gid, change = "always" } = owner;
  if (gid === undefined) return;
  const sinceMs = clock.monotonicMs();
  let nextMs = sinceMs + FIRST_REPORT_MS;
  const shown = shownPath(path, uid);
  const progress = (count: number) => {
    const nowMs = clock.monotonicMs();
    if (nowMs < nextMs) return;
    const isFirst = nextMs === sinceMs + FIRST_REPORT_MS;
    nextMs += REPORT_MS;
    recorder.record(uid, {
      type: "Warning",
      reason: "VolumePermissionChangeInProgress",
      message: `Setting volume ownership for ${shown}` +
        (isFirst
          ? ` is taking longer than expected, ${ADVICE}`
          : `, processed ${count} files.`),
    });
  };
  const policy = change;
  await mounts.giveGroup(path, { gid, isReadOnly, policy, progress, signal });
}

/** From the pod's uid on. */
function shownPath(path: string, uid: PodUid): string {
  const at = path.indexOf(uid);
  return at < 0 ? path : path.slice(at);
}
