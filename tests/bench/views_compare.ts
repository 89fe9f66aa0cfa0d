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
  /** Absent: any pod. */
  readonly pod?: RegExp;
  readonly section: string;
  readonly line: RegExp;
  readonly reason: string;
}

/** Pods whose volumes are never ready. */
const WITHOUT_VOLUMES =
  /^(host-path-wrong|lost-claim|lost-key|lost-secret|nfs|no-driver)$/;

export const EXCEPTIONS: readonly Exception[] = [
  {
    section: "pod-status",
    line: /^resources(=\{\}|\.limits\.memory=9007199254740988Ki)$/,
    reason: "An empty object tells nothing; the number is the kernel's word " +
      "for no limit, which the kubelet shows of pods that have ended",
  },
  {
    section: "ids",
    line: /^\s*0\s+\d+\s+65536$/,
    reason: "The kubelet draws lots for the piece of ids that a pod gets",
  },
  ...["pod-status", "events"].map((section) => ({
    pod: WITHOUT_VOLUMES,
    section,
    line: new RegExp(
      "^(conditions\\.PodReadyToStartContainers\\.status|podIPs?\\b|" +
        "Normal Pulled |Warning MissingClusterDNS )",
    ),
    reason: "Sandbox and image are made ready while the volumes are waited for",
  })),
  {
    pod: /^nfs$/,
    section: "events",
    line: /^Warning FailedMount /,
    reason: "The kernel is asked without mount(8), so its words are missing",
  },
  {
    pod: /^files-broken$/,
    section: "events",
    line: /^Warning Failed .*couldn't parse env file/,
    reason: "What is wrong with the file is said besides",
  },
  {
    pod: /^files-broken$/,
    section: "pod-status",
    line: /\.state\.waiting\.message=couldn't parse env file/,
    reason: "What is wrong with the file is said besides",
  },
];

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
    const at = { pod, section };
    const mine = meant(at, ours.get(section) ?? []);
    const others = meant(at, theirs.get(section) ?? []);
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

/** Without what may differ. */
function meant(
  { pod, section }: { readonly pod: string; readonly section: string },
  lines: readonly string[],
): readonly string[] {
  const allowed = EXCEPTIONS.filter((each) =>
    each.section === section && each.pod?.test(pod) !== false
  );
  return lines.filter((line) => !allowed.some((each) => each.line.test(line)));
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
