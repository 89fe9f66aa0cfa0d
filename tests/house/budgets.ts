/**
 * How large things may be. Every measure over its budget needs an entry in
 * exceptions.json; every entry that is no longer needed must go. Pure.
 */
import { placeOf } from "./place.ts";
import { roomOf } from "./layers.ts";
import type { Source } from "./source.ts";

/** One thing measured in one file. */
export interface Measure {
  /** `file-lines`, `function-lines`, `parameters`, `folders` or `house/…` */
  readonly rule: string;
  readonly file: string;
  /** The function, for measures of functions. */
  readonly symbol: string;
  readonly line: number;
  readonly value: number;
  readonly budget: number;
}

/** An entry of exceptions.json. */
export interface Exception {
  readonly rule: string;
  readonly file: string;
  readonly symbol?: string;
  /** The most this one may grow to. */
  readonly allowed: number;
  readonly reason: string;
}

const FILE_LINES = 300;
const TEST_FILE_LINES = 400;
const MAIN_LINES = 80;
const FUNCTION_LINES = 60;
const PARAMETERS = 3;
const FOLDERS = 6;

/** The files whose work is to know everybody. */
const WIRING = ["main.ts", "mod.ts"];

/** Everything that has a budget, whether it is kept or not. */
export function measure(source: Source): Measure[] {
  const place = placeOf(source.path);
  const of = (rule: string, value: number, budget: number) => ({
    rule,
    file: source.path,
    symbol: "",
    line: 1,
    value,
    budget,
  });
  const measures: Measure[] = [
    of("file-lines", source.lines, fileBudget(source.path)),
    ...[...new Set(source.ignores)].map((rule) =>
      of(rule, source.ignores.filter((each) => each === rule).length, 0)
    ),
  ];
  if (!place.isProgram) return measures;
  const isWiring = WIRING.includes(source.path) ||
    roomOf(source.path) === "agent";
  if (!isWiring) {
    measures.push(of("folders", foldersOf(source).size, FOLDERS));
  }
  for (const each of source.functions) {
    const at = { file: source.path, symbol: each.name, line: each.line };
    measures.push(
      {
        ...at,
        rule: "function-lines",
        value: each.lines,
        budget: FUNCTION_LINES,
      },
      { ...at, rule: "parameters", value: each.parameters, budget: PARAMETERS },
    );
  }
  return measures;
}

function fileBudget(path: string): number {
  if (path === "main.ts") return MAIN_LINES;
  return placeOf(path).isTest ? TEST_FILE_LINES : FILE_LINES;
}

function foldersOf(source: Source): Set<string | undefined> {
  const own = roomOf(source.path);
  const rooms = source.imports.filter((each) => !each.isPackage)
    .map((each) => roomOf(each.target) ?? each.target.split("/")[0])
    .filter((room) => room !== own);
  return new Set(rooms);
}

/** Measures over budget that no exception covers, one line each. */
export function overBudget(
  measures: readonly Measure[],
  exceptions: readonly Exception[],
): string[] {
  return measures.flatMap((found) => {
    const covering = exceptions.find((each) => covers(each, found));
    const allowed = Math.max(found.budget, covering?.allowed ?? 0);
    if (found.value <= allowed) return [];
    const what = [found.rule, found.symbol].filter(Boolean).join(" of ");
    return [
      `${found.file}:${found.line} ${what}: ${found.value}, at most ${allowed}. ` +
      "Split it by what it decides; an exception needs a reason in " +
      "tests/house/exceptions.json",
    ];
  });
}

/** Entries that cover nothing, or that say too little. */
export function staleExceptions(
  measures: readonly Measure[],
  exceptions: readonly Exception[],
): string[] {
  return exceptions.flatMap((entry) => {
    const what = `${entry.rule} ${entry.file} ${entry.symbol ?? ""}`.trim();
    if (entry.reason.length < 20) return [`${what}: the reason is missing`];
    const isNeeded = measures.some((found) =>
      covers(entry, found) && found.value > found.budget
    );
    return isNeeded ? [] : [`${what}: no longer needed, remove the entry`];
  });
}

function covers(entry: Exception, found: Measure): boolean {
  return entry.rule === found.rule && entry.file === found.file &&
    (entry.symbol ?? "") === found.symbol;
}
