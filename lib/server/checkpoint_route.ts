/**
 * `/checkpoint`: freezes a running container into an archive on this node. One
 * at a time and only so many a minute, because each is as large as the
 * container's memory. Compat: kubelet 1.36 checkpoint, CheckpointContainer
 */
import { nameOf, namespaceOf, titleOf } from "../api/pod.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { Checkpoints } from "../port/checkpoints.ts";
import type { NodeAnswer } from "../port/node_server.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { jsonText, text } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";
import {
  calledPod,
  containerSpec,
  type PodIndex,
  runningContainer,
} from "./pod_lookup.ts";

export interface CheckpointParts {
  readonly checkpoints: Checkpoints;
  readonly runtime: Pick<ContainerRuntime, "listContainers">;
  readonly index: PodIndex;
  readonly clock: Clock;
  readonly log: Logger;
  /** The directory of the archives; it exists, and only root may read it. */
  readonly folder: string;
}

const MOST_PER_WINDOW = 10;
const WINDOW_MS = 60_000;

export function checkpointRoute(parts: CheckpointParts): Route {
  const rate = new Rate(parts.clock);
  const one = new Semaphore(1);
  return {
    path: "/checkpoint/:namespace/:pod/:container",
    methods: ["POST"],
    answer: async (call) => {
      const target = targetOf(parts, call);
      if ("kind" in target) return target;
      if (!rate.mayGo()) {
        return {
          ...text(429, `at most ${MOST_PER_WINDOW} checkpoints a minute`),
          headers: [["Retry-After", String(WINDOW_MS / 1000)]],
        };
      }
      const { signal } = call.request;
      return await one.run(() => checkpoint(parts, call, target), signal);
    },
  };
}

type Target = {
  readonly pod: NonNullable<ReturnType<typeof calledPod>>;
  readonly name: string;
  readonly timeoutSeconds: number;
};

function targetOf(
  { index }: CheckpointParts,
  call: Call,
): Target | NodeAnswer {
  const pod = calledPod(index, call);
  if (pod === undefined) return text(404, "pod does not exist");
  const name = call.params.get("container") ?? "";
  if (containerSpec(pod.pod, name) === undefined) {
    return text(404, `container ${name} does not exist`);
  }
  const timeout = call.request.query.get("timeout")?.at(-1) ?? "0";
  if (!isInt64(timeout)) {
    return text(404, "cannot parse value of timeout parameter");
  }
  return { pod, name, timeoutSeconds: Number(timeout) };
}

/** Compat: Go's strconv.ParseInt. */
function isInt64(text: string): boolean {
  if (!/^[+-]?\d{1,30}$/.test(text)) return false;
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value;
}

async function checkpoint(
  parts: CheckpointParts,
  { request, user }: Call,
  { pod, name, timeoutSeconds }: Target,
): Promise<NodeAnswer> {
  const { runtime, checkpoints, clock, log, folder } = parts;
  const title = titleOf(pod.pod);
  const failed = (why: string) =>
    text(500, `checkpointing of ${title}/${name} failed (${why})`);
  const wanted = { podUid: pod.uid, name };
  const id = await runningContainer(runtime, wanted, request.signal);
  if (id === undefined) return failed(`container ${name} not found`);
  if (timeoutSeconds < 0) {
    return failed(
      "CheckpointContainer requires the timeout value to be > 0",
    );
  }
  const full = `${nameOf(pod.pod)}_${namespaceOf(pod.pod)}`;
  const time = new Date(clock.nowMs()).toISOString().replace(/\.\d+/, "");
  const location = `${folder}/checkpoint-${full}-${name}-${time}.tar`;
  log.info("Checkpoint asked for", {
    pod: title,
    user: user.name,
    remote: request.remote,
    container: name,
  });
  try {
    await checkpoints.checkpoint(
      { id, location, timeoutSeconds },
      request.signal,
    );
  } catch (error) {
    return failed(chainOf(error));
  }
  return jsonText(JSON.stringify({ items: [location] }));
}

/** So many in any window of time. */
class Rate {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #taken: number[] = [];

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  mayGo(): boolean {
    const nowMs = this.#clock.monotonicMs();
    while ((this.#taken[0] ?? nowMs) < nowMs - WINDOW_MS) this.#taken.shift();
    if (this.#taken.length >= MOST_PER_WINDOW) return false;
    this.#taken.push(nowMs);
    return true;
  }
}
