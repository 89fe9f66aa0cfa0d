/**
 * What the sources delivered to what is wanted. Pure, so no source can make
 * another wait, and nothing is forgotten because something is broken.
 *
 * Invariant: a broken file never takes its running pods away; a removed file
 * always does.
 */
import type { PodUid } from "../api/id.ts";
import { fullNameOf, titleOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { canonicalJson, seenOf, timestamp, withSeen } from "./identity.ts";
import type {
  Desired,
  Finding,
  ManifestProblem,
  Origin,
  SourceKind,
  WantedPod,
} from "./types.ts";

/** What one file, or the URL, said last. */
export interface Delivery {
  readonly origin: Origin;
  readonly pods: readonly WantedPod[];
  readonly findings: readonly Finding[];
  /** Read whole at least once; absent: not yet. */
  readonly wasWhole?: boolean;
}

/** Everything a source said last. */
export interface SourceState {
  readonly kind: SourceKind;
  /** True from its first whole delivery on, an empty one included. */
  readonly isReady: boolean;
  /** In the order in which they win over each other. */
  readonly deliveries: readonly Delivery[];
  /** By full name; the API server's only. */
  readonly mirrors?: ReadonlyMap<string, V1Pod>;
}

/** The order in which sources win over each other. */
const RANK: readonly SourceKind[] = ["file", "url", "api"];

/**
 * What counts of a file after reading it anew: its good pods, and, as long as
 * anything in it is broken, its last good ones that are not among them.
 * Compat: kubelet 1.36 checkAndUpdatePod keeps the time first seen per uid.
 */
export function delivered(
  before: Delivery | undefined,
  now: Delivery,
  nowMs: number,
): Delivery {
  const known = new Map(before?.pods.map((each) => [each.uid, each]));
  const fresh = now.pods.map((each) =>
    settled(known.get(each.uid), each, nowMs)
  );
  if (!now.findings.some(({ severity }) => severity === "error")) {
    return { ...now, pods: fresh, wasWhole: true };
  }
  const names = new Set(fresh.map(({ pod }) => fullNameOf(pod)));
  const kept = (before?.pods ?? []).filter(({ pod }) =>
    !names.has(fullNameOf(pod))
  );
  const wasWhole = before?.wasWhole === true;
  return { ...now, pods: [...fresh, ...kept], wasWhole };
}

function settled(
  known: WantedPod | undefined,
  found: WantedPod,
  nowMs: number,
): WantedPod {
  const seen = known === undefined ? undefined : seenOf(known);
  const whole = withSeen(found, seen ?? timestamp(nowMs));
  // The same value stays the same object, which tells readers at a glance.
  const isSame = known !== undefined &&
    canonicalJson(known.pod) === canonicalJson(whole.pod);
  return isSame ? known : whole;
}

/** The next value of the `desired` cell; the old one if nothing changed. */
export function merge(
  sources: readonly SourceState[],
  previous: Desired,
  nowMs: number,
): Desired {
  const ranked = sources.toSorted((one, other) =>
    RANK.indexOf(one.kind) - RANK.indexOf(other.kind)
  );
  const pods = new Map<PodUid, WantedPod>();
  const holders = new Map<string, WantedPod>();
  const problems: ManifestProblem[] = [];
  const ages = agesOf(previous);
  const report = (location: string, finding: Finding) => {
    const problem = { ...finding, location, sinceMs: nowMs };
    const sinceMs = ages.get(keyOf(problem)) ?? nowMs;
    problems.push({ ...problem, sinceMs });
  };
  for (const { deliveries } of ranked) {
    for (const { origin, pods: offered, findings } of deliveries) {
      for (const finding of findings) report(origin.location, finding);
      for (const each of offered) {
        const name = fullNameOf(each.pod);
        const holder = holders.get(name) ?? pods.get(each.uid);
        if (holder !== undefined) {
          report(origin.location, taken(each, holder, origin.kind));
          continue;
        }
        holders.set(name, each);
        pods.set(each.uid, each);
      }
    }
  }
  const ready = sources.filter(({ isReady }) => isReady);
  const next: Desired = {
    pods,
    problems,
    readySources: new Set(ready.map(({ kind }) => kind)),
    isReady: ready.length === sources.length,
    unread: sources.flatMap(({ deliveries }) => deliveries).filter(isUnread)
      .map(({ origin }) => origin.location),
    mirrors: sources.find(({ mirrors }) => mirrors !== undefined)?.mirrors ??
      previous.mirrors,
  };
  return isSame(previous, next) ? previous : next;
}

/** Broken since before it was ever read whole: nobody knows its pods. */
function isUnread({ findings, wasWhole }: Delivery): boolean {
  return wasWhole !== true &&
    findings.some(({ severity }) => severity === "error");
}

function taken(
  loser: WantedPod,
  winner: WantedPod,
  kind: SourceKind,
): Finding {
  const isName = fullNameOf(loser.pod) === fullNameOf(winner.pod);
  const what = isName
    ? `pod ${titleOf(loser.pod)}`
    : `a pod with the uid ${loser.uid}`;
  const message = `${what} is wanted by ${winner.origin.location} already, ` +
    `this one is ignored`;
  return {
    severity: "error",
    field: isName ? "metadata.name" : "metadata.uid",
    message,
    ...isName && kind === winner.origin.kind
      ? { duplicate: { pod: loser.pod, kind } }
      : {},
  };
}

function agesOf(previous: Desired): ReadonlyMap<string, number> {
  return new Map(previous.problems.map((each) => [keyOf(each), each.sinceMs]));
}

function keyOf(problem: ManifestProblem): string {
  const { location, line, column, message } = problem;
  return JSON.stringify([location, line, column, message]);
}

function isSame(previous: Desired, next: Desired): boolean {
  return previous.isReady === next.isReady &&
    previous.readySources.size === next.readySources.size &&
    previous.unread.join("\n") === next.unread.join("\n") &&
    previous.mirrors === next.mirrors &&
    previous.pods.size === next.pods.size &&
    [...next.pods].every(([uid, each]) => previous.pods.get(uid) === each) &&
    canonicalJson(previous.problems) === canonicalJson(next.problems);
}
