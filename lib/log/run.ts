/**
 * Keeps container logs within their size: looks at those of running
 * containers from time to time, and rotates what is too long. No line is lost:
 * the runtime writes to the file of the old name until it has the new one.
 * Compat: kubelet 1.36 container_log_manager.go.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { ContainerId } from "../api/id.ts";
import type { Files } from "../port/host.ts";
import type { LogKeeper } from "../port/log_files.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { planRotation } from "./rotation.ts";

/** The log of a container that runs. */
export interface LiveLog {
  readonly id: ContainerId;
  readonly path: string;
}

export interface RotationPorts {
  readonly runtime: Pick<ContainerRuntime, "reopenLog">;
  readonly files: Pick<Files, "stat" | "list" | "remove">;
  readonly logKeeper: LogKeeper;
  readonly clock: Clock;
  readonly log: Logger;
  readonly running: () => readonly LiveLog[];
}

export interface RotationOptions {
  /** A log is rotated from this size on; below zero: never. */
  readonly mostBytes: number;
  /** The log itself included; two at least. */
  readonly mostFiles: number;
  readonly workers: number;
  readonly intervalMs: number;
}

export async function rotateLogs(
  ports: RotationPorts,
  options: RotationOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.mostBytes < 0) return;
  const workers = new Semaphore(options.workers);
  while (!signal.aborted) {
    await ports.clock.sleep(options.intervalMs, signal);
    await Promise.all(
      ports.running().map((live) =>
        workers.run(() => look(ports, options, { live, signal }), signal)
      ),
    );
  }
}

/** A log that cannot be rotated hinders no other. */
async function look(
  ports: RotationPorts,
  options: RotationOptions,
  { live, signal }: { readonly live: LiveLog; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const found = await ports.files.stat(live.path);
    if (found === undefined) {
      await ports.runtime.reopenLog(live.id, signal);
    } else if (found.kind !== "file") {
      ports.log.warn("A container's log is no file", { path: live.path });
    } else if (found.sizeBytes >= options.mostBytes) {
      await rotate(ports, options, { live, signal });
    }
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    ports.log.warn("Cannot rotate a container's log", {
      path: live.path,
      error: chainOf(error),
    });
  }
}

async function rotate(
  ports: RotationPorts,
  { mostFiles }: RotationOptions,
  { live, signal }: { readonly live: LiveLog; readonly signal: AbortSignal },
): Promise<void> {
  const { files, logKeeper, runtime, clock } = ports;
  const { id, path } = live;
  const slash = path.lastIndexOf("/");
  const at = (name: string) => `${path.slice(0, slash)}/${name}`;
  const entries = await files.list(path.slice(0, slash)) ?? [];
  const nowMs = clock.nowMs();
  const plan = planRotation(path.slice(slash + 1), entries, {
    ...{ mostFiles, nowMs },
  });
  for (const name of plan.remove) await files.remove(at(name));
  for (const name of plan.pack) await logKeeper.pack(at(name), signal);
  const rotated = at(plan.rotated);
  await logKeeper.rename(path, rotated);
  try {
    await runtime.reopenLog(id, signal);
  } catch (error) {
    await putBack(ports, path, rotated);
    throw error;
  }
}

/**
 * The runtime writes on to the old file, so it has its name again, unless the
 * runtime has made another of that name by now.
 */
async function putBack(
  { files, logKeeper }: RotationPorts,
  path: string,
  rotated: string,
): Promise<void> {
  if (await files.stat(path) !== undefined) return;
  await logKeeper.rename(rotated, path);
}
