/**
 * When a status is sent that says nothing new: each report period, moved once
 * by a random part of it after a change, so that nodes that changed together
 * do not report together for ever.
 * Compat: kubelet 1.36 isUpdateStatusPeriodExpired, calculateDelay.
 */

/** The last report. `reportedAtMs` is monotonic. */
export interface Reported {
  readonly reportedAtMs: number;
  readonly delayMs: number;
}

export function isReportDue(
  last: Reported | undefined,
  periodMs: number,
  nowMs: number,
): boolean {
  return last === undefined ||
    nowMs - last.reportedAtMs >= periodMs + last.delayMs;
}

/** `fraction` is uniform in [0, 1). */
export function reported(
  last: Reported | undefined,
  report: {
    readonly isChanged: boolean;
    readonly periodMs: number;
    readonly fraction: number;
  },
  nowMs: number,
): Reported {
  const isMoved = report.isChanged || last === undefined;
  return {
    reportedAtMs: nowMs,
    delayMs: isMoved ? report.periodMs * (report.fraction - 0.5) : 0,
  };
}
