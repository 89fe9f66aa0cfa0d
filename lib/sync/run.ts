/**
 * The sync loop's loops: passes by key, wakes from the sources, the runtime's
 * events and the audit. Started by `agent.ts`.
 */
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import { isDeleted } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { type Audit, type LoopPorts, wakeAll } from "./audit.ts";
import { isNews } from "./observe.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** Relisting where the runtime has no events, as the kubelet does always. */
const EVENTLESS_AUDIT_MS = 1_000;

/**
 * Wakes what the sources changed, and everything once they are all heard: only
 * then can the audit tell what is left of pods that went with an agent's death.
 */
export async function followSources(
  ports: LoopPorts,
  audit: Pick<Audit, "now">,
  signal: AbortSignal,
): Promise<void> {
  let before = ports.desired.get();
  wakeAll(ports);
  for await (const now of ports.desired.changes(signal)) {
    ports.trail?.note("what the sources of pods want");
    const isHeard = now.isReady && now.unread.length === 0;
    const wasHeard = before.isReady && before.unread.length === 0;
    if (isHeard && !wasHeard) {
      wakeAll(ports);
      audit.now();
    }
    for (const [uid, { pod }] of now.pods) {
      const old = before.pods.get(uid)?.pod;
      if (old === undefined) ports.queue.wake(uid);
      else if (old !== pod && !isSameWish(old, pod)) rouse(ports, uid, pod);
    }
    for (const uid of before.pods.keys()) {
      if (!now.pods.has(uid)) dismiss(ports, uid);
    }
    before = now;
  }
}

function rouse(ports: LoopPorts, uid: PodUid, pod: V1Pod): void {
  // Files that tell of labels and annotations are written anew.
  if (ports.volumes.stateOf(uid) !== undefined) {
    ports.volumes.request(ports.allocations.podOf(pod));
  }
  const state = ports.pods.get(uid)?.state;
  const isShorter = state?.kind === "stopping" &&
    (pod.metadata?.deletionGracePeriodSeconds ?? Infinity) <
      state.order.graceSeconds;
  if (isShorter) ports.queue.interrupt(uid);
  else if (isDeleted(pod)) dismiss(ports, uid);
  else ports.queue.wake(uid);
}

/**
 * Whether two versions of a pod ask for the same: our own words about it come
 * back with each watch and need no pass.
 */
function isSameWish(one: V1Pod, other: V1Pod): boolean {
  return JSON.stringify(wishOf(one)) === JSON.stringify(wishOf(other));
}

function wishOf({ metadata, spec, status }: V1Pod) {
  const { generation, labels, annotations } = metadata ?? {};
  const gates = spec?.readinessGates ?? [];
  return [
    generation ?? spec,
    labels,
    annotations,
    metadata?.deletionTimestamp,
    metadata?.deletionGracePeriodSeconds,
    gates.map(({ conditionType }) =>
      status?.conditions?.find(({ type }) => type === conditionType)
    ),
  ];
}

/** A pass that still builds the pod is cut short; a stopping one is not. */
function dismiss(ports: LoopPorts, uid: PodUid): void {
  const kind = ports.pods.get(uid)?.state.kind;
  if (kind === "stopping" || kind === "cleaning") ports.queue.wake(uid);
  else ports.queue.interrupt(uid);
}

/** Events are hints to look; a broken stream is a reason to relist. */
export async function followEvents(
  ports: LoopPorts,
  audit: Audit,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    const sinceMs = ports.clock.monotonicMs();
    const ended = await drain(ports, signal);
    if (ended.next === "give-up") {
      ports.log.warn("The runtime has no events; relisting instead", {
        everyMs: EVENTLESS_AUDIT_MS,
      });
      return audit.hasten(EVENTLESS_AUDIT_MS);
    }
    audit.forget();
    ports.suspect();
    const ranMs = ports.clock.monotonicMs() - sinceMs;
    retryMs = ranMs > LONGEST_RETRY_MS
      ? FIRST_RETRY_MS
      : Math.min(retryMs * 2, LONGEST_RETRY_MS);
    await ports.clock.sleep(retryMs, signal);
    audit.now();
  }
}

async function drain(
  ports: LoopPorts,
  signal: AbortSignal,
): Promise<AgentError> {
  try {
    for await (const event of ports.runtime.events(signal)) {
      ports.queue.hint(event.podUid, () => isNews(ports.pods, event));
    }
    return new AgentError("The event stream ended", { next: "retry" });
  } catch (error) {
    if (isAbort(error, signal) || !(error instanceof AgentError)) throw error;
    ports.log.debug("The event stream broke", { error: chainOf(error) });
    return error;
  }
}
