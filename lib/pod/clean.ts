/**
 * Taking away what a pod leaves behind: everything when it is not wanted any
 * more, the surplus while it runs.
 * Compat: kubelet 1.36 container and sandbox garbage collection; one dead
 * instance of a container stays, for its log and its delay.
 */
import type { Action, Blocker } from "./action.ts";
import {
  type Facts,
  isGone,
  type ObservedContainer,
  type ObservedPod,
} from "./facts.ts";
import { POD_NAME, POD_NAMESPACE } from "./labels.ts";
import {
  containerLogFile,
  logLink,
  logLinkPrefix,
  podCgroups,
  podDirectory,
  podLogDirectory,
  type PodName,
} from "./paths.ts";

export interface Cleaning {
  readonly actions: readonly Action[];
  readonly wakeAtMs?: number;
  readonly blockers: readonly Blocker[];
}

/** Stops and removes every sandbox, then files, logs, links and cgroup. */
export function clean(facts: Facts, nowMs: number): Cleaning {
  const failure = facts.failures.get("remove");
  if (failure !== undefined && failure.retryAtMs > nowMs) {
    const { reason, message, count, retryAtMs } = failure;
    return {
      actions: [],
      wakeAtMs: retryAtMs,
      blockers: [{ what: reason, message, count, untilMs: retryAtMs }],
    };
  }
  if (isGone(facts.observed)) return { actions: [], blockers: [] };
  return {
    actions: [
      ...facts.observed.sandboxes.flatMap(({ id, isReady }): Action[] => [
        ...isReady ? [{ kind: "stop-sandbox", id } as const] : [],
        { kind: "remove-sandbox", id },
      ]),
      ...orphans(facts.observed).map((c) => removal(facts, c)),
      ...filesOf(facts),
    ],
    blockers: [{ what: "cleaning", message: "Removing the pod's sandbox" }],
  };
}

/** Dead instances beyond the newest of each, and empty older sandboxes. */
export function surplus(facts: Facts): Action[] {
  const { containers, sandboxes } = facts.observed;
  const newestDead = new Set<string>();
  const removable = containers.filter((container) => {
    if (container.state !== "exited") return false;
    if (newestDead.has(container.name)) return true;
    newestDead.add(container.name);
    return false;
  });
  const kept = containers.filter((container) => !removable.includes(container));
  const empty = sandboxes.slice(1).filter(({ id, isReady }) =>
    !isReady && kept.every((container) => container.sandboxId !== id)
  );
  return [
    ...removable.map((container) => removal(facts, container)),
    ...empty.map(({ id }): Action => ({ kind: "remove-sandbox", id })),
  ];
}

/** Containers whose sandbox the runtime has lost. */
function orphans(observed: ObservedPod): readonly ObservedContainer[] {
  const known = new Set(observed.sandboxes.map(({ id }) => id));
  return observed.containers.filter((c) => !known.has(c.sandboxId));
}

function removal(facts: Facts, container: ObservedContainer): Action {
  const pod = podName(facts);
  const { settings } = facts;
  const { id, name, attempt } = container;
  const directory = podLogDirectory(settings, pod);
  return {
    kind: "remove-container",
    id,
    name,
    logFile: `${directory}/${containerLogFile(name, attempt)}`,
    logLink: logLink(logLinkPrefix(settings, pod, name), id),
  };
}

function filesOf(facts: Facts): Action[] {
  const { settings, observed } = facts;
  const pod = podName(facts);
  return [
    {
      kind: "remove-pod-files",
      trees: [
        podDirectory(settings, facts.uid),
        podLogDirectory(settings, pod),
      ],
      links: observed.containers.map(({ id, name }) =>
        logLink(logLinkPrefix(settings, pod, name), id)
      ),
    },
    ...podCgroups(settings, facts.uid)
      .map((path) => ({ kind: "remove-cgroup", path }) as const),
  ];
}

/** The pod may be unknown by now; its sandbox carries its name. */
function podName(facts: Facts): PodName {
  const labels = facts.observed.sandboxes[0]?.labels ??
    facts.observed.containers[0]?.labels ?? new Map<string, string>();
  return {
    name: labels.get(POD_NAME) ?? "",
    namespace: labels.get(POD_NAMESPACE) ?? "",
    uid: facts.uid,
  };
}
