/**
 * What the runtime has: one pod afresh for a pass, or everything for the
 * audit. Also follows the runtime's events; an event is only a hint to look.
 */
import type { PodUid } from "../api/id.ts";
import type {
  ContainerRuntime,
  ContainerSummary,
  RuntimeEvent,
  SandboxSummary,
} from "../port/runtime.ts";
import type { ObservedContainer, ObservedPod } from "../pod/facts.ts";
import { POD_UID } from "../pod/labels.ts";
import { podUid } from "../api/id.ts";
import type { PodsReader } from "./store.ts";

/** Everything the runtime has of one pod now. */
export async function observePod(
  runtime: ContainerRuntime,
  uid: PodUid,
  options: { readonly nowMs: number; readonly signal: AbortSignal },
): Promise<ObservedPod> {
  const { nowMs, signal } = options;
  const [sandboxes, containers] = await Promise.all([
    runtime.listSandboxes({ podUid: uid }, signal),
    runtime.listContainers({ podUid: uid }, signal),
  ]);
  const [sandboxStatuses, containerStatuses] = await Promise.all([
    Promise.all(sandboxes.map(({ id }) => runtime.sandboxStatus(id, signal))),
    Promise.all(
      containers.map((summary) => statusOf(runtime, summary, signal)),
    ),
  ]);
  return {
    sandboxes: sandboxStatuses.flatMap((status) => status ?? [])
      .sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
    containers: containerStatuses.flatMap((status) => status ?? [])
      .sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
    atMs: nowMs,
  };
}

async function statusOf(
  runtime: ContainerRuntime,
  summary: ContainerSummary,
  signal: AbortSignal,
): Promise<ObservedContainer | undefined> {
  const status = await runtime.containerStatus(summary.id, signal);
  if (status === undefined) return undefined;
  return { ...status, sandboxId: summary.sandboxId };
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
    ...observed.containers.map(({ id, state }) => `${id} ${state}`),
  ];
}

function digest(marks: readonly string[]): string {
  return [...marks].sort().join("\n");
}

/** False when a pass has already looked after the event happened. */
export function isNews(pods: PodsReader, event: RuntimeEvent): boolean {
  const known = pods.get(event.podUid);
  return known === undefined || event.atMs >= known.observed.atMs;
}
