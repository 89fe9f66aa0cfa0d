/** Counts what a node asked of the API server, by the server's own record. */
import { readIfThere } from "../world/command.ts";
import type { WorldFacts } from "../world/facts.ts";
import { clusterFacts } from "./facts.ts";

interface AuditEvent {
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
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
  for (const { name, receivedMs } of requestsIn(log, user)) {
    if (receivedMs < sinceMs) continue;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** One request, by the server's clock, which is this machine's. */
export interface AuditedRequest {
  /** As in `auditCounts`. */
  readonly name: string;
  readonly receivedMs: number;
  /** Of a watch, when it began. */
  readonly answeredMs: number;
}

/** What `user` asked, by this part of a log; its last line may be torn. */
export function requestsIn(log: string, user: string): AuditedRequest[] {
  // A watch is recorded when it begins and again when it ends.
  const requests = new Map<string, AuditedRequest>();
  const lines = log.slice(0, log.lastIndexOf("\n") + 1).split("\n");
  for (const line of lines) {
    if (line === "") continue;
    const event: AuditEvent = JSON.parse(line);
    if (event.user.username !== user || requests.has(event.auditID)) continue;
    requests.set(event.auditID, {
      name: nameOf(event),
      receivedMs: Date.parse(event.requestReceivedTimestamp),
      answeredMs: Date.parse(event.stageTimestamp),
    });
  }
  return [...requests.values()];
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
