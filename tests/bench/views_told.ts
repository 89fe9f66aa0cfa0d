/**
 * What an agent tells the API server of a pod, as sections of a view: the
 * status and the events, without what is another each time. Pure.
 */
import type { V1Pod } from "../../lib/api/types.ts";
import type { View } from "../node/view.ts";

export interface ToldEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: {
    readonly uid?: string;
    readonly fieldPath?: string;
  };
}

/** Another each time, or told by other sections. */
const NOT_TOLD = /Time$|At$|^containerID$/;

export function toldOf(
  { status }: V1Pod,
  events: readonly ToldEvent[],
): View {
  const lines = events.map(({ type, reason, message, involvedObject }) =>
    [type, reason, involvedObject.fieldPath ?? "-", message].join(" ")
  );
  return new Map([
    ["pod-status", [...flat("", status ?? {})]],
    ["events", [...new Set(lines.map(plain))].sort()],
  ]);
}

/** `conditions.Ready.status=True`: lists by name or type, where they can be. */
function* flat(path: string, value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) {
    yield plain(`${path}=${value}`);
    return;
  }
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length === 0) yield `${path}={}`;
  for (const [key, each] of entries) {
    if (NOT_TOLD.test(key)) continue;
    const name = Array.isArray(value) ? nameOf(each) ?? key : key;
    yield* flat(path === "" ? name : `${path}.${name}`, each);
  }
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = new Map<string, unknown>(Object.entries(value));
  const name = entries.get("name") ?? entries.get("type");
  return typeof name === "string" ? name : undefined;
}

/** Without ids, times and durations. */
function plain(line: string): string {
  return line
    .replace(/\b[0-9a-f]{64}\b/g, "<id>")
    .replace(/\bkube-api-access-\w{5}\b/g, "kube-api-access")
    .replace(/\b(\d+(\.\d+)?(ms|µs|s|m|h))+(?![\w.])/g, "<time>");
}

/** They stand in nobody's way. */
const HARMLESS = new Set(["MissingClusterDNS", "DNSConfigForming"]);

/** Nothing more is to be told, or nothing will ever be. */
export function isSettled(pod: V1Pod, events: readonly ToldEvent[]): boolean {
  const { phase, conditions } = pod.status ?? {};
  if (phase === "Succeeded" || phase === "Failed") return true;
  const isReady = conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  );
  return isReady === true ||
    events.some(({ type, reason }) =>
      type === "Warning" && !HARMLESS.has(reason)
    );
}
