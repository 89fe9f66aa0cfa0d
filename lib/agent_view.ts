/**
 * What the server and the command line see of the running agent: readers of
 * the cells, put together here.
 */
import type { Reader } from "./base/cell.ts";
import { podNameOf } from "./api/pod.ts";
import type { PodUid } from "./api/id.ts";
import type { Membership } from "./agent_cluster.ts";
import { evictionPlace, evictionViews } from "./agent_eviction.ts";
import type { Probes } from "./agent_probes.ts";
import type { Config } from "./config/load.ts";
import type { EvictionLoop } from "./eviction/run.ts";
import type { PodSettings, RuntimeHealth } from "./pod/facts.ts";
import type { CertificateView } from "./identity/types.ts";
import { podLogDirectory } from "./pod/paths.ts";
import { unseenStatus } from "./pod/status.ts";
import { sortedPods } from "./server/find_pod.ts";
import type { AgentView, LoopView, PodView } from "./server/view.ts";
import {
  API_SERVER,
  type Desired,
  type ManifestProblem,
} from "./source/types.ts";
import type { Ledger } from "./sync/ledger.ts";
import type { Audit } from "./sync/run.ts";
import type { PodMemory, PodsReader } from "./sync/store.ts";

export interface ViewParts {
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
      ...evictionViews(parts.eviction),
      ...parts.keeper.views(),
      ...clusterViews(parts),
    ],
  };
}

function auditView({ audit, config }: ViewParts): LoopView {
  const { lastAtMs } = audit;
  return {
    name: "audit",
    detail: "compares the runtime's listings with what is remembered",
    lastAtMs,
    nextAtMs: lastAtMs === undefined
      ? undefined
      : lastAtMs + config.kubelet.syncFrequency,
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
    blockers,
    probes: parts.probes.viewsOf(uid),
    ...evictionPlace(parts.eviction, uid),
    steps: parts.ledger.stepsOf(uid),
    ...manifest === undefined ? {} : { manifest },
    logDirectory: podLogDirectory(parts.settings, podNameOf(pod)),
  };
}
