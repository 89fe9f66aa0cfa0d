/** What the sources want, as the passes ask for it. */
import type { Reader } from "../base/cell.ts";
import type { PodUid } from "../api/id.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { shownAs } from "../pod/mirror.ts";
import { heldStatus } from "../pod/status_held.ts";
import type { Allocations } from "./allocations.ts";
import type { Desired } from "../source/types.ts";

/** Each pod with what it was given; what it asks for by now may be more. */
export function wantedBy(
  desired: Reader<Desired>,
  allocations: Pick<Allocations, "podOf" | "isGiven">,
) {
  const { pods, mirrors, isReady, unread } = desired.get();
  const podOf = (uid: PodUid): V1Pod | undefined => {
    const wish = pods.get(uid)?.pod;
    return wish && allocations.podOf(wish);
  };
  return {
    isReady,
    hasUnread: unread.length > 0,
    uids: pods.keys(),
    podOf,
    isGiven: (uid: PodUid) => allocations.isGiven(uid),
    statusOf: (uid: PodUid): PodStatusJson | undefined => {
      const pod = podOf(uid);
      const held = pod && shownAs(pod, mirrors);
      return held === undefined ? undefined : heldStatus(held);
    },
  };
}
