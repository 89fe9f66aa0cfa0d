/**
 * Wanted pods from the API server: those assigned to this node. Mirror pods
 * are kept apart. What was delivered stays wanted through every silence of
 * the server. Called by run.ts.
 */
import { fullNameOf, isMirror, uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { unreachable } from "../base/unreachable.ts";
import type { ClusterPods } from "../port/cluster.ts";
import type { SourceState } from "./merge.ts";
import {
  API_SERVER,
  type Finding,
  type Origin,
  type WantedPod,
} from "./types.ts";

export interface ApiSourcePorts {
  readonly pods: Pick<ClusterPods, "watch">;
  readonly nodeName: string;
  readonly deliver: (state: SourceState) => void;
}

const ORIGIN: Origin = { kind: "api", location: API_SERVER };

/** Runs until `signal` aborts. */
export async function runApiSource(
  { pods, nodeName, deliver }: ApiSourcePorts,
  signal: AbortSignal,
): Promise<void> {
  // The server holds one pod of each name; a newer one replaces the older.
  const wanted = new Map<string, WantedPod>();
  let mirrors: ReadonlyMap<string, V1Pod> = new Map();
  let silence: string | undefined;
  let isReady = false;
  const settle = (pod: V1Pod) => {
    const name = fullNameOf(pod);
    if (isMirror(pod)) {
      mirrors = new Map(mirrors).set(name, pod);
      wanted.delete(name);
    } else {
      wanted.set(name, settled(wanted.get(name), pod));
      if (mirrors.has(name)) mirrors = without(mirrors, name);
    }
  };
  for await (const news of pods.watch(nodeName, signal)) {
    switch (news.kind) {
      case "listed": {
        isReady = true;
        silence = undefined;
        const names = new Set(news.pods.map(fullNameOf));
        for (const name of wanted.keys()) {
          if (!names.has(name)) wanted.delete(name);
        }
        mirrors = new Map([...mirrors].filter(([name]) => names.has(name)));
        news.pods.forEach(settle);
        break;
      }
      case "changed":
        settle(news.pod);
        break;
      case "deleted": {
        const name = fullNameOf(news.pod);
        const uid = uidOf(news.pod);
        if (wanted.get(name)?.uid === uid) wanted.delete(name);
        const mirror = mirrors.get(name);
        if (mirror !== undefined && uidOf(mirror) === uid) {
          mirrors = without(mirrors, name);
        }
        break;
      }
      case "silent":
        silence = news.message;
        break;
      case "steady":
        silence = undefined;
        break;
      default:
        unreachable(news);
    }
    const findings: Finding[] = silence === undefined
      ? []
      : [{ severity: "warning", message: silence }];
    const pods = [...wanted.values()];
    const delivery = { origin: ORIGIN, pods, findings, wasWhole: isReady };
    deliver({ kind: "api", isReady, deliveries: [delivery], mirrors });
  }
}

/** The same version stays the same object, which tells readers at a glance. */
function settled(known: WantedPod | undefined, pod: V1Pod): WantedPod {
  const uid = uidOf(pod);
  const version = pod.metadata?.resourceVersion;
  const isKnown = known?.uid === uid && version !== undefined &&
    known.pod.metadata?.resourceVersion === version;
  return isKnown ? known : { pod, uid, origin: ORIGIN };
}

function without(
  mirrors: ReadonlyMap<string, V1Pod>,
  name: string,
): ReadonlyMap<string, V1Pod> {
  const left = new Map(mirrors);
  left.delete(name);
  return left;
}
