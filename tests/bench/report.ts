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
  /** What the number is held against: raw CRI's in this row, or a constant. */
  readonly kind: "of-raw" | "absolute";
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

interface Names {
  readonly raw: string;
  readonly ours: string;
}

function ratioOf(row: Row, names: Names): number | undefined {
  const raw = row.values.get(names.raw);
  const ours = row.values.get(names.ours);
  return raw && ours ? ours.number / raw.number : undefined;
}

function goalText(goal: Goal | undefined): string {
  if (goal === undefined) return "-";
  const sign = goal.at === "most" ? "<=" : ">=";
  return `${sign} ${goal.limit}${goal.kind === "of-raw" ? "x" : ""}`;
}

function verdict(row: Row, names: Names): string {
  if (row.goal === undefined) return "";
  const measured = row.goal.kind === "of-raw"
    ? ratioOf(row, names)
    : row.values.get(names.ours)?.number;
  if (measured === undefined) return "not measured";
  const isMet = row.goal.at === "most"
    ? measured <= row.goal.limit
    : measured >= row.goal.limit;
  return isMet ? "met" : "LOST";
}

function align(lines: readonly (readonly string[])[]): string {
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
