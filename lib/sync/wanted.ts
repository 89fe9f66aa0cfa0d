/** What the sources want, as the passes ask for it. */
import type { Reader } from "../base/cell.ts";
import type { PodUid } from "../api/id.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { shownAs } from "../pod/mirror.ts";
import { heldStatus } from "../pod/status_held.ts";
import type { Desired } from "../source/types.ts";

export function wantedBy(desired: Reader<Desired>) {
  const { pods, mirrors, isReady, unread } = desired.get();
  const podOf = (uid: PodUid): V1Pod | undefined => pods.get(uid)?.pod;
  return {
    isReady,
    hasUnread: unread.length > 0,
    podOf,
    statusOf: (uid: PodUid): PodStatusJson | undefined => {
      const pod = podOf(uid);
      const held = pod && shownAs(pod, mirrors);
      return held === undefined ? undefined : heldStatus(held);
    },
  };
}
