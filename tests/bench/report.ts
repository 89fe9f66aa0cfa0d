/** Numbers to text: one table, side by side, lost rows included. Pure. */

export interface Row {
  readonly title: string;
  /** What is compared, by subject; also what the text shows. */
  readonly values: ReadonlyMap<string, Value>;
  readonly goal?: Goal;
}

export interface Value {
  readonly number: number;
  readonly text: string;
}

export interface Goal {
  /** Held against raw CRI's or the kubelet's in this row, or a constant. */
  readonly kind: "of-raw" | "of-peer" | "absolute";
  readonly limit: number;
  /** `most`: not above the limit; `least`: not below it. */
  readonly at: "most" | "least";
}

export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? NaN;
  const lower = sorted[Math.ceil(half) - 1] ?? NaN;
  return (upper + lower) / 2;
}

/** Several runs in milliseconds, compared by their median. */
export function milliseconds(values: readonly number[]): Value {
  const number = middle(values);
  const max = Math.max(...values);
  return { number, text: `${number.toFixed(0)} / ${max.toFixed(0)}` };
}

export function amount(number: number, digits: number): Value {
  return { number, text: number.toFixed(digits) };
}

export function table(
  rows: readonly Row[],
  names: { readonly raw: string; readonly ours: string; readonly peer: string },
): string {
  const lines = rows.map((row) => {
    const text = (name: string) => row.values.get(name)?.text ?? "-";
    const ratio = ratioOf(row, names);
    return [
      row.title,
      text(names.raw),
      text(names.ours),
      ratio === undefined ? "-" : `${ratio.toFixed(2)}x`,
      text(names.peer),
      goalText(row.goal),
      verdict(row, names),
    ];
  });
  const head = [
    "",
    names.raw,
    names.ours,
    "ratio",
    names.peer,
    "goal",
    "verdict",
  ];
  return align([head, ...lines]);
}

/** Two agents in a cluster, where there is no raw CRI to be a floor. */
export function sideBySide(
  rows: readonly Row[],
  names: { readonly ours: string; readonly peer: string },
): string {
  const lines = rows.map((row) => [
    row.title,
    row.values.get(names.ours)?.text ?? "-",
    row.values.get(names.peer)?.text ?? "-",
    goalText(row.goal),
    verdict(row, names),
  ]);
  return align([["", names.ours, names.peer, "goal", "verdict"], ...lines]);
}

interface Names {
  readonly raw?: string;
  readonly ours: string;
  readonly peer: string;
}

/** Ours against raw CRI, or against the peer where that is the goal. */
function ratioOf(row: Row, names: Names): number | undefined {
  const other = row.goal?.kind === "of-peer" ? names.peer : names.raw;
  const base = row.values.get(other ?? "");
  const ours = row.values.get(names.ours);
  return base && ours ? ours.number / base.number : undefined;
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return "-";
  const sign = goal.at === "most" ? "<=" : ">=";
  const unit = { "of-raw": "x", "of-peer": "x kubelet", "absolute": "" };
  return `${sign} ${goal.limit}${unit[goal.kind]}`;
}

function verdict(row: Row, names: Names): string {
  if (row.goal === undefined) return "";
  const measured = row.goal.kind === "absolute"
    ? row.values.get(names.ours)?.number
    : ratioOf(row, names);
  if (measured === undefined) return "not measured";
  const isMet = row.goal.at === "most"
    ? measured <= row.goal.limit
    : measured >= row.goal.limit;
  return isMet ? "met" : "LOST";
}

export function align(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  );
  return lines.map((line) =>
    line.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  ).join("\n");
}
