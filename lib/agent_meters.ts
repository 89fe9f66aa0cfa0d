/**
 * The wiring of what is counted where nobody inside counts: calls to the
 * runtime and the API server, how late the event loop is.
 */
import type { Clock } from "./base/clock.ts";
import { isAbort } from "./base/errors.ts";
import type { Meters } from "./api/meters.ts";

const LAG_EVERY_MS = 500;

/** Told by the runtime's channel of each finished call. */
export function runtimeCalls(meters: Meters) {
  const names = new Map<string, string>();
  return (method: string, durationMs: number, code: string): void => {
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
}

/** Told by the client of each request. Compat: client-go tools/metrics. */
export function serverAnswers(meters: Meters) {
  return ({ host, method, status, durationMs }: ServerAnswer): void => {
    const code = status === undefined ? "<error>" : String(status);
    meters.restRequests.add({ code, host, method });
    meters.restSeconds.observe({ host, verb: method }, durationMs / 1000);
  };
}

/** Looks how late a timer is, again and again; costs next to nothing. */
export async function watchLag(
  { clock, meters }: {
    readonly clock: Clock;
    readonly meters: Pick<Meters, "lagSeconds">;
  },
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const dueMs = clock.monotonicMs() + LAG_EVERY_MS;
      await clock.sleep(LAG_EVERY_MS, signal);
      const lateMs = Math.max(clock.monotonicMs() - dueMs, 0);
      meters.lagSeconds.observe({}, lateMs / 1000);
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
}
