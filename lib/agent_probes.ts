/**
 * The wiring of probes: who asks them, what they are told of pods, and the
 * metrics they count.
 */
import { createMetrics, type Metrics } from "./base/metrics.ts";
import type { PodUid } from "./api/id.ts";
import { isDeleted } from "./api/pod.ts";
import { allStatusesOf, type ContainerStatusJson } from "./api/status.ts";
import type { AgentPorts } from "./agent_ports.ts";
import { expandAll } from "./pod/env.ts";
import type { ObservedContainer } from "./pod/facts.ts";
import type { Recorder } from "./port/recorder.ts";
import { ProbeRunner } from "./probe/run.ts";
import { Teller } from "./probe/tell.ts";
import type { ProbedInstance, ProbedPod } from "./probe/watched.ts";
import type { PodMemory, PodsReader } from "./sync/store.ts";

export interface Probes
  extends Pick<ProbeRunner, "run" | "forget" | "verdicts" | "viewsOf"> {
  /** Apart from the agent's other metrics, as upstream. */
  readonly metrics: Metrics;
  /** The pod's memory may be another. */
  watch(uid: PodUid): void;
}

export function createProbes(
  ports: AgentPorts,
  inside: {
    readonly recorder: Recorder;
    readonly pods: PodsReader;
    readonly hint: (uid: PodUid, isNews: () => boolean) => void;
  },
): Probes {
  const { recorder, pods, hint } = inside;
  const metrics = createMetrics();
  const runner = new ProbeRunner({
    ...ports,
    random: ports.cluster.random,
    teller: new Teller(recorder, {
      lateness: ports.meters.probeLateness,
      probes: metrics,
    }),
    expand: (words, env) => expandAll(words, env),
    hint,
  });
  return {
    metrics,
    verdicts: runner.verdicts,
    run: (signal) => runner.run(signal),
    forget: (uid) => runner.forget(uid),
    viewsOf: (uid) => runner.viewsOf(uid),
    watch(uid) {
      const seen = probedPod(uid, pods.get(uid));
      if (seen !== undefined) runner.watch(seen);
    },
  };
}

/** A pod as the probe runner is told of it. */
export function probedPod(
  uid: PodUid,
  memory: PodMemory | undefined,
): ProbedPod | undefined {
  if (memory?.pod === undefined) return undefined;
  const { pod, status, state, observed } = memory;
  const told = new Map<string, ContainerStatusJson>();
  for (const each of allStatusesOf(status)) told.set(each.name, each);
  const instances = new Map<string, ProbedInstance>();
  for (const container of observed.containers) {
    if (instances.has(container.name)) continue;
    const before = told.get(container.name);
    instances.set(container.name, instanceOf(container, before));
  }
  const isRunning = state.kind === "waiting" || state.kind === "running";
  return {
    uid,
    pod,
    podIp: status?.podIP ?? "",
    isStopping: !isRunning || isDeleted(pod),
    instances,
  };
}

function instanceOf(
  { id, state, startedAtMs }: ObservedContainer,
  before: ContainerStatusJson | undefined,
): ProbedInstance {
  const isSame = before?.containerID?.endsWith(`://${id}`) === true;
  return {
    id,
    isRunning: state === "running",
    startedAtMs,
    told: isSame
      ? { isStarted: before.started === true, isReady: before.ready }
      : undefined,
  };
}
