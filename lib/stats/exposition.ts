/**
 * Prometheus' text format with timestamps, which the metrics library does not
 * write: figures of cgroups carry the moment at which they were read. Pure.
 */

export interface Series {
  /** As `labelText()` made it. */
  readonly labels: string;
  readonly value: number | bigint;
  /** Epoch milliseconds; absent: the moment of the scrape. */
  readonly atMs?: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly series: readonly Series[];
}

/** `a="b",c="d"`, in the order given. */
export function labelText(
  labels: readonly (readonly [string, string])[],
): string {
  return labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(",");
}

function escaped(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
      .replaceAll("\n", "\\n")
    : value;
}

/** One family's lines; empty for one without series. */
export function familyText({ name, help, type, series }: Family): string {
  if (series.length === 0) return "";
  // One growing text: a list of lines, joined, takes a third more time.
  let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (const { labels, value, atMs } of series) {
    text += labels === "" ? name : `${name}{${labels}}`;
    text += atMs === undefined
      ? ` ${numberText(value)}\n`
      : ` ${numberText(value)} ${Math.floor(atMs)}\n`;
  }
  return text;
}

function numberText(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isFinite(value)) return `${value}`;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** Nanoseconds as seconds, exact to the microsecond for a thousand years. */
export function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / 1e9;
}
