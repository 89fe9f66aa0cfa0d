/** The wiring of one pod's passes: what they see, and who hears of them. */
import type { PodUid } from "./api/id.ts";
import type { CgroupKeeper } from "./agent_cgroups.ts";
import type { createCells } from "./agent_cells.ts";
import type { Membership } from "./agent_cluster.ts";
import { wakeHeirs } from "./agent_follow.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { ResizeParts } from "./agent_resizes.ts";
import type { createRunners } from "./agent_runners.ts";
import type { EvictionLoop } from "./eviction/run.ts";
import type { PodSettings } from "./pod/facts.ts";
import type { Recorder } from "./port/recorder.ts";
import type { ShutdownLoop } from "./shutdown/run.ts";
import { createApply } from "./sync/apply.ts";
import type { HealthLoop } from "./sync/health.ts";
import { measuredApply } from "./sync/measured_apply.ts";
import type { PodMeter } from "./sync/pod_meter.ts";
import type { Audit, LoopPorts } from "./sync/audit.ts";
import type { UserIds } from "./sync/user_ids.ts";
import { wantedBy } from "./sync/wanted.ts";

export type WorkerParts =
  & ReturnType<typeof createCells>
  & ReturnType<typeof createRunners>
  & ResizeParts
  & {
    readonly ports: AgentPorts;
    readonly settings: PodSettings;
    readonly userIds: UserIds;
    readonly recorder: Recorder;
    readonly membership: Membership | undefined;
    readonly podMeter: PodMeter;
    readonly eviction: Pick<EvictionLoop, "seen">;
    readonly shutdown: Pick<ShutdownLoop, "seen">;
    readonly healthLoop: HealthLoop;
    readonly loopPorts: LoopPorts;
    readonly audit: Audit;
  };

/** Who is told when a pod has been looked at, and when it is gone. */
function listeners(
  parts: WorkerParts,
  cgroups: Pick<CgroupKeeper, "wake">,
) {
  const { membership } = parts;
  return {
    projected: (uid: PodUid) => {
      cgroups.wake();
      parts.eviction.seen(uid);
      parts.shutdown.seen(uid);
      parts.podMeter.projected(uid);
      parts.resizes.projected(uid);
      parts.probes.watch(uid);
      membership?.statuses.wake(uid);
    },
    forgotten: (uid: PodUid) => {
      parts.eviction.seen(uid);
      parts.shutdown.seen(uid);
      const again = parts.desiredReader.get().pods.get(uid)?.pod;
      parts.podMeter.forget(uid, again);
      parts.ledger.forget(uid);
      parts.probes.forget(uid);
      membership?.forgotten(uid);
      wakeHeirs(parts, uid);
    },
  };
}

export function workerPorts(
  parts: WorkerParts,
  cgroups: Pick<CgroupKeeper, "wake">,
) {
  const { ports, pods, desiredReader, recorder, membership } = parts;
  const { references, allocations, resizes } = parts;
  return {
    ...ports,
    ...parts.ends,
    recorder,
    images: parts.imageRunner,
    volumes: parts.volumes,
    references: references.runner,
    services: references.servicesOf,
    allocatable: parts.allocatable,
    apply: measuredApply(
      { ...ports, podOf: (uid) => pods.get(uid)?.pod },
      createApply({
        ...ports,
        ...parts.ends,
        images: parts.imageRunner,
        volumes: parts.volumes,
        references: references.runner,
        userIds: parts.userIds,
        allocations,
        recorder,
        parallelWork: Math.max(4, 2 * ports.host.cpuCount()),
      }),
    ),
    verdicts: () => parts.probes.verdicts,
    settings: parts.settings,
    userIds: parts.userIds,
    allocations,
    resizes,
    // Not told yet is not none: the pod waits for them.
    runtimeClasses: () => membership ? membership.runtimeClasses() : new Map(),
    pods,
    wanted: () => wantedBy(desiredReader, allocations),
    health: () => parts.healthReader.get(),
    isListed: () => parts.audit.isListed,
    hasListed: () => parts.audit.lastAtMs !== undefined,
    suspect: () => parts.healthLoop.suspect(),
    node: () => membership?.admissionNode(),
    hostIps: () => membership?.hostIps() ?? [],
    evicted: (uid: PodUid) => parts.evictionsReader.get().get(uid),
    shutdown: (uid: PodUid) => parts.shutdownsReader.get().get(uid),
    isShuttingDown: () => parts.shuttingDownReader.get(),
    pressures: () => parts.pressureReader.get(),
    ...listeners(parts, cgroups),
  };
}
