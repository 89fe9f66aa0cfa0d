/**
 * Counts what happens to pods from one pass to the next: how long they take to
 * start, which containers ended, which pods were refused. Told by the wiring;
 * remembers of each pod only what it has counted already.
 */
import type { Clock } from "../base/clock.ts";
import type { ContainerId, PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import { allContainersOf, isStatic, usesHostNetwork } from "../api/pod.ts";
import type { Step } from "../api/step.ts";
import type { ContainerStatusJson, PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { Recorder } from "../port/recorder.ts";
import { admissionReason } from "./admission_reason.ts";
import { typeIn } from "./measured_apply.ts";
import type { PodMemory, PodsReader } from "./store.ts";

interface Counted {
  readonly seenMs: number;
  /** The same by the clock that containers' ends are dated by. */
  readonly seenAtMs: number;
  hasBegun: boolean;
  /** It was not running yet when it was first seen. */
  isNew: boolean;
  hasStarted: boolean;
  hasReported: boolean;
  isRefused: boolean;
  isOrphan: boolean;
  /** Ends that were counted, of instances that are still there. */
  ended: ReadonlySet<ContainerId>;
  /** Containers whose image is being pulled. */
  readonly pulling: Set<string>;
  pullingSinceMs: number;
  pulledMs: number;
}

export interface PodMeterPorts {
  readonly clock: Clock;
  readonly meters: Meters;
  readonly pods: PodsReader;
}

export class PodMeter {
  readonly #ports: PodMeterPorts;
  /** Compat: the first one tells of the network's start, others do not. */
  #hasNetworkPod = false;
  readonly #counted = new Map<PodUid, Counted>();

  constructor(ports: PodMeterPorts) {
    this.#ports = ports;
    // Compat: both are there from the start.
    for (const origin of ["", "true"]) {
      ports.meters.restartedPods.add({ static: origin }, 0);
    }
  }

  /** A source has named it, or it was found. */
  seen(uid: PodUid, pod: V1Pod | undefined): void {
    if (this.#counted.has(uid)) return;
    this.#of(uid);
    if (pod === undefined) return;
    const count = allContainersOf(pod).length;
    this.#ports.meters.containersPerPod.observe({}, count);
  }

  /** `again`: it is wanted anew already, under the same uid. */
  forget(uid: PodUid, again: V1Pod | undefined): void {
    this.#counted.delete(uid);
    if (again === undefined) return;
    const origin = isStatic(again) ? "true" : "";
    this.#ports.meters.restartedPods.add({ static: origin });
  }

  keepOnly(isKept: (uid: PodUid) => boolean): void {
    for (const uid of this.#counted.keys()) {
      if (!isKept(uid)) this.#counted.delete(uid);
    }
  }

  /** One pass of a pod. */
  pass<T>(uid: PodUid, work: () => Promise<T>): Promise<T> {
    const { clock, meters, pods } = this.#ports;
    const counted = this.#of(uid);
    const startedMs = clock.monotonicMs();
    if (!counted.hasBegun) {
      counted.hasBegun = true;
      const waitedMs = startedMs - counted.seenMs;
      meters.passBegins.observe({}, waitedMs / 1000);
    }
    const operation_type = operationOf(pods.get(uid));
    const over = () => {
      const tookMs = clock.monotonicMs() - startedMs;
      meters.passSeconds.observe({ operation_type }, tookMs / 1000);
    };
    const done = work();
    done.then(over, over);
    return done;
  }

  /** Its memory is another now. */
  projected(uid: PodUid): void {
    const memory = this.#ports.pods.get(uid);
    if (memory === undefined) return;
    const counted = this.#of(uid);
    this.#ended(counted, memory);
    this.#refused(counted, memory);
    // Until every source was heard, anybody may still want it.
    const isOrphan = memory.pod === undefined &&
      memory.state.kind === "stopping";
    if (isOrphan && !counted.isOrphan) this.#ports.meters.orphanedPods.add({});
    counted.isOrphan ||= isOrphan;
    const phase = memory.status?.phase;
    if (phase === "Pending") counted.isNew = true;
    if (phase !== "Running" || !counted.isNew || counted.hasStarted) return;
    counted.hasStarted = true;
    const tookMs = this.#ports.clock.monotonicMs() - counted.seenMs;
    this.#ports.meters.podStart.observe({}, tookMs / 1000);
  }

  /** The server has taken a status that had changed `sinceMs` ago. */
  written(uid: PodUid, sinceMs: number): void {
    const { meters, pods } = this.#ports;
    meters.statusSync.observe({}, sinceMs / 1000);
    const { pod, status } = pods.get(uid) ?? {};
    const counted = this.#counted.get(uid);
    if (counted?.hasStarted !== true || counted.hasReported) return;
    if (pod === undefined || !haveAllStarted(status)) return;
    counted.hasReported = true;
    this.#started(counted, pod, status);
  }

  /** Listens to what is told of pods, and passes it on. */
  listening(recorder: Recorder): Recorder {
    return {
      record: (uid, step) => {
        this.#heard(uid, step);
        recorder.record(uid, step);
      },
    };
  }

  #of(uid: PodUid): Counted {
    const known = this.#counted.get(uid);
    if (known !== undefined) return known;
    const fresh: Counted = {
      seenMs: this.#ports.clock.monotonicMs(),
      seenAtMs: this.#ports.clock.nowMs(),
      hasBegun: false,
      isNew: false,
      hasStarted: false,
      hasReported: false,
      isRefused: false,
      isOrphan: false,
      ended: new Set(),
      pulling: new Set(),
      pullingSinceMs: 0,
      pulledMs: 0,
    };
    this.#counted.set(uid, fresh);
    return fresh;
  }

  /** Short ones are never seen running; those of an earlier agent are not ours. */
  #ended(counted: Counted, { observed, pod }: PodMemory): void {
    const ended = new Set<ContainerId>();
    for (const each of observed.containers) {
      const { id, name, state, exitCode, reason, finishedAtMs } = each;
      if (state !== "exited") continue;
      ended.add(id);
      if (counted.ended.has(id) || finishedAtMs < counted.seenAtMs) continue;
      this.#ports.meters.terminatedContainers.add({
        container_type: typeIn(pod, name),
        exit_code: String(exitCode),
        reason,
      });
    }
    counted.ended = ended;
  }

  #refused(counted: Counted, { state }: PodMemory): void {
    if (counted.isRefused || state.kind !== "done") return;
    if (state.refusal === undefined) return;
    counted.isRefused = true;
    const reason = admissionReason(state.refusal.reason);
    this.#ports.meters.admissionRejections.add({ reason });
  }

  /** Compat: kubelet 1.36 ObservedPodOnWatch. */
  #started(
    { pulledMs }: Counted,
    pod: V1Pod,
    status: PodStatusJson | undefined,
  ): void {
    const { clock, meters } = this.#ports;
    const createdMs = Date.parse(`${pod.metadata?.creationTimestamp ?? ""}`);
    if (Number.isNaN(createdMs)) return;
    const totalMs = Math.max(clock.nowMs() - createdMs, 0);
    meters.podStartTotal.observe({}, totalMs / 1000);
    if (isStateful(pod)) return;
    const initMs = (status?.initContainerStatuses ?? [])
      .reduce((sum, each) => sum + ranMs(each), 0);
    const ownMs = Math.max(totalMs - pulledMs - initMs, 0);
    meters.podStartSli.observe({}, ownMs / 1000);
    if (this.#hasNetworkPod || usesHostNetwork(pod)) return;
    this.#hasNetworkPod = true;
    meters.firstNetworkPod.set({}, ownMs / 1000);
  }

  #heard(uid: PodUid, { reason, container = "" }: Step): void {
    const counted = this.#counted.get(uid);
    if (counted === undefined) return;
    const { pulling } = counted;
    const nowMs = this.#ports.clock.monotonicMs();
    if (reason === "Pulling") {
      if (pulling.size === 0) counted.pullingSinceMs = nowMs;
      pulling.add(container);
    } else if (
      (reason === "Pulled" || reason === "Failed") &&
      pulling.delete(container) && pulling.size === 0
    ) counted.pulledMs += nowMs - counted.pullingSinceMs;
  }
}

function operationOf(memory: PodMemory | undefined): string {
  if (memory === undefined) return "create";
  const { state, observed } = memory;
  if (state.kind === "running") return "sync";
  if (state.kind !== "waiting") return "kill";
  return observed.sandboxes.length === 0 ? "create" : "sync";
}

/** Compat: kubelet 1.36 hasPodStartedSLO. */
function haveAllStarted(status: PodStatusJson | undefined): boolean {
  return status !== undefined &&
    status.containerStatuses.every(({ state }) => state.running !== undefined);
}

function ranMs({ state }: ContainerStatusJson): number {
  const { startedAt, finishedAt } = state.terminated ?? {};
  const ms = Date.parse(`${finishedAt}`) - Date.parse(`${startedAt}`);
  return ms > 0 ? ms : 0;
}

/** Compat: kubelet 1.36 isStatefulPod. */
function isStateful(pod: V1Pod): boolean {
  return (pod.spec?.volumes ?? []).some((volume) =>
    (volume.secret ?? volume.configMap ?? volume.downwardAPI ??
      volume.emptyDir ?? volume.projected) === undefined
  );
}
