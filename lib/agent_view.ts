/**
 * What the server and the command line see of the running agent: readers of
 * the cells, put together here.
 */
import type { Reader } from "./base/cell.ts";
import type { KeyedQueue } from "./base/keyed_queue.ts";
import { podNameOf } from "./api/pod.ts";
import type { PodUid } from "./api/id.ts";
import type { Membership } from "./agent_cluster.ts";
import { evictionPlace, evictionViews } from "./agent_eviction.ts";
import { type Stall, stallView } from "./agent_meters.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Probes } from "./agent_probes.ts";
import { shutdownViews } from "./agent_shutdown.ts";
import type { Config } from "./config/load.ts";
import type { EvictionLoop } from "./eviction/run.ts";
import type { Blocker } from "./pod/action.ts";
import type { PodSettings, RuntimeHealth } from "./pod/facts.ts";
import type { CertificateView } from "./identity/types.ts";
import { podLogDirectory } from "./pod/paths.ts";
import { unseenStatus } from "./pod/status.ts";
import { sortedPods } from "./server/find_pod.ts";
import type { AgentView, LoopView, PodView } from "./server/view.ts";
import type { ShutdownLoop } from "./shutdown/run.ts";
import {
  API_SERVER,
  type Desired,
  type ManifestProblem,
} from "./source/types.ts";
import type { Ledger } from "./sync/ledger.ts";
import type { Audit } from "./sync/audit.ts";
import type { PodMemory, PodsReader } from "./sync/store.ts";

/** No pass takes as long by itself. */
const STUCK_MS = 10_000;

export interface ViewParts {
  readonly queue: Pick<KeyedQueue<PodUid>, "runningMs">;
  readonly config: Config;
  readonly settings: PodSettings;
  readonly desiredReader: Reader<Desired>;
  readonly healthReader: Reader<RuntimeHealth>;
  readonly pods: PodsReader;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly probes: Pick<Probes, "viewsOf">;
  readonly membership: Membership | undefined;
  readonly eviction: EvictionLoop;
  readonly keeper: { views(): readonly LoopView[] };
  readonly shutdown: ShutdownLoop;
  readonly iptables: { views(): readonly LoopView[] };
  readonly stallReader: Reader<Stall | undefined>;
  readonly ports: Pick<AgentPorts, "clock">;
}

export function createView(parts: ViewParts, version: string): AgentView {
  return {
    nodeName: parts.config.nodeName,
    version,
    pods: () =>
      sortedPods(
        [...parts.pods].flatMap(([uid, memory]) =>
          podView(parts, uid, memory) ?? []
        ),
      ),
    problems: () =>
      parts.desiredReader.get().problems
        .filter((problem) => !isSilence(problem)),
    runtime: () => parts.healthReader.get(),
    loops: () => [
      auditView(parts),
      stallView(parts.stallReader.get(), parts.ports.clock.nowMs()),
      ...shutdownViews(parts.shutdown, parts.ports.clock.nowMs()),
      ...evictionViews(parts.eviction),
      ...parts.keeper.views(),
      ...parts.iptables.views(),
      ...clusterViews(parts),
    ],
  };
}

function auditView({ audit, config }: ViewParts): LoopView {
  const { lastAtMs, left } = audit;
  const stays = left.map(({ path, reason }) => `${path} stays: ${reason}`);
  return {
    name: "audit",
    detail: "compares the runtime's listings with what is remembered",
    lastAtMs,
    nextAtMs: lastAtMs === undefined
      ? undefined
      : lastAtMs + config.kubelet.syncFrequency,
    ...problemOf(stays.length === 0 ? undefined : stays.join("; ")),
  };
}

function clusterViews({ membership, desiredReader }: ViewParts): LoopView[] {
  if (membership === undefined) return [];
  const { certificates, statuses, node, isOpen } = membership;
  const untimed = { lastAtMs: undefined, nextAtMs: undefined };
  const silence = desiredReader.get().problems.find(isSilence);
  return [
    ...certificates.map((each) => certificateView(each.get())),
    {
      ...untimed,
      name: "node",
      detail: !isOpen.get()
        ? "waits for a kubeconfig that works"
        : node.node.get() === undefined
        ? "registers this node at the API server"
        : "is registered",
      ...problemOf(node.failure.get()),
    },
    {
      ...untimed,
      name: "pods",
      detail: isOpen.get()
        ? "follows the pods of this node at the API server"
        : "waits for a kubeconfig that works",
      ...problemOf(silence?.message),
    },
    {
      ...untimed,
      name: "statuses",
      detail: `${statuses.waitingCount} to be written`,
    },
  ];
}

/** Not of a pod, but of the server itself. */
function isSilence({ location, severity }: ManifestProblem): boolean {
  return location === API_SERVER && severity === "warning";
}

function certificateView(
  { purpose, problem, pending, renewAtMs }: CertificateView,
): LoopView {
  return {
    name: `${purpose} certificate`,
    detail: pending !== undefined
      ? `waits for the answer to request ${pending.request}`
      : problem !== undefined
      ? "is not as it should be"
      : renewAtMs === undefined
      ? "is used as it is"
      : "is renewed in time",
    ...problemOf(problem && `${problem.reason}: ${problem.message}`),
    lastAtMs: undefined,
    nextAtMs: renewAtMs,
  };
}

function problemOf(problem: string | undefined) {
  return problem === undefined ? {} : { problem };
}

/** A call that hangs is not told by anything that was remembered before it. */
function stuck({ queue }: ViewParts, uid: PodUid): readonly Blocker[] {
  const runningMs = queue.runningMs(uid);
  if (runningMs < STUCK_MS) return [];
  const seconds = Math.floor(runningMs / 1000);
  const message = `A call for it has not returned for ${seconds} s; other ` +
    "pods do not wait for it";
  return [{ what: "call", message }];
}

function podView(
  parts: ViewParts,
  uid: PodUid,
  memory: PodMemory,
): PodView | undefined {
  const { status, state, blockers } = memory;
  const wanted = parts.desiredReader.get().pods.get(uid);
  // As it is asked for; what it was given, its status tells.
  const pod = wanted?.pod ?? memory.pod;
  if (memory.pod === undefined || pod === undefined) return undefined;
  const manifest = wanted?.origin.location;
  return {
    uid,
    pod,
    status: status ?? unseenStatus(pod),
    state,
    blockers: [...stuck(parts, uid), ...blockers],
    probes: parts.probes.viewsOf(uid),
    ...evictionPlace(parts.eviction, uid),
    steps: parts.ledger.stepsOf(uid),
    ...manifest === undefined ? {} : { manifest },
    logDirectory: podLogDirectory(parts.settings, podNameOf(pod)),
  };
}
