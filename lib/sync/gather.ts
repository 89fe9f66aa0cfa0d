/**
 * The first step of a round: everything known about the pod, as one value.
 * Called by worker.ts, on whose behalf it fills the pod's memory.
 */
import type { ContainerId, PodUid } from "../api/id.ts";
import { namespaceOf } from "../api/pod.ts";
import { allStatusesOf, type PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { ImageRunner } from "../image/run.ts";
import type { AdmissionNode } from "../pod/admit.ts";
import type {
  Facts,
  ObservedPod,
  PodSettings,
  RuntimeHealth,
} from "../pod/facts.ts";
import { gatedPod } from "../pod/gates.ts";
import { wantsOwnIds } from "../pod/userns.ts";
import type { Files, NodeTexts } from "../port/host.ts";
import type { Verdicts } from "../probe/types.ts";
import type { VolumeRunner } from "../volume/run.ts";
import { isAdmitted, othersOf } from "./admission.ts";
import type { Allocations } from "./allocations.ts";
import { resizeFacts } from "./resize_facts.ts";
import type { Resizes } from "./resizes.ts";
import { factsOf, loggedAttempts } from "./facts.ts";
import type { Preemptions } from "./preemptions.ts";
import { currentSettings } from "./settings.ts";
import type { Stops } from "./stops.ts";
import { EMPTY_MEMORY, type PodMemory, type Pods } from "./store.ts";
import type { UserIds } from "./user_ids.ts";

export interface GatherPorts {
  readonly files: Files;
  readonly images: Pick<ImageRunner, "statesOf" | "forget">;
  readonly volumes: Pick<VolumeRunner, "stateOf" | "forget">;
  readonly references: {
    statesOf(uid: PodUid): Facts["references"];
    forget(uid: PodUid): void;
  };
  readonly services: (namespace: string) => Facts["services"];
  readonly allocatable: () => Facts["allocatable"];
  readonly stops: Pick<Stops, "seen" | "forget">;
  /** Of every container; the probe runner writes them. */
  readonly verdicts: () => Verdicts;
  readonly settings: PodSettings;
  readonly nodeTexts: NodeTexts;
  readonly resizes: Pick<Resizes, "look" | "of">;
  readonly allocations: Pick<Allocations, "actuated" | "cgroupOf">;
  readonly userIds: Pick<UserIds, "rangeOf" | "recover">;
  /** Handlers by class; undefined while nobody knows. Asks for them. */
  readonly runtimeClasses: () => ReadonlyMap<string, string> | undefined;
  readonly pods: Pods;
  /** Wanted pods, and whether every source has reported. */
  readonly wanted: () => {
    readonly podOf: (uid: PodUid) => V1Pod | undefined;
    readonly uids: Iterable<PodUid>;
    readonly isGiven: (uid: PodUid) => boolean;
    /** As the API server holds it. */
    readonly statusOf: (uid: PodUid) => PodStatusJson | undefined;
    readonly isReady: boolean;
    /** Some manifest has been broken since the agent started. */
    readonly hasUnread: boolean;
  };
  readonly health: () => RuntimeHealth;
  /** The node as the API server holds it; undefined while nobody knows. */
  readonly node: () => AdmissionNode | undefined;
  readonly evicted: (uid: PodUid) => Facts["evicted"];
  readonly preemptions: Pick<Preemptions, "orders" | "seen" | "forget">;
  readonly shutdown: (uid: PodUid) => Facts["shutdown"];
  readonly isShuttingDown: () => boolean;
  readonly pressures: () => Facts["pressures"];
  /** The node's addresses, primary first; empty while unknown. */
  readonly hostIps: () => readonly string[];
}

/** Who has which ids has to be known before a pod that needs some is seen. */
export async function recoverIds(
  ports: GatherPorts,
  uid: PodUid,
  signal: AbortSignal,
): Promise<void> {
  const pod = ports.wanted().podOf(uid);
  if (pod !== undefined && wantsOwnIds(pod)) {
    await ports.userIds.recover(signal);
  }
}

/** Restart counts from log directories: waited for once. */
export async function attemptsOf(
  ports: GatherPorts,
  uid: PodUid,
  observed: ObservedPod,
): Promise<ReadonlyMap<string, number>> {
  const { loggedAttempts: known, status } = ports.pods.get(uid) ?? EMPTY_MEMORY;
  const pod = ports.wanted().podOf(uid);
  if (pod === undefined) return known ?? new Map();
  if (known !== undefined && !hasVanished(status, observed)) return known;
  const logged = await loggedAttempts(ports.files, ports.settings, pod);
  return withoutCutOff(logged, observed);
}

/** What never ran does not count, though it has a log. */
function withoutCutOff(
  logged: ReadonlyMap<string, number>,
  { cutOff = [] }: ObservedPod,
): ReadonlyMap<string, number> {
  const counts = new Map(logged);
  for (const { name, attempt } of cutOff) {
    if (counts.get(name) === attempt + 1) counts.set(name, attempt);
  }
  return counts;
}

/** Some container that was made is no more: its next one counts on. */
function hasVanished(
  status: PodStatusJson | undefined,
  observed: ObservedPod,
): boolean {
  const here = new Set(observed.containers.map(({ name }) => name));
  return allStatusesOf(status).some(({ name, containerID }) =>
    containerID !== undefined && !here.has(name)
  );
}

/** A verdict goes with the instance; why it ended is still to be known. */
function endedByProbe(
  before: PodMemory,
  { containers }: ObservedPod,
  verdicts: Verdicts,
): ReadonlySet<ContainerId> {
  const ids = containers.map(({ id }) => id).filter((id) =>
    before.endedByProbe.has(id) || verdicts.get(id)?.failed !== undefined
  );
  return ids.length === 0 ? EMPTY_MEMORY.endedByProbe : new Set(ids);
}

/**
 * Invariant: waits for nothing, nor does its caller before the plan is
 * remembered; else two pods are let in to the room of one.
 */
export function gather(
  ports: GatherPorts,
  uid: PodUid,
  { observed, attempts, nowMs }: {
    readonly observed: ObservedPod;
    readonly nowMs: number;
    readonly attempts: ReadonlyMap<string, number>;
  },
): Facts {
  // What is asked for anew is given, or not, before anybody hears of it.
  ports.resizes.look(uid);
  const memory = ports.pods.get(uid) ?? EMPTY_MEMORY;
  const wanted = ports.wanted();
  const runtime = ports.health();
  const settings = currentSettings(ports, runtime);
  const wish = wanted.podOf(uid);
  const pod = wish && gatedPod(wish, ports.settings.gates);
  let known: PodMemory = {
    ...memory,
    pod: pod ?? memory.pod,
    status: memory.status ?? wanted.statusOf(uid),
    observed,
    loggedAttempts: attempts,
    endedByProbe: endedByProbe(memory, observed, ports.verdicts()),
  };
  const resize = resizeFacts(ports, { uid, pod, settings }, known);
  known = { ...known, outgrown: resize.outgrown };
  ports.pods.set(uid, known);
  return factsOf(uid, {
    pod,
    // Invariant: no pod is stopped because its manifest cannot be read. A pod
    // that was wanted in this agent's life has one that could be.
    areSourcesReady: wanted.isReady &&
      (memory.pod !== undefined || !wanted.hasUnread),
    memory: known,
    observed,
    ...admission(ports, uid, observed),
    ...needsOfNode(ports, uid),
    resize,
    hostIps: ports.hostIps(),
    images: ports.images.statesOf(uid),
    volumes: ports.volumes.stateOf(uid),
    references: ports.references.statesOf(uid),
    services: ports.services(pod === undefined ? "" : namespaceOf(pod)),
    allocatable: ports.allocatable(),
    verdicts: ports.verdicts(),
    stops: ports.stops.seen(uid, observed),
    loggedAttempts: attempts,
    runtime,
    runtimeClasses: pod?.spec?.runtimeClassName
      ? ports.runtimeClasses()
      : undefined,
    userIds: ports.userIds.rangeOf(uid),
    settings,
    nowMs,
  }, ports.pods);
}

/** What the node is short of, and who has to go for it. */
function needsOfNode(ports: GatherPorts, uid: PodUid) {
  return {
    evicted: ports.evicted(uid),
    preemptions: ports.preemptions.orders,
    shutdown: ports.shutdown(uid),
    isShuttingDown: ports.isShuttingDown(),
    pressures: ports.pressures(),
  };
}

/** What is asked before a pod is let in; afterwards nobody asks again. */
function admission(ports: GatherPorts, uid: PodUid, observed: ObservedPod) {
  const { pods } = ports;
  const { state } = pods.get(uid) ?? EMPTY_MEMORY;
  if (isAdmitted(state, observed)) {
    return { isAdmitted: true, node: undefined, others: [] };
  }
  const others = othersOf(uid, pods, ports.wanted());
  return { isAdmitted: false, node: ports.node(), others };
}
