/**
 * Waits until evicted pods have given back what they had, before the next one
 * is thought of. Called by `run.ts`; ends nothing itself.
 */
import type { Alarm } from "../base/alarm.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { PodUid } from "../api/id.ts";
import { patienceSeconds } from "../api/pod.ts";
import { EXCEEDED_GRACE, type Step } from "../api/step.ts";

/** Compat: kubelet 1.36 podCleanupTimeout. */
const CLEAN_UP_MS = 30_000;
/** The kernel gives back what a pod had only a moment after its end. */
const SETTLE_MS = 1_000;

export interface CleanUpPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Nothing of it runs any more, and its volumes are let go. */
  readonly isCleanedUp: (uid: PodUid) => boolean;
  readonly recorder: { record(uid: PodUid, step: Step): void };
}

/** `alarm` rings when one of them may have ended. */
export async function awaitEnd(
  { clock, log, isCleanedUp, recorder }: CleanUpPorts,
  { going, alarm }: {
    readonly going: readonly {
      readonly uid: PodUid;
      readonly graceSeconds: number;
    }[];
    readonly alarm: Alarm;
  },
  signal: AbortSignal,
): Promise<void> {
  const startMs = clock.monotonicMs();
  const endMs = startMs + CLEAN_UP_MS;
  const graces = going.map(({ graceSeconds }) => patienceSeconds(graceSeconds));
  let lateMs = startMs + Math.max(...graces) * 1000;
  for (;;) {
    const left = going.filter(({ uid }) => !isCleanedUp(uid));
    if (left.length === 0) break;
    const nowMs = clock.monotonicMs();
    if (nowMs >= lateMs) {
      for (const { uid } of left) recorder.record(uid, EXCEEDED_GRACE);
      lateMs = Infinity;
    }
    if (nowMs >= endMs) return log.warn("Evicted pods are not gone in time");
    await alarm.wait(clock, Math.min(endMs, lateMs) - nowMs, signal);
  }
  await clock.sleep(SETTLE_MS, signal);
}
