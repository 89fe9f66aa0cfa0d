/**
 * `/containerLogs`: which instance's log is meant, and its text as the query
 * wants it. Reading and following is done in log/read.ts.
 * Compat: kubelet 1.36 getContainerLogs, validateContainerLogStatus
 */
import { containerId } from "../api/id.ts";
import { nameOf } from "../api/pod.ts";
import type { ContainerStatusJson } from "../api/status.ts";
import type { Clock } from "../base/clock.ts";
import { type LogPorts, readLog } from "../log/read.ts";
import type { NodeAnswer } from "../port/node_server.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { readLogQuery } from "./container_log_query.ts";
import { firstWords } from "./first_words.ts";
import { TEXT, text, typed } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";
import {
  calledPod,
  containerSpec,
  containerStatus,
  type PodIndex,
} from "./pod_lookup.ts";
import type { PodView } from "./view.ts";

export interface ContainerLogParts {
  readonly runtime: Pick<ContainerRuntime, "containerStatus">;
  readonly index: PodIndex;
  readonly logs: Pick<LogPorts, "files" | "logFiles">;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  readonly hasStreams: boolean;
}

export function containerLogRoute(parts: ContainerLogParts): Route {
  return {
    path: "/containerLogs/:namespace/:pod/:container",
    methods: ["GET"],
    answer: (call) => answer(parts, call),
  };
}

async function answer(
  parts: ContainerLogParts,
  call: Call,
): Promise<NodeAnswer> {
  const { clock, hasStreams, index } = parts;
  const { request, params } = call;
  const nowMs = clock.nowMs();
  const reading = readLogQuery(request.query, { nowMs, hasStreams });
  if (reading.kind === "refused") return reading.answer;
  const { query } = reading;
  const podName = params.get("pod") ?? "";
  const container = params.get("container") ?? "";
  const pod = calledPod(index, call);
  if (pod === undefined) return text(404, `pod "${podName}" does not exist`);
  if (containerSpec(pod.pod, container) === undefined) {
    const where = `not found in pod "${podName}"`;
    return text(404, `container "${container}" ${where}`);
  }
  const chosen = chooseInstance(
    pod,
    container,
    query.isPrevious ? "previous" : "current",
  );
  if (chosen.kind === "none") return text(400, chosen.message);
  const found = await fileOf(parts, chosen.id, request.signal);
  if (found === undefined) {
    return text(400, `unable to retrieve container logs for ${chosen.id}`);
  }
  const hasEnded = () => !isRunning(index, pod, { container, id: chosen.id });
  if (!query.isFollowing) {
    await firstWords({ ...parts.logs, clock }, found, request.signal);
  }
  const body = readLog({ ...parts.logs, clock }, {
    ...query,
    ...found,
    hasEnded: query.isFollowing ? hasEnded : undefined,
  }, request.signal);
  return typed(
    200,
    TEXT,
    query.limitBytes === undefined ? body : limited(body, query.limitBytes),
  );
}

type Chosen =
  | { readonly kind: "instance"; readonly id: string }
  | { readonly kind: "none"; readonly message: string };

/** The id as the status has it, with the runtime's name before it. */
export function chooseInstance(
  { pod, status }: Pick<PodView, "pod" | "status">,
  container: string,
  which: "current" | "previous",
): Chosen {
  const what = `container "${container}" in pod "${nameOf(pod)}"`;
  const none = (message: string): Chosen => ({ kind: "none", message });
  const found = containerStatus(status, container);
  if (found === undefined) return none(`${what} is not available`);
  const last = found.lastState.terminated?.containerID ?? "";
  if (which === "previous") {
    return last === ""
      ? none(`previous terminated ${what} not found`)
      : { kind: "instance", id: last };
  }
  const current = currentInstance(found);
  const id = current === "" ? last : current;
  if (id !== "") return { kind: "instance", id };
  const { state, lastState } = found;
  return state.terminated !== undefined || lastState.terminated !== undefined
    ? none(`${what} is terminated`)
    : none(`${what} is waiting to start${whyWaiting(state.waiting?.reason)}`);
}

function currentInstance({ state, containerID }: ContainerStatusJson): string {
  if (state.running !== undefined) return containerID ?? "";
  return state.terminated?.containerID ?? "";
}

function whyWaiting(reason: string | undefined): string {
  switch (reason) {
    case undefined:
      return " - no logs yet";
    case "ErrImagePull":
      return ": image can't be pulled";
    case "ImagePullBackOff":
      return ": trying and failing to pull image";
    default:
      return `: ${reason}`;
  }
}

async function fileOf(
  { runtime }: ContainerLogParts,
  id: string,
  signal: AbortSignal,
): Promise<
  { directory: string; attempt: number; startedAtMs: number } | undefined
> {
  const own = containerId(id.replace(/^[^:]*:\/\//, ""));
  const status = await runtime.containerStatus(own, signal);
  const match = /^(\/.+)\/(\d{1,9})\.log$/.exec(status?.logPath ?? "");
  if (match === null) return undefined;
  return {
    directory: match[1] ?? "",
    attempt: Number(match[2]),
    startedAtMs: status?.startedAtMs ?? 0,
  };
}

/** As far as is known now; what is not known of any more has ended. */
function isRunning(
  { view }: PodIndex,
  pod: Pick<PodView, "uid">,
  instance: { readonly container: string; readonly id: string },
): boolean {
  const now = view.pods().find(({ uid }) => uid === pod.uid);
  const status = now && containerStatus(now.status, instance.container);
  return status?.state.running !== undefined &&
    status.containerID === instance.id;
}

/** The first bytes of it, to the byte. */
async function* limited(
  source: AsyncIterable<Uint8Array>,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  let left = limitBytes;
  for await (const chunk of source) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}
