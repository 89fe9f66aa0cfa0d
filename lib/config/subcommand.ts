/**
 * The sub-commands that ask a running node something, and their options. They
 * share nothing with the agent's flags but `--host-root`.
 */
import { isCleanAbsolutePath, isDnsSubdomain } from "./text_rules.ts";
import { shorten } from "./tree.ts";

/** A pod as a user names it; without a namespace, any that fits is meant. */
export interface PodName {
  readonly namespace: string | undefined;
  readonly name: string;
}

export type Subcommand =
  | {
    readonly kind: "pods";
    readonly output: "table" | "json";
    readonly namespace: string | undefined;
    readonly hostRoot: string;
  }
  | {
    readonly kind: "logs";
    readonly pod: PodName;
    readonly container: string | undefined;
    readonly isFollowing: boolean;
    /** Lines from the end; undefined: all. */
    readonly tailLines: number | undefined;
    readonly isPrevious: boolean;
    readonly hostRoot: string;
  }
  | {
    readonly kind: "explain";
    /** Undefined: the node as a whole. */
    readonly pod: PodName | undefined;
    readonly hostRoot: string;
  }
  | { readonly kind: "help" }
  | { readonly kind: "invalid"; readonly message: string };

type Word = "pods" | "logs" | "explain";

interface Option {
  readonly name: string;
  readonly letter?: string;
  readonly takes: "value" | "nothing";
  readonly words: readonly Word[];
}

const ALL: readonly Word[] = ["pods", "logs", "explain"];

const OPTIONS: readonly Option[] = [
  { name: "output", letter: "o", takes: "value", words: ["pods"] },
  { name: "container", letter: "c", takes: "value", words: ["logs"] },
  { name: "follow", letter: "f", takes: "nothing", words: ["logs"] },
  { name: "tail", takes: "value", words: ["logs"] },
  { name: "previous", letter: "p", takes: "nothing", words: ["logs"] },
  { name: "namespace", letter: "n", takes: "value", words: ALL },
  { name: "host-root", takes: "value", words: ALL },
  { name: "help", letter: "h", takes: "nothing", words: ALL },
];

/** Reads what follows a sub-command's word. Never throws for a user's error. */
export function parseSubcommand(
  word: Word,
  args: readonly string[],
): Subcommand {
  const given = new Map<string, string>();
  const names: string[] = [];
  const words = [...args];
  for (let arg = words.shift(); arg !== undefined; arg = words.shift()) {
    if (!arg.startsWith("-")) {
      names.push(arg);
      continue;
    }
    const [, name = "", own] = /^--?([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const option = OPTIONS.find((known) =>
      known.words.includes(word) &&
      (arg.startsWith("--") ? known.name : known.letter) === name
    );
    if (option === undefined) {
      return invalid(`Unknown option ${shorten(arg)} of ${word}`);
    }
    const value = own ?? (option.takes === "value" ? words.shift() : "true");
    if (value === undefined) return invalid(`${arg}: needs a value`);
    given.set(option.name, value);
  }
  if (given.get("help") === "true") return { kind: "help" };
  return assemble(word, given, names);
}

function assemble(
  word: Word,
  given: ReadonlyMap<string, string>,
  names: readonly string[],
): Subcommand {
  const hostRoot = given.get("host-root") ?? "/";
  if (!isCleanAbsolutePath(hostRoot)) {
    return invalid(`--host-root: value ${hostRoot} is not an absolute path`);
  }
  const namespace = given.get("namespace");
  if (word === "pods") {
    const output = given.get("output") ?? "table";
    if (output !== "table" && output !== "json") {
      return invalid(
        `-o: value ${shorten(output)} is not allowed: json, table`,
      );
    }
    return names.length > 0
      ? invalid(`Unexpected argument ${shorten(names[0] ?? "")} of pods`)
      : { kind: word, output, namespace, hostRoot };
  }
  if (word === "explain" && names.length === 0 && namespace === undefined) {
    return { kind: word, pod: undefined, hostRoot };
  }
  const pod = podName(names, namespace);
  if (pod === undefined) {
    return invalid(
      `${word}: name one pod, as NAME or NAMESPACE/NAME, with at most one -n`,
    );
  }
  if (word === "explain") return { kind: word, pod, hostRoot };
  const tail = given.get("tail") ?? "-1";
  if (!/^(?:-1|\d{1,9})$/.test(tail)) {
    return invalid(`--tail: value ${shorten(tail)} is not a number of lines`);
  }
  return {
    kind: word,
    pod,
    container: given.get("container"),
    isFollowing: given.get("follow") === "true",
    tailLines: tail === "-1" ? undefined : Number(tail),
    isPrevious: given.get("previous") === "true",
    hostRoot,
  };
}

function podName(
  names: readonly string[],
  option: string | undefined,
): PodName | undefined {
  const parts = names[0]?.split("/") ?? [];
  const name = parts.pop() ?? "";
  const written = parts.pop();
  const namespace = written ?? option;
  const isGood = names.length === 1 && parts.length === 0 &&
    isDnsSubdomain(name) &&
    (namespace === undefined || isDnsSubdomain(namespace)) &&
    (written === undefined || option === undefined || written === option);
  return isGood ? { namespace, name } : undefined;
}

function invalid(message: string): Subcommand {
  return { kind: "invalid", message };
}
