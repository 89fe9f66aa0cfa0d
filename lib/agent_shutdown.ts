/**
 * The wiring of the graceful shutdown: which pods go, when one is gone, and
 * what is told of it.
 */
import { type Reader, until, type Writer } from "./base/cell.ts";
import type { KeyedQueue } from "./base/keyed_queue.ts";
import type { PodUid } from "./api/id.ts";
import { isStatic } from "./api/pod.ts";
import type { V1Pod } from "./api/types.ts";
import type { Membership } from "./agent_cluster.ts";
import { activePods, isCleanedUp, NOBODY } from "./agent_eviction.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { isTerminal } from "./pod/phase.ts";
import type { LoopView } from "./server/view.ts";
import { clockTime } from "./server/times.ts";
import { shutdownGroups } from "./shutdown/plan.ts";
import { ShutdownLoop } from "./shutdown/run.ts";
import type { ShutdownOrders, ShutdownStage } from "./shutdown/types.ts";
import type { Desired } from "./source/types.ts";
import type { PodsReader } from "./sync/store.ts";

export interface ShutdownParts {
  readonly config: Config;
  readonly ports: AgentPorts;
  readonly pods: PodsReader;
  readonly desiredReader: Reader<Desired>;
  readonly queue: KeyedQueue<PodUid>;
  readonly membership: Membership | undefined;
  readonly volumes: { isLetGo(uid: PodUid): boolean };
  readonly shutdowns: Writer<ShutdownOrders>;
  readonly shuttingDown: Writer<boolean>;
}

export function createShutdown(parts: ShutdownParts): ShutdownLoop {
  const { config, ports, pods, desiredReader, queue, membership } = parts;
  const { kubelet, features, paths } = config;
  return new ShutdownLoop({
    ...ports,
    orders: parts.shutdowns,
    isShuttingDown: parts.shuttingDown,
    known: (signal) => until(desiredReader, ({ isReady }) => isReady, signal),
    pods: () => [...activePods(pods), ...unseenPods(parts)],
    isCleanedUp: (uid) =>
      isCleanedUp(parts, uid) &&
      (pods.has(uid) || !desiredReader.get().pods.has(uid)),
    isForgotten: (uid) => !pods.has(uid),
    isStatic: (uid) => {
      const pod = desiredReader.get().pods.get(uid)?.pod;
      return pod !== undefined && isStatic(pod);
    },
    interrupt: (uid) => queue.interrupt(uid),
    nodeRecorder: membership?.nodeRecorder ?? NOBODY,
    told: async (uids, signal) => {
      await membership?.statuses.settled(uids, signal);
    },
  }, {
    groups: shutdownGroups(kubelet, features),
    statePath: `${paths.rootDir}/graceful_node_shutdown_state`,
    keepsTimes: features.GracefulNodeShutdownBasedOnPodPriority === true,
  });
}

/** Wanted and not ended, but nobody has looked at them yet. */
function unseenPods({ pods, desiredReader }: ShutdownParts): readonly V1Pod[] {
  return [...desiredReader.get().pods].flatMap(([uid, { pod }]) =>
    pods.get(uid)?.pod === undefined && !isTerminal(pod.status?.phase)
      ? [pod]
      : []
  );
}

/** One line where pods get time at a shutdown; none where they do not. */
export function shutdownViews(
  loop: Pick<ShutdownLoop, "view">,
  nowMs: number,
): LoopView[] {
  const { groups, stage, delayMs, problem } = loop.view();
  if (groups.length === 0) return [];
  const times = groups
    .map(({ priority, seconds }) => `${seconds} s from priority ${priority} on`)
    .join(", ");
  const isUp = stage.kind === "up";
  const waits = delayMs === undefined
    ? "only PID 1 can tell, as the agent ends"
    : `logind waits up to ${delayMs / 1000} s for them`;
  const words = isUp ? problem : stageText(stage, nowMs);
  return [{
    name: "shutdown",
    detail: `pods get ${times}; ${waits}`,
    ...words === undefined ? {} : { problem: words },
    lastAtMs: undefined,
    nextAtMs: undefined,
  }];
}

function stageText(
  stage: Exclude<ShutdownStage, { kind: "up" }>,
  nowMs: number,
): string {
  const down = "the machine goes down";
  switch (stage.kind) {
    case "ending-pods":
      return `${down}: waits for ${stage.left} of the pods from priority ` +
        `${stage.priority} on until ${clockTime(stage.untilMs, nowMs)}`;
    case "telling":
      return `${down}: tells the API server of the pods that have ended`;
    case "done":
      return `${down}: pods have ended, nothing is in its way`;
  }
}
