/**
 * `graceful_node_shutdown_state`: when the last graceful shutdown began and
 * ended, for the metrics of the agent after it. Pure.
 * Compat: kubelet 1.36 nodeshutdown storage.
 */

export interface ShutdownTimes {
  /** Epoch milliseconds; undefined: never, or not yet. */
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
}

/** Go's zero time. */
const ZERO = "0001-01-01T00:00:00Z";

export function renderTimes({ startMs, endMs }: ShutdownTimes): string {
  return JSON.stringify({ startTime: textOf(startMs), endTime: textOf(endMs) });
}

/** Undefined for a text that is none of ours. */
export function parseTimes(text: string): ShutdownTimes | undefined {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== "object" || found === null) return undefined;
    const values = new Map<string, unknown>(Object.entries(found));
    return {
      startMs: msOf(values.get("startTime")),
      endMs: msOf(values.get("endTime")),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whole seconds, as the metrics have them; 0: never. */
export function secondsOf(ms: number | undefined): number {
  return ms === undefined ? 0 : Math.floor(ms / 1000);
}

function textOf(ms: number | undefined): string {
  return ms === undefined ? ZERO : new Date(ms).toISOString();
}

function msOf(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const ms = Date.parse(value);
  return ms > 0 ? ms : undefined;
}
