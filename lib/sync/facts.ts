/** Gathers the facts of one pod from the store plus a fresh observation. */
import type { PodUid } from "../api/id.ts";
import {
  allContainersOf,
  fullNameOf,
  isStatic,
  type PodName,
  podNameOf,
} from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { ImageState } from "../image/types.ts";
import type { AdmissionNode } from "../pod/admit.ts";
import type {
  Facts,
  ObservedPod,
  PodSettings,
  RuntimeHealth,
} from "../pod/facts.ts";
import { isGone } from "../pod/facts.ts";
import { deadlineOf } from "../pod/deadline.ts";
import { lostForGood } from "../pod/lost.ts";
import { isRestartingAll } from "../pod/restart_all.ts";
import { isTerminal } from "../pod/phase.ts";
import { POD_NAME, POD_NAMESPACE } from "../pod/labels.ts";
import { podLogDirectory } from "../pod/paths.ts";
import type { IdRange } from "../pod/userns.ts";
import type { Files } from "../port/host.ts";
import type { Verdicts } from "../probe/types.ts";
import type { VolumeState } from "../volume/types.ts";
import type { PodMemory, PodsReader } from "./store.ts";

const NONE: ReadonlySet<string> = new Set();

export interface FactSources {
  readonly pod: V1Pod | undefined;
  readonly areSourcesReady: boolean;
  readonly memory: PodMemory;
  readonly observed: ObservedPod;
  readonly isAdmitted: boolean;
  readonly node: AdmissionNode | undefined;
  readonly evicted: Facts["evicted"];
  readonly pressures: Facts["pressures"];
  readonly resize: Facts["resize"];
  readonly others: readonly V1Pod[];
  readonly hostIps: readonly string[];
  readonly images: ReadonlyMap<string, ImageState>;
  readonly volumes: VolumeState | undefined;
  readonly references: Facts["references"];
  readonly services: Facts["services"];
  readonly allocatable: Facts["allocatable"];
  readonly verdicts: Verdicts;
  readonly stops: Facts["stops"];
  readonly loggedAttempts: ReadonlyMap<string, number>;
  readonly runtime: RuntimeHealth;
  readonly runtimeClasses: ReadonlyMap<string, string> | undefined;
  readonly userIds: IdRange | undefined;
  readonly settings: PodSettings;
  readonly nowMs: number;
}

export function factsOf(
  uid: PodUid,
  sources: FactSources,
  pods: PodsReader,
): Facts {
  const { memory, nowMs, ...rest } = sources;
  const { pod, observed } = sources;
  const { status } = memory;
  const isAnew = pod !== undefined && isRestartingAll(pod, observed, status);
  return {
    uid,
    ...rest,
    name: rememberedName(uid, {
      pod: sources.pod ?? memory.pod,
      observed: sources.observed,
    }),
    rival: sources.pod === undefined
      ? undefined
      : rivalOf(uid, fullNameOf(sources.pod), pods),
    state: memory.state,
    hasEnded: sources.pod !== undefined && !isStatic(sources.pod) &&
      isTerminal(memory.status?.phase),
    // What is taken away to be started anew is not lost.
    lost: pod === undefined || isAnew
      ? NONE
      : lostForGood(pod, observed, status),
    deadline: deadlineOf(pod, status?.startTime, nowMs),
    isRestartingAll: isAnew,
    endedByProbe: memory.endedByProbe,
    failures: memory.failures,
  };
}

/** Another pod of the same full name of which something is left. */
function rivalOf(
  uid: PodUid,
  fullName: string,
  pods: PodsReader,
): PodUid | undefined {
  for (const [other, memory] of pods) {
    if (other === uid || isGone(memory.observed)) continue;
    if (isNamed(other, memory, fullName)) return other;
  }
  return undefined;
}

/** Whether a remembered pod has this full name. */
export function isNamed(
  uid: PodUid,
  memory: Pick<PodMemory, "pod" | "observed">,
  fullName: string,
): boolean {
  const found = rememberedName(uid, memory);
  return `${found?.name}_${found?.namespace}` === fullName;
}

/** The name of a remembered pod, from its labels if need be. */
export function rememberedName(
  uid: PodUid,
  { pod, observed }: Pick<PodMemory, "pod" | "observed">,
): PodName | undefined {
  if (pod !== undefined) return podNameOf(pod);
  const labels = observed.sandboxes[0]?.labels ??
    observed.containers[0]?.labels;
  const name = labels?.get(POD_NAME);
  const namespace = labels?.get(POD_NAMESPACE);
  if (name === undefined || namespace === undefined) return undefined;
  return { uid, name, namespace };
}

/**
 * Restart counts from log files, for pods whose containers the runtime has
 * forgotten (a reboot): the highest `<n>.log` plus one.
 * Compat: kubelet 1.36 calcRestartCountByLogDir.
 */
export async function loggedAttempts(
  files: Files,
  settings: PodSettings,
  pod: V1Pod,
): Promise<ReadonlyMap<string, number>> {
  const directory = podLogDirectory(settings, podNameOf(pod));
  const attempts = new Map<string, number>();
  if (await files.stat(directory) === undefined) return attempts;
  for (const { name } of allContainersOf(pod)) {
    const entries = await files.list(`${directory}/${name}`) ?? [];
    const counts = entries.flatMap((entry) => {
      const match = /^(\d+)\.log/.exec(entry.name);
      return match === null ? [] : [Number(match[1])];
    });
    if (counts.length > 0) attempts.set(name, Math.max(...counts) + 1);
  }
  return attempts;
}
