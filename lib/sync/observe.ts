/**
 * What the runtime has: one pod afresh for a pass, or everything for the
 * audit. Also follows the runtime's events; an event is only a hint to look.
 */
import type { ContainerId, PodUid, SandboxId } from "../api/id.ts";
import type { ContainerRuntime, RuntimeEvent } from "../port/runtime.ts";
import type {
  ContainerStatus,
  ContainerSummary,
  SandboxSummary,
} from "../port/runtime_status.ts";
import type { ObservedContainer, ObservedPod } from "../pod/facts.ts";
import { POD_UID } from "../pod/labels.ts";
import { podUid } from "../api/id.ts";
import type { LastWords } from "./last_words.ts";
import type { PodsReader } from "./store.ts";

/** How a pass looks. */
export interface Looking {
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly lastWords: LastWords;
  /** What was seen the last time: last words are read once. */
  readonly known?: ObservedPod | undefined;
}

/** Everything the runtime has of one pod now. */
export async function observePod(
  runtime: ContainerRuntime,
  uid: PodUid,
  options: Looking,
): Promise<ObservedPod> {
  const { nowMs, signal } = options;
  const [sandboxes, containers] = await Promise.all([
    runtime.listSandboxes({ podUid: uid }, signal),
    runtime.listContainers({ podUid: uid }, signal),
  ]);
  const seeing = seer(runtime, uid, options);
  const [sandboxStatuses, containerStatuses] = await Promise.all([
    Promise.all(sandboxes.map(({ id }) => runtime.sandboxStatus(id, signal))),
    Promise.all(containers.map(seeing)),
  ]);
  return {
    sandboxes: newestFirst(sandboxStatuses),
    ...apart(newestFirst(containerStatuses)),
    atMs: nowMs,
  };
}

/** What a listing tells of a pod: that it is here, and little more. */
export async function listPod(
  runtime: ContainerRuntime,
  uid: PodUid,
  { nowMs, signal }: Pick<Looking, "nowMs" | "signal">,
): Promise<ObservedPod> {
  const [sandboxes, containers] = await Promise.all([
    runtime.listSandboxes({ podUid: uid }, signal),
    runtime.listContainers({ podUid: uid }, signal),
  ]);
  return {
    sandboxes: newestFirst(
      sandboxes.map((each) => ({ ...each, ips: [], network: "pod" as const })),
    ),
    containers: newestFirst(
      containers.map((each) => ({ ...each, ...UNTOLD, image: each.imageRef })),
    ),
    atMs: nowMs,
  };
}

const UNTOLD = {
  startedAtMs: 0,
  finishedAtMs: 0,
  exitCode: 0,
  reason: "",
  message: "",
  imageId: "",
  logPath: "",
  mounts: [],
} as const;

/** What a pass has made since it looked. */
export interface Made {
  readonly sandboxes: SandboxId[];
  readonly containers: {
    readonly id: ContainerId;
    readonly sandboxId: SandboxId;
  }[];
}

/**
 * Looks again after a pass has done something, without listing: at what was
 * known and at what the pass made. What others make, an event tells.
 */
export async function refreshPod(
  runtime: ContainerRuntime,
  seen: {
    readonly uid: PodUid;
    readonly observed: ObservedPod;
    readonly made: Made;
  },
  options: Looking,
): Promise<ObservedPod> {
  const { uid, observed, made } = seen;
  const { nowMs, signal } = options;
  const sandboxes = [
    ...observed.sandboxes.map(({ id }) => id),
    ...made.sandboxes,
  ];
  const seeing = seer(runtime, uid, { ...options, known: observed });
  const [sandboxStatuses, containerStatuses] = await Promise.all([
    Promise.all(sandboxes.map((id) => runtime.sandboxStatus(id, signal))),
    Promise.all([
      ...allOf(observed).map(seeing),
      ...made.containers.map(seeing),
    ]),
  ]);
  return {
    sandboxes: newestFirst(sandboxStatuses),
    ...apart(newestFirst(containerStatuses)),
    atMs: nowMs,
  };
}

function newestFirst<
  T extends { readonly createdAtMs: number; readonly attempt: number },
>(found: readonly (T | undefined)[]): T[] {
  return found.flatMap((status) => status ?? [])
    .sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt);
}

function allOf({ containers, cutOff = [] }: ObservedPod) {
  return [...containers, ...cutOff];
}

function apart(
  all: readonly ObservedContainer[],
): Pick<ObservedPod, "containers" | "cutOff"> {
  const cutOff = all.filter(isCutOff);
  if (cutOff.length === 0) return { containers: all };
  return { containers: all.filter((each) => !isCutOff(each)), cutOff };
}

/**
 * A runtime gives up a start whose caller has gone. That nothing ran is in the
 * times; that nothing of the container's own was in the way, in the message.
 */
function isCutOff(
  { state, startedAtMs, message }: ContainerStatus,
): boolean {
  return state === "exited" && startedAtMs === 0 &&
    message.includes("context canceled");
}

type Summary = Pick<ContainerSummary, "id" | "sandboxId">;

function seer(
  runtime: ContainerRuntime,
  uid: PodUid,
  { signal, lastWords, known }: Looking,
): (summary: Summary) => Promise<ObservedContainer | undefined> {
  const words = new Map(
    known?.containers.map(({ id, lastWords }) => [id, lastWords]),
  );
  return async ({ id, sandboxId }) => {
    const status = await runtime.containerStatus(id, signal);
    if (status?.state !== "exited" || isCutOff(status)) {
      return status && { ...status, sandboxId };
    }
    const left = words.get(id) ?? await lastWords(uid, status);
    const message = [status.message, left].filter((each) => each !== "")
      .join(": ");
    return { ...status, sandboxId, message, lastWords: left };
  };
}

/**
 * The audit: every pod whose sandboxes or containers differ from what is
 * remembered, gone ones included.
 */
export async function differingPods(
  runtime: ContainerRuntime,
  pods: PodsReader,
  signal: AbortSignal,
): Promise<Set<PodUid>> {
  const [sandboxes, containers] = await Promise.all([
    runtime.listSandboxes({}, signal),
    runtime.listContainers({}, signal),
  ]);
  const found = new Map<PodUid, string[]>();
  const note = (uid: PodUid, mark: string) => {
    const marks = found.get(uid) ?? [];
    marks.push(mark);
    found.set(uid, marks);
  };
  for (const sandbox of sandboxes) note(sandbox.podUid, sandboxMark(sandbox));
  for (const container of containers) {
    const uid = podUid(container.labels.get(POD_UID) ?? "");
    note(uid, `${container.id} ${container.state}`);
  }
  const differing = new Set<PodUid>();
  for (const [uid, marks] of found) {
    const known = pods.get(uid);
    if (
      known === undefined || digest(marks) !== digest(marksOf(known.observed))
    ) {
      differing.add(uid);
    }
  }
  for (const [uid, { observed }] of pods) {
    if (!found.has(uid) && marksOf(observed).length > 0) differing.add(uid);
  }
  return differing;
}

function sandboxMark(
  sandbox: Pick<SandboxSummary, "id" | "isReady">,
): string {
  return `${sandbox.id} ${sandbox.isReady ? "ready" : "not-ready"}`;
}

function marksOf(observed: ObservedPod): string[] {
  return [
    ...observed.sandboxes.map(sandboxMark),
    ...allOf(observed).map(({ id, state }) => `${id} ${state}`),
  ];
}

function digest(marks: readonly string[]): string {
  return [...marks].sort().join("\n");
}

/** False when a pass has already looked after the event happened. */
export function isNews(pods: PodsReader, event: RuntimeEvent): boolean {
  const known = pods.get(event.podUid);
  if (known !== undefined) return event.atMs >= known.observed.atMs;
  // The end of a pod that is forgotten by now needs no look.
  return event.kind !== "stopped" && event.kind !== "deleted";
}
