/**
 * `/logs/<namespace>/<pod>` of the admin socket: which pod, which container,
 * which attempt, from where on. What can be wrong is said before the stream
 * begins, with a status that fits.
 */
import { allContainersOf, containersOf, titleOf } from "../api/pod.ts";
import { loggedAttempts, type LogPorts, readLog } from "../log/read.ts";
import type { IncomingRequest, OutgoingResponse } from "../port/net.ts";
import { problem } from "./answer.ts";
import { headline } from "./headline.ts";
import { containerStatus } from "./pod_lookup.ts";
import type { AgentView, PodView } from "./view.ts";

/** The query of a log request, checked. */
interface LogQuery {
  readonly container: string | undefined;
  readonly tailLines: number | undefined;
  readonly isFollowing: boolean;
  readonly isPrevious: boolean;
  readonly timestamps: "shown" | "hidden";
}

export interface LogAnswers {
  readonly view: AgentView;
  readonly ports: LogPorts;
  readonly nowMs: number;
}

/** `candidates`: pods of the asked name, the one that counts first. */
export async function answerLogs(
  at: LogAnswers,
  candidates: readonly [PodView, ...PodView[]],
  request: IncomingRequest,
): Promise<OutgoingResponse> {
  const query = parseQuery(request.query);
  if (typeof query === "string") return problem(400, query);
  const [first] = candidates;
  const container = chooseContainer(first, query.container);
  if (typeof container === "object") return problem(400, container.message);
  // While a pod is replaced, the log may be the leaving one's.
  for (const pod of candidates) {
    const directory = `${pod.logDirectory}/${container}`;
    const attempts = await loggedAttempts(at.ports.files, directory);
    const attempt = chooseAttempt(attempts, query, { pod, container });
    if (attempt === undefined) continue;
    const hasEnded = () =>
      hasAttemptEnded(at.view, pod, { container, attempt });
    return {
      status: 200,
      contentType: "text/plain; charset=utf-8",
      body: readLog(at.ports, {
        directory,
        attempt,
        tailLines: query.tailLines,
        timestamps: query.timestamps,
        hasEnded: query.isFollowing ? hasEnded : undefined,
      }, request.signal),
    };
  }
  const which = query.isPrevious ? "earlier log" : "log yet";
  return problem(
    404,
    `Container ${container} of ${titleOf(first.pod)} has no ${which}. ` +
      headline(first, at.nowMs),
  );
}

function parseQuery(query: ReadonlyMap<string, string>): LogQuery | string {
  const tail = query.get("tailLines");
  if (tail !== undefined && !/^\d{1,9}$/.test(tail)) {
    return `tailLines: value ${JSON.stringify(tail)} is not a number of lines`;
  }
  const flags = new Map<string, boolean>();
  for (const name of ["follow", "previous", "timestamps"]) {
    const value = parseFlag(query.get(name));
    if (value === undefined) return `${name}: neither true nor false`;
    flags.set(name, value);
  }
  return {
    container: query.get("container") || undefined,
    tailLines: tail === undefined ? undefined : Number(tail),
    isFollowing: flags.get("follow") === true,
    isPrevious: flags.get("previous") === true,
    timestamps: flags.get("timestamps") === true ? "shown" : "hidden",
  };
}

function parseFlag(text: string | undefined): boolean | undefined {
  if (text === undefined || text === "false" || text === "0") return false;
  return text === "true" || text === "1" || text === "" ? true : undefined;
}

function chooseContainer(
  { pod }: PodView,
  wanted: string | undefined,
): string | { readonly message: string } {
  const names = containersOf(pod).map(({ name }) => name);
  const [first] = names;
  if (wanted !== undefined) {
    const all = allContainersOf(pod).map(({ name }) => name);
    if (all.includes(wanted)) return wanted;
    const message = `Pod ${titleOf(pod)} has no container ${wanted}; ` +
      `it has: ${all.join(", ")}`;
    return { message };
  }
  if (first !== undefined && names.length === 1) return first;
  const message = `Pod ${titleOf(pod)} has ${names.length} containers: ` +
    `choose one of ${names.join(", ")}`;
  return { message };
}

/**
 * The newest attempt; with `previous`, the one before it. The log of a dead
 * container goes with the one after its next death, so while a container only
 * waits for its restart, its newest log is the previous one.
 * Compat: kubelet 1.36 validateContainerLogStatus.
 */
function chooseAttempt(
  attempts: readonly number[],
  query: LogQuery,
  at: { readonly pod: PodView; readonly container: string },
): number | undefined {
  const [newest, older] = attempts;
  if (!query.isPrevious) return newest;
  if (older !== undefined) return older;
  const status = statusOf(at.pod, at.container);
  const isBetween = status?.state.waiting !== undefined &&
    status.lastState.terminated !== undefined;
  return isBetween ? newest : undefined;
}

function statusOf(view: PodView | undefined, container: string) {
  return view && containerStatus(view.status, container);
}

/**
 * True when this attempt will write no more, as far as is known now. A file
 * of an attempt that the view has not heard of yet is one that just began.
 */
export function hasAttemptEnded(
  view: AgentView,
  pod: Pick<PodView, "uid">,
  at: { readonly container: string; readonly attempt: number },
): boolean {
  const now = view.pods().find(({ uid }) => uid === pod.uid);
  const status = statusOf(now, at.container);
  if (status?.containerID === undefined) return true;
  if (status.restartCount !== at.attempt) {
    return status.restartCount > at.attempt;
  }
  // An ended container that waits for its restart is its own predecessor.
  const { state, lastState, containerID } = status;
  return state.terminated !== undefined ||
    (state.waiting !== undefined &&
      lastState.terminated?.containerID === containerID);
}
