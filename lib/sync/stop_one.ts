/**
 * One container from the order to its end: hook, turn, stop signal. Called by
 * stops.ts, which keeps what is under way; remembers nothing by itself.
 * Compat: kubelet 1.36 killContainer, executePreStopHook.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ContainerId, PodUid } from "../api/id.ts";
import type { ContainerToStop } from "../pod/action.ts";
import type { Failure } from "../pod/facts.ts";
import type { Recorder } from "../port/recorder.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { Deadline } from "./deadline.ts";
import type { RunHook } from "./hooks.ts";

/** Compat: kubelet 1.36 minimumGracePeriodInSeconds. */
const LEAST_GRACE_SECONDS = 2;

export interface StopOnePorts {
  readonly runtime: Pick<ContainerRuntime, "stopContainer">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: Recorder;
  readonly runHook: RunHook;
}

/** One container that was told to stop, until it is seen to have ended. */
export interface Entry {
  readonly uid: PodUid;
  readonly id: ContainerId;
  readonly name: string;
  readonly deadline: Deadline;
  /** Aborts when it has ended, whoever ended it. */
  readonly ended: AbortController;
  hook: "due" | "begun";
  /** What is done about it now; resolves when it worked or failed. */
  task: Promise<void>;
  isRunning: boolean;
  endedAtMs: number | undefined;
  /** The last one; it holds while nobody tries again. */
  failure: Failure | undefined;
  hasFailed: boolean;
  /** Not seen by a pass yet. */
  isNews: boolean;
}

interface Stopping {
  readonly entry: Entry;
  readonly container: ContainerToStop;
  /** Abort when the containers before it have ended. */
  readonly before: readonly AbortSignal[];
}

/** Resolves when the runtime says that the container has ended. */
export async function stopOne(
  ports: StopOnePorts,
  stopping: Stopping,
  all: AbortSignal,
): Promise<void> {
  const { entry, before } = stopping;
  const over = new AbortController();
  try {
    const hook = runPreStop(ports, stopping, { all, over: over.signal });
    await entry.deadline.wait(hook, all);
    await entry.deadline.wait(allAborted(before), all);
    await stopNow(ports, entry, all);
  } finally {
    over.abort(new DOMException("Its container has ended", "AbortError"));
  }
}

/**
 * Goes on after the grace, until the container has ended. Never rejects:
 * what its words may hold is for the log alone.
 */
async function runPreStop(
  ports: StopOnePorts,
  { entry, container }: Stopping,
  signals: { readonly all: AbortSignal; readonly over: AbortSignal },
): Promise<void> {
  const { clock, runHook, log, recorder } = ports;
  const { preStop } = container;
  const hasTime = clock.nowMs() < entry.deadline.atMs;
  if (preStop === undefined || entry.hook === "begun" || !hasTime) return;
  entry.hook = "begun";
  const { uid, id, name } = entry;
  const either = AbortSignal.any([signals.all, signals.over]);
  try {
    await runHook(preStop, { uid, id }, either);
  } catch (error) {
    // Somebody else ended it: nobody needs the hook any more.
    if (either.aborted && either.reason !== signals.over.reason) return;
    log.info("A preStop hook failed", { uid, name, error: chainOf(error) });
    recorder.record(uid, {
      type: "Warning",
      reason: "FailedPreStopHook",
      message: "PreStopHook failed",
      container: name,
    });
  }
}

/** A grace that shrinks meanwhile is told to the runtime anew. */
async function stopNow(
  { runtime, clock }: StopOnePorts,
  entry: Entry,
  signal: AbortSignal,
): Promise<void> {
  const { deadline, id } = entry;
  for (;;) {
    const restMs = deadline.atMs - clock.nowMs();
    const graceSeconds = Math.max(
      LEAST_GRACE_SECONDS,
      Math.ceil(restMs / 1000),
    );
    const both = AbortSignal.any([signal, deadline.shortened]);
    try {
      await runtime.stopContainer(id, graceSeconds, both);
      return;
    } catch (error) {
      if (signal.aborted || !isAbort(error, both)) throw error;
    }
  }
}

async function allAborted(signals: readonly AbortSignal[]): Promise<void> {
  await Promise.all(signals.map((signal) => {
    if (signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    return promise;
  }));
}
