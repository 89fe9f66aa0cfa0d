/** Where two views of the same pod differ in more than chance. Pure. */
import type { View } from "../node/view.ts";

export interface Difference {
  readonly pod: string;
  readonly section: string;
  /** Lines that only one of them has. */
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** A difference that is meant, and why. */
export interface Exception {
  readonly section: string;
  readonly line: RegExp;
  readonly reason: string;
}

export const EXCEPTIONS: readonly Exception[] = [];

/** What names one run: replaced, so that runs can be compared. */
export interface Names {
  readonly ip: string;
  readonly uid: string;
  readonly node: string;
  /** Where the agent keeps its files. */
  readonly root: string;
}

/** Undefined views: the pod told nothing. */
export function differences(
  pod: string,
  ours: View | undefined,
  theirs: View | undefined,
): Difference[] {
  const missing = (view: View | undefined) =>
    view === undefined ? ["nothing was told"] : [];
  if (ours === undefined || theirs === undefined) {
    const both = { ours: missing(ours), theirs: missing(theirs) };
    return ours === theirs ? [] : [{ pod, section: "all", ...both }];
  }
  const sections = new Set([...ours.keys(), ...theirs.keys()]);
  return [...sections].flatMap((section) => {
    const mine = meant(section, ours.get(section) ?? []);
    const others = meant(section, theirs.get(section) ?? []);
    const difference = {
      pod,
      section,
      ours: without(mine, others),
      theirs: without(others, mine),
    };
    const count = difference.ours.length + difference.theirs.length;
    return count === 0 ? [] : [difference];
  });
}

export function normalized(view: View, names: Names): View {
  const { ip, uid, node, root } = names;
  const words: [string, string][] = [
    [root, "<root>"],
    [ip, "<ip>"],
    [uid, "<uid>"],
    [node, "<node>"],
  ];
  const replace = (line: string) =>
    words.filter(([name]) => name !== "").reduce(
      (text, [name, word]) => text.replaceAll(name, word),
      // The folder of a volume's version is named for its time.
      line.replace(/\.\.\d{4}_[\d_.]+/g, "..<version>"),
    );
  return new Map(
    [...view].map(([section, lines]) => [section, lines.map(replace)]),
  );
}

function meant(section: string, lines: readonly string[]): readonly string[] {
  return lines.filter((line) =>
    !EXCEPTIONS.some((each) => each.section === section && each.line.test(line))
  );
}

/** Lines beyond those that `others` has, each as often as it is there. */
function without(
  lines: readonly string[],
  others: readonly string[],
): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
