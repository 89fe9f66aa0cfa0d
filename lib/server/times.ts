/**
 * Times and durations as people read them in a terminal. Pure; the time of
 * looking is always handed in.
 */

const SECOND_MS = 1000;
const DAY_HOURS = 24;
const YEAR_DAYS = 365;

/**
 * A duration in two or three digits that matter: `5s`, `3m12s`, `2h`, `4d`.
 * Compat: apimachinery 0.36 duration.HumanDuration, what kubectl prints.
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / SECOND_MS);
  // Clocks of two machines may differ by a little; by more is worth a word.
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return two([minutes, "m"], [seconds % 60, "s"]);
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return two([hours, "h"], [minutes % 60, "m"]);
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / DAY_HOURS);
  if (days < 8) return two([days, "d"], [hours % DAY_HOURS, "h"]);
  if (days < 2 * YEAR_DAYS) return `${days}d`;
  const years = Math.floor(days / YEAR_DAYS);
  return years < 8 ? two([years, "y"], [days % YEAR_DAYS, "d"]) : `${years}y`;
}

function two(
  large: readonly [number, string],
  small: readonly [number, string],
): string {
  return small[0] === 0 ? large.join("") : large.join("") + small.join("");
}

/** Epoch milliseconds of an API time: text in what we read, `Date` by type. */
export function timeMs(time: Date | string | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = new Date(time).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

/** `2026-07-31T10:02:33Z` */
export function dated(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `10:02:33Z` today, with its date on any other day. */
export function clockTime(ms: number, nowMs: number): string {
  const text = dated(ms);
  const isToday = text.slice(0, 10) === dated(nowMs).slice(0, 10);
  return isToday ? text.slice(11) : text;
}

/** `in 12s, at 10:02:33Z`; what is overdue is due now. */
export function deadline(atMs: number, nowMs: number): string {
  if (atMs <= nowMs) return "due now";
  const seconds = Math.ceil((atMs - nowMs) / SECOND_MS);
  return `in ${humanDuration(seconds * SECOND_MS)}, at ` +
    clockTime(atMs, nowMs);
}

/** `1st`, `2nd`, `3rd`, `11th` */
export function ordinal(count: number): string {
  const isTeen = Math.floor(count / 10) % 10 === 1;
  const ending = isTeen ? undefined : ["th", "st", "nd", "rd"][count % 10];
  return `${count}${ending ?? "th"}`;
}
