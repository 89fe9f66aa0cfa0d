/**
 * The text of a story: steps of commands, a line `----`, what was said, and an
 * empty line. Text outside of steps (`#` lines and empty lines) is kept.
 */
import type { PodWorld } from "../fakes/pod_world.ts";

export interface Command {
  readonly words: readonly string[];
  /** The lines between `<<EOF` and `EOF`, ended. */
  readonly text: string;
}

/** What a command does; what it says besides what happened. */
export type Run = (
  world: PodWorld,
  args: readonly string[],
  text: string,
) => readonly string[] | void | Promise<void>;

export interface Step {
  /** The lines above `----`, as they are written. */
  readonly lines: readonly string[];
  readonly expected: readonly string[];
  /** Line of the first command, from 1. */
  readonly line: number;
}

/** A comment or an empty line. */
export type Part = Step | { readonly comment: string };

const RULE = "----";

export function parseStory(text: string): readonly Part[] {
  const lines = text.replace(/\n$/, "").split("\n");
  const parts: Part[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? "";
    if (line === "" || line.startsWith("#")) {
      parts.push({ comment: line });
      at++;
      continue;
    }
    const rule = lines.indexOf(RULE, at);
    if (rule < 0) throw new Error(`Line ${at + 1}: no ${RULE} follows`);
    const blank = lines.indexOf("", rule);
    const end = blank < 0 ? lines.length : blank;
    parts.push({
      lines: lines.slice(at, rule),
      expected: lines.slice(rule + 1, end),
      line: at + 1,
    });
    at = end;
  }
  return parts;
}

export function renderStory(parts: readonly Part[]): string {
  return parts.flatMap((part) =>
    "comment" in part ? [part.comment] : [...part.lines, RULE, ...part.expected]
  ).join("\n") + "\n";
}

export function commandsOf({ lines }: Step): readonly Command[] {
  const commands: Command[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const heredoc = /^(.*?)\s*<<EOF$/.exec(line);
    const words = (heredoc?.[1] ?? line).split(/\s+/);
    if (heredoc === null) {
      commands.push({ words, text: "" });
      continue;
    }
    const end = lines.indexOf("EOF", at);
    if (end < 0) throw new Error(`No EOF for: ${line}`);
    const text = lines.slice(at + 1, end).map((each) => `${each}\n`).join("");
    commands.push({ words, text });
    at = end;
  }
  return commands;
}
