/**
 * Is the pod's sandbox usable, and what is done when it is not?
 * Compat: kubelet 1.36 PodSandboxChanged and the first half of
 * computePodActions.
 */
import {
  containersOf,
  initContainersOf,
  podNameOf,
  restartPolicyOf,
  usesHostNetwork,
} from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { Action, Blocker } from "./action.ts";
import { purge } from "./clean.ts";
import { ensureImage } from "./container_start.ts";
import { dnsWarnings } from "./dns.ts";
import type { Plan } from "./plan.ts";
import {
  currentSandbox,
  type Facts,
  instancesOf,
  type PodSettings,
} from "./facts.ts";
import { hasFailedInit } from "./init.ts";
import { podDirectories } from "./paths.ts";
import { podCgroup } from "./pod_cgroup.ts";
import { mayRestart } from "./restart.ts";
import {
  sandboxSpec,
  type SandboxSpecResult,
  specBlocker,
} from "./sandbox_spec.ts";
import { mayStillRun, specGrace, stopContainers } from "./stop.ts";
import { askForVolumes } from "./volumes.ts";

/** True when the newest sandbox is the only one and can take containers. */
export function sandboxIsUsable(facts: Facts, pod: V1Pod): boolean {
  const { sandboxes } = facts.observed;
  const newest = sandboxes[0];
  if (newest === undefined || !newest.isReady) return false;
  if (sandboxes.filter((sandbox) => sandbox.isReady).length > 1) return false;
  const isHostNetwork = usesHostNetwork(pod);
  if ((newest.network === "node") !== isHostNetwork) return false;
  return isHostNetwork || newest.ips.length > 0;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;

export function planSandbox(facts: Facts, pod: V1Pod, nowMs: number): Plan {
  const old = currentSandbox(facts.observed);
  const toStart = containersToStart(facts, pod);
  const hasRun = facts.observed.containers.length > 0 || facts.lost.size > 0;
  if (
    hasRun &&
    (toStart.length === 0 || isOnce(pod) || hasFailedInit(facts, pod))
  ) {
    return finished(facts, pod);
  }
  const blocker = sandboxBlocker(facts, pod, nowMs);
  if (blocker !== undefined) return waitFor(blocker, facts);
  const running = facts.observed.containers.filter(mayStillRun);
  const attempt = old === undefined ? 0 : old.attempt + 1;
  const wanted = sandboxSpec(facts, pod, attempt);
  if (wanted.kind === "wait" && wanted.for === "runtime-class") {
    return waitFor(specBlocker(wanted), facts);
  }
  const actions: Action[] = [
    ...makeCgroup(facts.settings, pod),
    {
      kind: "make-pod-files",
      directories: podDirectories(facts.settings, podNameOf(pod)),
      files: [],
    },
    ...askForVolumes(facts, pod, nowMs),
    ...wanted.kind !== "ok" ? [] : firstOnes(pod, toStart)
      .filter(({ name, image }) => facts.images.get(name)?.image !== image)
      .map((each) => ensureImage(each, wanted.spec)),
    ...old === undefined ? [] : [CHANGED],
    ...stopContainers(running, specGrace(pod)),
    // Also one that is not ready: its network may still be set up.
    ...facts.observed.sandboxes
      .map(({ id }) => ({ kind: "stop-sandbox", id }) as const),
    ...purge(facts, pod),
    ...lastStep(facts, pod, wanted),
  ];
  return {
    next: { kind: "waiting", for: "sandbox" },
    actions,
    blockers: [{ what: "sandbox", message: "Creating the pod's sandbox" }],
    waiting: new Map(),
  };
}

/** None of its own where the agent keeps no cgroups. */
function makeCgroup(settings: PodSettings, pod: V1Pod): Action[] {
  const cgroup = podCgroup(settings, pod);
  const given = settings.gates.mayResizePods ? pod.spec?.resources : undefined;
  return cgroup === undefined
    ? []
    : [{ kind: "make-cgroup", ...cgroup, ...given ? { given } : {} }];
}

/** The sandbox, or what has to come before it in a round of its own. */
function lastStep(
  { settings }: Facts,
  pod: V1Pod,
  wanted: SandboxSpecResult,
): Action[] {
  switch (wanted.kind) {
    case "wait":
      return [{ kind: "allocate-user-ids" }];
    case "refused":
      return [{ kind: "refuse-sandbox", message: wanted.message }];
    case "ok":
      return [
        ...dnsWarnings(settings, pod).map((warning): Action => ({
          kind: "note",
          type: "Warning",
          ...warning,
        })),
        { kind: "run-sandbox", spec: wanted.spec },
      ];
  }
}

const CHANGED: Action = {
  kind: "note",
  type: "Normal",
  reason: "SandboxChanged",
  message: "Pod sandbox changed, it will be killed and re-created.",
};

function isOnce(pod: V1Pod): boolean {
  return containersOf(pod).every((c) => restartPolicyOf(pod, c) === "Never");
}

/** Whose images are needed as soon as there is a sandbox. */
function firstOnes(
  pod: V1Pod,
  toStart: readonly V1Container[],
): readonly V1Container[] {
  const [first] = initContainersOf(pod);
  return first === undefined ? toStart : [first];
}

/** Regular containers that a new sandbox would run: all but those done for good. */
function containersToStart(facts: Facts, pod: V1Pod): V1Container[] {
  return containersOf(pod).filter((container) => {
    const instance = instancesOf(facts.observed, container.name)[0];
    if (instance === undefined) return !facts.lost.has(container.name);
    if (instance.state !== "exited") return true;
    return mayRestart(pod, container, instance.exitCode);
  });
}

function sandboxBlocker(
  facts: Facts,
  pod: V1Pod,
  nowMs: number,
): Blocker | undefined {
  const { runtime } = facts;
  if (!runtime.isReady) return { what: "runtime", message: runtime.message };
  if (!runtime.isNetworkReady && !usesHostNetwork(pod)) {
    return { what: "network", message: runtime.message };
  }
  const failure = facts.failures.get("sandbox");
  if (failure === undefined || failure.retryAtMs <= nowMs) {
    return shortLivedBlocker(facts, nowMs);
  }
  return {
    what: failure.reason,
    message: failure.message,
    untilMs: failure.retryAtMs,
    count: failure.count,
  };
}

/**
 * A sandbox that dies again and again is made anew ever more slowly: counted
 * from its creation, so one that lived long is replaced at once.
 */
function shortLivedBlocker(facts: Facts, nowMs: number): Blocker | undefined {
  const last = currentSandbox(facts.observed);
  if (last === undefined || last.attempt === 0) return undefined;
  const delayMs = FIRST_DELAY_MS * 2 ** Math.min(last.attempt - 1, 30);
  const untilMs = last.createdAtMs + Math.min(delayMs, LONGEST_DELAY_MS);
  if (untilMs <= nowMs) return undefined;
  return {
    what: "sandbox",
    message: "The pod's sandbox ended soon after it was made",
    untilMs,
    count: last.attempt + 1,
  };
}

function waitFor(blocker: Blocker, facts: Facts): Plan {
  const reason = blocker.what === "runtime" || blocker.what === "network"
    ? blocker.what
    : "sandbox";
  return {
    next: facts.state.kind === "done"
      ? facts.state
      : { kind: "waiting", for: reason },
    actions: isNewlyOffline(blocker, facts)
      ? [{
        kind: "note",
        type: "Warning",
        reason: "NetworkNotReady",
        message: `network is not ready: ${blocker.message}`,
      }]
      : [],
    ...blocker.untilMs === undefined ? {} : { wakeAtMs: blocker.untilMs },
    blockers: [blocker],
    waiting: new Map(),
  };
}

/** Compat: kubelet 1.36 SyncPod says it at each try; here it is said once. */
function isNewlyOffline({ what }: Blocker, { state }: Facts): boolean {
  const isWaiting = state.kind === "waiting" && state.for === "network";
  return what === "network" && !isWaiting && state.kind !== "done";
}

/** Every container ended for good: stop what is left, keep it for its logs. */
function finished(facts: Facts, pod: V1Pod): Plan {
  const isDone = facts.state.kind === "done";
  const { containers, sandboxes } = facts.observed;
  return {
    next: { kind: "done" },
    actions: [
      ...stopContainers(containers.filter(mayStillRun), specGrace(pod)),
      ...sandboxes.filter((sandbox) => sandbox.isReady || !isDone)
        .map(({ id }) => ({ kind: "stop-sandbox", id }) as const),
    ],
    blockers: [],
    waiting: new Map(),
  };
}
