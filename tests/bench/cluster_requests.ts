/**
 * What an agent asked of its API server in a while, by the server's own
 * record. Only what was recorded since is read, so that looking costs little.
 */
import { requestsIn } from "../../deploy/cluster/audit.ts";
import type { AuditedRequest } from "../../deploy/cluster/audit.ts";
import type { ClusterFacts } from "../../deploy/cluster/facts.ts";

export class Ledger {
  readonly #log: string;
  readonly #user: string;
  readonly #offset: number;

  constructor(log: string, user: string, offset: number) {
    this.#log = log;
    this.#user = user;
    this.#offset = offset;
  }

  /** So far. */
  async requests(): Promise<AuditedRequest[]> {
    using file = await Deno.open(this.#log);
    await file.seek(this.#offset, Deno.SeekMode.Start);
    const text = await new Response(file.readable).text();
    return requestsIn(text, this.#user);
  }
}

/** Begins now. The node has the name of its world. */
export async function openLedger({ auditLog, world }: ClusterFacts) {
  const { size } = await Deno.stat(auditLog);
  return new Ledger(auditLog, `system:node:${world.name}`, size);
}

export type Counts = ReadonlyMap<string, number>;

/** By `verb resource`. */
export function count(requests: readonly AuditedRequest[]): Counts {
  const counts = new Map<string, number>();
  for (const { name } of requests) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

export function isWatch({ name }: AuditedRequest): boolean {
  return name.startsWith("watch ");
}

export function isLease({ name }: AuditedRequest): boolean {
  return name.endsWith(" leases");
}

/** What a node asks whether or not it has pods. */
export function isRoutine(request: AuditedRequest): boolean {
  return isWatch(request) || isLease(request) ||
    / nodes(\/|$)/.test(request.name);
}

export function isWrite({ name }: AuditedRequest): boolean {
  return !/^(get|list|watch) /.test(name);
}
