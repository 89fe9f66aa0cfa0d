/** Which cases of the upstream suite are run, and what came of them. Pure. */

/** Everything that one node without kube-proxy can be judged by. */
export const FOCUS = "\\[NodeConformance\\]";

export const SKIP = "\\[Serial\\]|\\[Slow\\]|\\[Disruptive\\]|\\[Flaky\\]";

/** Cases that the real kubelet fails on such a machine too, and why. */
export const IMPOSSIBLE: readonly {
  readonly text: string;
  readonly reason: string;
}[] = [
  {
    text: "PrivilegedPod [NodeConformance] should enable privileged commands",
    reason: "this kernel has no dummy network devices",
  },
  {
    text: "when scheduling a read only busybox container should not write " +
      "to root filesystem",
    reason: "it wants the error text of busybox's own shell",
  },
];

/** A part of what ginkgo reports of one case. */
export interface CaseReport {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeText: string;
  readonly LeafNodeType: string;
  readonly State: string;
  /** Nanoseconds. */
  readonly RunTime?: number;
  readonly Failure?: { readonly Message?: string };
}

export interface SuiteReport {
  readonly SpecReports: readonly CaseReport[] | null;
}

export interface Outcome {
  readonly name: string;
  readonly state: string;
  readonly seconds: number;
  readonly message: string;
}

/**
 * Cases that were chosen; set-up and those left out are not listed. A case that
 * skips itself gives a reason, one that was not chosen none.
 */
export function outcomes(reports: readonly SuiteReport[]): Outcome[] {
  return reports.flatMap(({ SpecReports }) => SpecReports ?? [])
    .filter(({ LeafNodeType, State, Failure }) =>
      LeafNodeType === "It" && State !== "pending" &&
      (State !== "skipped" || (Failure?.Message ?? "") !== "")
    )
    .map((report) => ({
      name: nameOf(report),
      state: report.State,
      seconds: (report.RunTime ?? 0) / 1e9,
      message: report.Failure?.Message ?? "",
    }));
}

function nameOf(report: CaseReport): string {
  const { ContainerHierarchyTexts, LeafNodeText } = report;
  return [...ContainerHierarchyTexts ?? [], LeafNodeText].join(" ");
}

/** True for a case that is to be run. */
export function isWanted(name: string): boolean {
  return new RegExp(FOCUS).test(name) && !new RegExp(SKIP).test(name) &&
    !IMPOSSIBLE.some(({ text }) => name.includes(text));
}

/**
 * The fixed fifth that each run of the continuous integration takes: by the
 * hash of the name, so that it goes across all areas and never moves. (Two in
 * nine: one in five would come out short.)
 */
export function isInFifth(name: string): boolean {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash % 9 < 2;
}

/** One pattern that matches these names and no others. */
export function patternOf(names: readonly string[]): string {
  const escaped = names.map((name) =>
    name.trim().replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  return `(${escaped.join("|")})$`;
}

const FIRST_LINES = 4;
const LAST_LINES = 12;

/** What is said first, and what was wrong: in between may be a whole pod. */
export function gist(message: string): readonly string[] {
  const lines = message.trimEnd().split("\n");
  return lines.length <= FIRST_LINES + LAST_LINES
    ? lines
    : [...lines.slice(0, FIRST_LINES), "…", ...lines.slice(-LAST_LINES)];
}
