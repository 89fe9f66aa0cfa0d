/**
 * Taking away what a pod leaves behind: everything when it is not wanted any
 * more, the surplus while it runs.
 * Compat: kubelet 1.36 container and sandbox garbage collection; one dead
 * instance of a container stays at least, for its log and its delay.
 */
import { initContainersOf, type PodName } from "../api/pod.ts";
import { podUid } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import type { Action, Blocker } from "./action.ts";
import { keptAtOnce } from "./dead_limits.ts";
import {
  type Facts,
  isGone,
  type ObservedContainer,
  type ObservedPod,
} from "./facts.ts";
import {
  containerLogFile,
  logLink,
  logLinkPrefix,
  podCgroups,
  podDirectory,
  podLogDirectory,
} from "./paths.ts";

/** Containers always carry their pod's name; this is for the type only. */
const UNNAMED: PodName = { namespace: "", name: "", uid: podUid("") };

export interface Cleaning {
  readonly actions: readonly Action[];
  readonly blockers: readonly Blocker[];
}

/** Stops and removes every sandbox, then files, logs, links and cgroup. */
export function clean(facts: Facts): Cleaning {
  const { observed, failures } = facts;
  const isLeft = !isGone(observed) || failures.has("remove");
  if (!isLeft) return { actions: [], blockers: [] };
  // The sandbox goes last: while it is there, a removal that failed, or an
  // agent that died, is followed by another try, and it carries the name.
  return {
    actions: [
      ...observed.sandboxes.map(({ id }) =>
        ({ kind: "stop-sandbox", id }) as const
      ),
      ...filesOf(facts),
      ...orphans(observed).map((c) => removal(facts, c)),
      ...observed.sandboxes.map(({ id }) =>
        ({ kind: "remove-sandbox", id }) as const
      ),
    ],
    blockers: [{ what: "cleaning", message: "Removing the pod's sandbox" }],
  };
}

/** Dead instances beyond those that stay of each, and empty older sandboxes. */
export function surplus(facts: Facts): Action[] {
  const { containers, sandboxes } = facts.observed;
  const dead = new Map<string, number>();
  const seen = new Set<string>();
  const removable = containers.filter((container) => {
    const isNewest = !seen.has(container.name);
    seen.add(container.name);
    if (container.state === "created") return !isNewest;
    if (container.state !== "exited") return false;
    const count = (dead.get(container.name) ?? 0) + 1;
    dead.set(container.name, count);
    return count > keptDead(facts, container.name);
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

/** After a probe's kill the end before it says whether the start must wait. */
function keptDead(
  { observed, endedByProbe, settings }: Facts,
  name: string,
): number {
  const newest = observed.containers.find((each) => each.name === name);
  const kept = keptAtOnce(settings.deadLimits);
  return newest?.state === "exited" && endedByProbe.has(newest.id)
    ? Math.max(2, kept)
    : kept;
}

/**
 * The surplus before a new sandbox, and every init container: all of them run
 * again. Their logs stay, by which their restarts are counted on.
 * Compat: kubelet 1.36 purgeInitContainers, which counts on the first alone.
 */
export function purge(facts: Facts, pod: V1Pod): Action[] {
  const names = new Set(initContainersOf(pod).map(({ name }) => name));
  const { containers } = facts.observed;
  const purged = containers.filter(({ name }) => names.has(name));
  const ids = new Set(purged.map(({ id }) => id));
  return [
    ...purged.map(({ id, name }): Action => ({
      kind: "remove-container",
      id,
      name,
    })),
    ...surplus(facts).filter((action) =>
      action.kind !== "remove-container" || !ids.has(action.id)
    ),
  ];
}

/** Containers whose sandbox the runtime has lost. */
function orphans(observed: ObservedPod): readonly ObservedContainer[] {
  const known = new Set(observed.sandboxes.map(({ id }) => id));
  return observed.containers.filter((c) => !known.has(c.sandboxId));
}

/** Of one container, with its log. */
export function removal(
  facts: Pick<Facts, "settings" | "name">,
  container: ObservedContainer,
): Extract<Action, { kind: "remove-container" }> {
  const { settings } = facts;
  const { id, name, attempt } = container;
  const pod = facts.name ?? UNNAMED;
  const directory = podLogDirectory(settings, pod);
  return {
    kind: "remove-container",
    id,
    name,
    log: {
      file: `${directory}/${containerLogFile(name, attempt)}`,
      link: logLink(logLinkPrefix(settings, pod, name), id),
    },
  };
}

/** Directories, logs, links and cgroups, of a pod whose name is known. */
export function filesOf(facts: Facts): Action[] {
  const { settings, observed, name: pod } = facts;
  if (pod === undefined) return [];
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
