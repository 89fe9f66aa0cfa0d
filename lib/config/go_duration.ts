/**
 * Go's duration text ("1h2m3.5s", "100ms") to milliseconds and back. Every
 * duration of the configuration file and of the command line comes through
 * here; nothing else in the agent reads or prints this grammar.
 */

/**
 * A length of time in milliseconds. May hold a fraction (1µs is 0.001) and may
 * be negative; the range is Go's, about 292 years either way.
 */
export type DurationMs = number;

const NANOS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const WHOLE = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const TERM = /[+-]?(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy;
const MAX_NANOS = 2n ** 63n - 1n;
const NANOS_PER_MS = 1_000_000;

/**
 * The milliseconds of a Go duration, or undefined when the text is none. A
 * number without a unit is none, except `0`.
 * Compat: Go time.ParseDuration
 */
export function parseGoDuration(text: string): DurationMs | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (text.length > 256 || !WHOLE.test(text)) return undefined;
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(TERM)) {
    const scale = NANOS.get(unit) ?? 0n;
    nanos += BigInt(whole || "0") * scale;
    const digits = fraction.slice(0, 18);
    nanos += BigInt(digits || "0") * scale / 10n ** BigInt(digits.length);
  }
  if (nanos > MAX_NANOS) return undefined;
  const ms = Number(nanos) / NANOS_PER_MS;
  return text.startsWith("-") ? -ms : ms;
}

/**
 * The text Go prints for a duration: `1m0s`, `1h0m0s`, `100ms`, `0s`.
 * Compat: Go time.Duration.String
 */
export function printGoDuration(ms: DurationMs): string {
  if (ms === 0) return "0s";
  const sign = ms < 0 ? "-" : "";
  const nanos = BigInt(Math.round(Math.abs(ms) * NANOS_PER_MS));
  if (nanos < 1_000n) return `${sign}${nanos}ns`;
  if (nanos < 1_000_000n) return `${sign}${decimal(nanos, 3)}µs`;
  if (nanos < 1_000_000_000n) return `${sign}${decimal(nanos, 6)}ms`;
  const minutes = nanos / 60_000_000_000n;
  const seconds = `${decimal(nanos % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/(?<!0)0+$/, "");
  const whole = digits.slice(0, -places);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
