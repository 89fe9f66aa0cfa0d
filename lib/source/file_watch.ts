/**
 * Rings the bell of the file source when something changes where manifests
 * are, or where they may appear. Gives up on nothing: what cannot be watched
 * is tried again, and the audit looks meanwhile.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Files } from "../port/host.ts";
import type { Bell } from "./bell.ts";

export interface WatchPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Logger;
  /** The folder or file of manifests. */
  readonly path: string;
}

/** Compat: kubelet 1.36 retryPeriod and maxRetryPeriod of the watch. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 20_000;
/** So often the watched folder may change within `FIRST_RETRY_MS`. */
const MOST_MOVES = 10;

export async function watchForChanges(
  ports: WatchPorts,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, path } = ports;
  let delayMs = 0;
  let moves = 0;
  let movedMs = clock.monotonicMs();
  while (!signal.aborted) {
    const outcome = await watchNearest(ports, bell, signal);
    if (outcome === "moved") {
      const nowMs = clock.monotonicMs();
      if (nowMs - movedMs > FIRST_RETRY_MS) moves = 0;
      movedMs = nowMs;
      delayMs = 0;
      if (++moves <= MOST_MOVES) continue;
    } else if (delayMs === 0) {
      const error = chainOf(outcome);
      log.warn("Cannot watch for manifests, will look", { path, error });
    }
    delayMs = Math.min(Math.max(delayMs * 2, FIRST_RETRY_MS), LONGEST_RETRY_MS);
    await clock.sleep(delayMs, signal);
  }
}

/**
 * Watches the folder, or the nearest one above that can be watched, until
 * another one is the right one. Returns the error if none can be watched.
 */
async function watchNearest(
  ports: WatchPorts,
  bell: Bell,
  signal: AbortSignal,
): Promise<"moved" | AgentError> {
  const isFolder = await hasFolder(ports);
  let target = isFolder ? ports.path : parentOf(ports.path);
  for (;;) {
    let hasWatched = false;
    try {
      for await (const _ of ports.files.watch(target, signal)) {
        hasWatched = true;
        bell.ring();
        if (await hasFolder(ports) !== isFolder) return "moved";
      }
      return "moved";
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      bell.ring();
      if (hasWatched || (isFolder && error.next === "retry")) return "moved";
      if (error.next === "give-up" || target === "/") return error;
      target = parentOf(target);
    }
  }
}

async function hasFolder({ files, path }: WatchPorts): Promise<boolean> {
  try {
    return (await files.stat(path))?.kind === "directory";
  } catch (error) {
    // The scan reports it; as for watching, no folder is there.
    if (error instanceof AgentError) return false;
    throw error;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
