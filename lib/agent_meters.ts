/**
 * The wiring of what is counted where nobody inside counts: calls to the
 * runtime and the API server, how late the event loop is.
 */
import type { Writer } from "./base/cell.ts";
import type { Clock } from "./base/clock.ts";
import { isAbort } from "./base/errors.ts";
import type { Logger } from "./base/log.ts";
import type { Trail } from "./base/trail.ts";
import type { Meters } from "./api/meters.ts";
import { clockTime } from "./server/times.ts";
import type { LoopView } from "./server/view.ts";

const LAG_EVERY_MS = 500;
/** Later than this is worth a line in the log, and in `denolet explain`. */
const LONG_STALL_MS = 1_000;
/** For so long a stall counts as a problem. */
const FRESH_MS = 60_000;
const ANSWER = "an answer of the API server";

/** Told by the runtime's channel of each finished call. */
export function runtimeCalls(meters: Meters, trail: Trail) {
  const names = new Map<string, string>();
  return (method: string, durationMs: number, code: string): void => {
    trail.note(method);
    const operation_type = names.get(method) ?? operationOf(method);
    names.set(method, operation_type);
    meters.runtimeOperations.add({ operation_type });
    meters.runtimeSeconds.observe({ operation_type }, durationMs / 1000);
    // What we end ourselves has not failed.
    if (code === "OK" || code === "CANCELLED") return;
    meters.runtimeErrors.add({ operation_type });
  };
}

/** `RunPodSandbox` → `run_podsandbox`. Compat: kubelet 1.36 instrumented. */
export function operationOf(method: string): string {
  if (method === "UpdateContainerResources") return "update_container";
  return method.replaceAll("PodSandbox", "Podsandbox")
    .replaceAll(/(?<!^)([A-Z])/g, "_$1").toLowerCase();
}

/** One answer of the API server, or none. */
export interface ServerAnswer {
  readonly host: string;
  readonly method: string;
  /** Undefined: there was no answer. */
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly sentBytes: number;
  /** Undefined: there was none, or it goes on. */
  readonly receivedBytes: number | undefined;
}

/** Told by the client of each request. Compat: client-go tools/metrics. */
export function serverAnswers(meters: Meters, trail: Trail) {
  return ({ host, method, status, ...answer }: ServerAnswer): void => {
    trail.note(ANSWER);
    const code = status === undefined ? "<error>" : String(status);
    meters.restRequests.add({ code, host, method });
    const labels = { host, verb: method };
    meters.restSeconds.observe(labels, answer.durationMs / 1000);
    meters.restSent.observe(labels, answer.sentBytes);
    const { receivedBytes } = answer;
    if (receivedBytes === undefined) return;
    meters.restReceived.observe(labels, receivedBytes);
  };
}

/** The event loop did not turn for a while. Writer: `watchLag`. */
export interface Stall {
  readonly atMs: number;
  readonly lateMs: number;
  /** What was begun before it, and took most of the time. */
  readonly what: string;
}

/** Looks how late a timer is, again and again; costs next to nothing. */
export async function watchLag(
  { clock, meters, trail, log }: {
    readonly clock: Clock;
    readonly meters: Pick<Meters, "lagSeconds">;
    readonly trail: Pick<Trail, "longest">;
    readonly log: Logger;
  },
  stall: Writer<Stall | undefined>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const dueMs = clock.monotonicMs() + LAG_EVERY_MS;
      await clock.sleep(LAG_EVERY_MS, signal);
      const endMs = clock.monotonicMs();
      const lateMs = Math.max(endMs - dueMs, 0);
      meters.lagSeconds.observe({}, lateMs / 1000);
      if (lateMs < LONG_STALL_MS) continue;
      const longest = trail.longest(dueMs - LAG_EVERY_MS, endMs);
      const what = longest?.what ?? "nobody knows what";
      stall.set({ atMs: clock.nowMs(), lateMs, what });
      log.warn("The event loop did not turn", { lateMs, what });
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
}

/** Whether the event loop turns, for `denolet explain`. */
export function stallView(stall: Stall | undefined, nowMs: number): LoopView {
  const untimed = { lastAtMs: undefined, nextAtMs: undefined };
  const name = "event loop";
  if (stall === undefined) return { ...untimed, name, detail: "turns" };
  const { atMs, lateMs, what } = stall;
  const words = `did not turn for ${(lateMs / 1000).toFixed(1)} s until ` +
    `${clockTime(atMs, nowMs)}, after this began: ${what}`;
  return nowMs - atMs > FRESH_MS
    ? { ...untimed, name, detail: words }
    : { ...untimed, name, detail: "turns", problem: words };
}
