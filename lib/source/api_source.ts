/**
 * Wanted pods from the API server: those assigned to this node. Mirror pods
 * are kept apart. What was delivered stays wanted through every silence of
 * the server. Called by run.ts.
 */
import {
  CONFIG_SOURCE,
  fullNameOf,
  isMirror,
  isStatic,
  uidOf,
} from "../api/pod.ts";
import { oddityOf } from "./oddity.ts";
import type { V1Pod } from "../api/types.ts";
import { unreachable } from "../base/unreachable.ts";
import type { ClusterPods, PodNews } from "../port/cluster.ts";
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
  const known = new KnownPods();
  for await (const news of pods.watch(nodeName, signal)) {
    known.hear(news);
    deliver(known.state());
  }
}

/** What the server said last. */
class KnownPods {
  // The server holds one pod of each name; a newer one replaces the older.
  readonly #wanted = new Map<string, WantedPod>();
  #mirrors: ReadonlyMap<string, V1Pod> = new Map();
  /** By the name they came with: what no server of Kubernetes would hold. */
  readonly #odd = new Map<string, string>();
  #silence: string | undefined;
  #isReady = false;

  hear(news: PodNews): void {
    switch (news.kind) {
      case "listed":
        this.#isReady = true;
        this.#silence = undefined;
        return this.#list(news.pods);
      case "changed":
        return this.#put(news.pod);
      case "deleted":
        return this.#take(news.pod);
      case "silent":
        this.#silence = news.message;
        return;
      case "steady":
        this.#silence = undefined;
        return;
      default:
        unreachable(news);
    }
  }

  state(): SourceState {
    const findings: Finding[] = [...this.#odd.values()]
      .map((message) => ({ severity: "error", message }));
    if (this.#silence !== undefined) {
      findings.push({ severity: "warning", message: this.#silence });
    }
    const delivery = {
      origin: ORIGIN,
      pods: [...this.#wanted.values()],
      findings,
      wasWhole: this.#isReady,
    };
    return {
      kind: "api",
      isReady: this.#isReady,
      deliveries: [delivery],
      mirrors: this.#mirrors,
    };
  }

  #list(pods: readonly V1Pod[]): void {
    const names = new Set(pods.map(fullNameOf));
    for (const name of this.#wanted.keys()) {
      if (!names.has(name)) this.#wanted.delete(name);
    }
    this.#odd.clear();
    this.#mirrors = new Map(
      [...this.#mirrors].filter(([name]) => names.has(name)),
    );
    for (const pod of pods) this.#put(pod);
  }

  #put(pod: V1Pod): void {
    const name = fullNameOf(pod);
    const oddity = oddityOf(pod);
    if (oddity !== undefined) {
      this.#odd.set(name, `pod ${JSON.stringify(name)} ignored: ${oddity}`);
      return;
    }
    this.#odd.delete(name);
    if (isMirror(pod)) {
      this.#mirrors = new Map(this.#mirrors).set(name, pod);
      this.#wanted.delete(name);
      return;
    }
    this.#wanted.set(name, settled(this.#wanted.get(name), pod));
    if (this.#mirrors.has(name)) this.#mirrors = without(this.#mirrors, name);
  }

  #take(pod: V1Pod): void {
    const name = fullNameOf(pod);
    const uid = uidOf(pod);
    this.#odd.delete(name);
    if (this.#wanted.get(name)?.uid === uid) this.#wanted.delete(name);
    const mirror = this.#mirrors.get(name);
    if (mirror !== undefined && uidOf(mirror) === uid) {
      this.#mirrors = without(this.#mirrors, name);
    }
  }
}

/** The same version stays the same object, which tells readers at a glance. */
function settled(known: WantedPod | undefined, pod: V1Pod): WantedPod {
  const uid = uidOf(pod);
  const version = pod.metadata?.resourceVersion;
  const isKnown = known?.uid === uid && version !== undefined &&
    known.pod.metadata?.resourceVersion === version;
  return isKnown ? known : { pod: ofTheServer(pod), uid, origin: ORIGIN };
}

/**
 * Invariant: nobody makes a static pod by an annotation. Compat: kubelet 1.36
 * PodConfig writes its own source over it.
 */
function ofTheServer(pod: V1Pod): V1Pod {
  const { metadata } = pod;
  if (!isStatic(pod) || metadata?.annotations === undefined) return pod;
  const annotations = { ...metadata.annotations, [CONFIG_SOURCE]: "api" };
  return { ...pod, metadata: { ...metadata, annotations } };
}

function without(
  mirrors: ReadonlyMap<string, V1Pod>,
  name: string,
): ReadonlyMap<string, V1Pod> {
  const left = new Map(mirrors);
  left.delete(name);
  return left;
}
