/** Counts what a node asked of the API server, by the server's own record. */
import { readIfThere } from "../world/command.ts";
import type { WorldFacts } from "../world/facts.ts";
import { clusterFacts } from "./facts.ts";

interface AuditEvent {
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
  };
}

/**
 * Requests by `verb resource` or `verb resource/subresource`, for instance
 * `patch pods/status`; those of no resource by `verb /path`. A watch counts
 * when it begins. `user` is for instance `system:node:NAME`.
 */
export async function auditCounts(
  world: WorldFacts,
  sinceMs: number,
  user: string,
): Promise<Map<string, number>> {
  const text = await readIfThere(clusterFacts(world).auditLog) ?? "";
  return countRequests(text, sinceMs, user);
}

export function countRequests(
  log: string,
  sinceMs: number,
  user: string,
): Map<string, number> {
  const counts = new Map<string, number>();
  // A watch is recorded when it begins and again when it ends.
  const seen = new Set<string>();
  // The last line may be half written.
  const lines = log.slice(0, log.lastIndexOf("\n") + 1).split("\n");
  for (const line of lines) {
    if (line === "") continue;
    const event: AuditEvent = JSON.parse(line);
    if (event.user.username !== user || seen.has(event.auditID)) continue;
    if (Date.parse(event.requestReceivedTimestamp) < sinceMs) continue;
    seen.add(event.auditID);
    const key = nameOf(event);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function nameOf({ verb, objectRef, requestURI }: AuditEvent): string {
  if (objectRef?.resource === undefined) {
    return `${verb} ${requestURI.replace(/\?.*/, "")}`;
  }
  const { resource, subresource } = objectRef;
  return `${verb} ${resource}${
    subresource === undefined ? "" : `/${subresource}`
  }`;
}
