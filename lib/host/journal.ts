/**
 * systemd's journal, by its program: its files are a format of their own.
 * Compat: kubelet 1.36 kubelet_server_journal_linux.go.
 */
import type { Journal, JournalQuery } from "../port/journal.ts";
import { AgentError } from "../base/errors.ts";
import { hostPrograms, outputOf } from "./programs.ts";

const PROGRAM = "journalctl";
const READ_LIMIT_MS = 30_000;
const UNITS_LIMIT_MS = 10_000;
const UNITS_LIMIT_BYTES = 4 * 1024 * 1024;

export const hostJournal: Journal = {
  async units(signal) {
    try {
      const { code, stdout } = await hostPrograms.run({
        ...{ path: PROGRAM, args: ["--field", "_SYSTEMD_UNIT"] },
        ...{ env: new Map(), limitMs: UNITS_LIMIT_MS },
        limitBytes: UNITS_LIMIT_BYTES,
      }, signal);
      return new Set(code === 0 ? stdout.trim().split("\n") : []);
    } catch (error) {
      const isAbsent = error instanceof AgentError &&
        error.reason === "NotFound";
      if (isAbsent) return new Set();
      throw error;
    }
  },
  read: (query, signal) =>
    outputOf({
      ...{ path: PROGRAM, args: journalArgs(query), limitMs: READ_LIMIT_MS },
    }, signal),
};

/** Times are UTC, whatever the machine's zone is. */
export function journalArgs(query: JournalQuery): string[] {
  const { units, sinceMs, untilMs, lines, boot, pattern } = query;
  return [
    ...["--utc", "--no-pager", "--output=short-precise"],
    ...sinceMs === undefined ? [] : [`--since=${timeText(sinceMs)}`],
    ...untilMs === undefined ? [] : [`--until=${timeText(untilMs)}`],
    ...lines === undefined ? [] : ["--pager-end", `--lines=${lines}`],
    ...units.map((unit) => `--unit=${unit}`),
    ...pattern === undefined ? [] : [`--grep=${pattern}`],
    ...boot === undefined ? [] : ["--boot", `${boot}`],
  ];
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace(/\..*/, " UTC");
}
