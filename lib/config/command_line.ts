/**
 * The words of the command line to what the process shall do. The first word
 * may be a sub-command; everything else is the agent's own flags, read the way
 * pflag reads them. Called once by main.ts.
 */
import {
  AGENT_FIELDS,
  AGENT_SHAPE,
  type AgentFlags,
  IGNORED_FLAGS,
} from "./agent_flags.ts";
import {
  FLAG_TARGETS,
  type FlagTarget,
  isSwitch,
  normalizeFlag,
} from "./flag_names.ts";
import { parseBool } from "./kind.ts";
import { type PermissionsWish, permissionsWish } from "./permissions_wish.ts";
import { REMOVED_FLAGS } from "./removed_flags.ts";
import { fits, nested } from "./schema.ts";
import type { Setting, Settings } from "./setting.ts";
import { parseSubcommand, type Subcommand } from "./subcommand.ts";
import { isIp } from "./text_rules.ts";
import { shorten } from "./tree.ts";

/** What flags said. Nothing has been checked against a configuration file. */
export interface ParsedFlags {
  /** The agent's own flags, each with its default; host paths unprefixed. */
  readonly agent: AgentFlags;
  /** The own flags that were given, by property of `agent`. */
  readonly given: Settings;
  /** Configuration fields set by flags, by path. */
  readonly fields: Settings;
  /** Unknown, removed, old and useless flags; one line each. */
  readonly warnings: readonly string[];
}

export type Command =
  | { readonly kind: "agent" | "check-config"; readonly flags: ParsedFlags }
  | {
    readonly kind: "permissions";
    readonly flags: ParsedFlags;
    readonly wish: PermissionsWish;
  }
  | Subcommand
  | { readonly kind: "version"; readonly form: "line" | "raw" }
  | { readonly kind: "about"; readonly output: "text" | "json" }
  | { readonly kind: "help" }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * Never throws: what a user got wrong comes back as `invalid` with one line.
 * A scalar flag given again wins over the earlier one; lists and maps collect.
 * An unknown flag is a warning, or `invalid` under `--strict-flags`; it takes
 * the next word as its value unless that begins with a dash.
 * Compat: kubelet 1.36 NewKubeletCommand (flags), pflag 1.0
 */
export function parseCommandLine(argv: readonly string[]): Command {
  const [word = "", ...rest] = argv;
  switch (word) {
    case "pods":
    case "logs":
    case "explain":
      return parseSubcommand(word, rest);
    case "help":
      return { kind: "help" };
    case "check-config":
      return readFlags(word, rest);
    case "permissions":
      return readPermissions(rest);
    case "version":
      return readAbout(rest);
    default:
      return readFlags("agent", argv);
  }
}

function readAbout(words: readonly string[]): Command {
  const written = words.length === 0 ? "--output=text" : words.join("=");
  const output = /^(?:--output=|-o=?)(text|json)$/.exec(written)?.[1];
  if (output === "text" || output === "json") return { kind: "about", output };
  const odd = JSON.stringify(shorten(words.join(" ")));
  return {
    kind: "invalid",
    message: `version: ${odd} is not allowed: --output=text or --output=json`,
  };
}

function readPermissions(words: readonly string[]): Command {
  const { problem, rest, wish } = permissionsWish(words);
  if (problem !== undefined) return { kind: "invalid", message: problem };
  const command = readFlags("check-config", rest);
  return command.kind === "check-config"
    ? { kind: "permissions", flags: command.flags, wish }
    : command;
}

function readFlags(
  kind: "agent" | "check-config",
  words: readonly string[],
): Command {
  const reader = new FlagReader(words);
  const problem = reader.read();
  if (problem !== undefined) return { kind: "invalid", message: problem };
  if (reader.isHelpWanted) return { kind: "help" };
  if (reader.version !== undefined) {
    return { kind: "version", form: reader.version };
  }
  const valueOf = (path: string) =>
    reader.given.get(path)?.value ?? AGENT_FIELDS.get(path)?.initial;
  const agent = nested(AGENT_SHAPE, valueOf);
  if (!fits(AGENT_SHAPE, agent)) throw new Error("Flags do not fit the table");
  const unknown = reader.unknown[0];
  if (agent.strictFlags && unknown !== undefined) {
    return { kind: "invalid", message: unknown };
  }
  const { given, fields } = reader;
  return {
    kind,
    flags: { agent, given, fields, warnings: reader.allWarnings() },
  };
}

/** One reading of one command line. */
class FlagReader {
  readonly given = new Map<string, Setting>();
  readonly fields = new Map<string, Setting>();
  readonly unknown: string[] = [];
  isHelpWanted = false;
  version: "line" | "raw" | undefined;
  readonly #words: string[];
  readonly #warnings: string[] = [];

  constructor(words: readonly string[]) {
    this.#words = [...words];
  }

  /** Reads all words; the text of the first error, if any. */
  read(): string | undefined {
    for (;;) {
      const word = this.#words.shift();
      if (word === undefined) return undefined;
      const problem = word.startsWith("--") && word.length > 2
        ? this.#long(word)
        : /^-[^-]/.test(word)
        ? this.#short(word)
        : this.#positional(word);
      if (problem !== undefined) return problem;
    }
  }

  allWarnings(): string[] {
    const old = [...this.fields.values()].flatMap(({ origin }) =>
      origin.kind === "flag" && !NOT_DEPRECATED.has(origin.flag)
        ? [`--${origin.flag}`]
        : []
    );
    const useless = [...this.given].flatMap(([path, { origin }]) =>
      origin.kind === "flag" && IGNORED_FLAGS.has(path)
        ? [`--${origin.flag}`]
        : []
    );
    return [
      ...this.unknown,
      ...this.#warnings,
      ...(useless.length === 0
        ? []
        : [`Flags without effect here: ${useless.join(", ")}`]),
      ...(old.length === 0 ? [] : [
        `Deprecated flags, set them in the --config file: ${old.join(", ")}`,
      ]),
    ];
  }

  #positional(word: string): string | undefined {
    const extra = word === "--" ? this.#words.shift() : word;
    return extra === undefined
      ? undefined
      : `Unexpected argument ${shorten(extra)}: only flags are allowed here`;
  }

  #long(word: string): string | undefined {
    const [, written = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (written === "" || written.startsWith("-")) {
      return `Bad flag syntax: ${shorten(word)}`;
    }
    return this.#one(normalizeFlag(written), value);
  }

  /** Compat: pflag parseSingleShortArg; only -h and -v exist. */
  #short(word: string): string | undefined {
    const [, letter = "", value = ""] = /^-(.)(.*)$/s.exec(word) ?? [];
    if (letter === "h") {
      this.isHelpWanted = true;
      return value === "" ? undefined : this.#short(`-${value}`);
    }
    if (letter === "v") {
      return this.#one("v", value === "" ? undefined : value.replace(/^=/, ""));
    }
    this.unknown.push(`Unknown flag ${shorten(word)} ignored`);
    return undefined;
  }

  #one(name: string, value: string | undefined): string | undefined {
    if (name === "help") return this.#help(value ?? "true");
    if (name === "version") return this.#version(value ?? "true");
    const target = FLAG_TARGETS.get(name);
    if (target === undefined) {
      this.#strange(name, value);
      return undefined;
    }
    if (value === undefined && isSwitch(target)) {
      return this.#set(target, "true");
    }
    const own = value ?? this.#words.shift();
    return own === undefined
      ? `--${name}: needs a value: ${flagAllowed(target)}`
      : this.#set(target, own);
  }

  #help(value: string): string | undefined {
    const isWanted = parseBool(value);
    this.isHelpWanted = isWanted ?? false;
    return isWanted === undefined ? notAllowed("help", value) : undefined;
  }

  #version(value: string): string | undefined {
    if (value !== "raw" && parseBool(value) === undefined) {
      return notAllowed("version", value);
    }
    this.version = value === "raw"
      ? "raw"
      : parseBool(value)
      ? "line"
      : undefined;
    return undefined;
  }

  #set(target: FlagTarget, text: string): string | undefined {
    const { field, flag, path } = target;
    // Compat: IPVar.Set takes an empty address as not given.
    if (text === "" && field.isAllowed === isIp) return undefined;
    const into = target.table === "agent" ? this.given : this.fields;
    const kind = field.flagKind ?? field.kind;
    const value = kind.fromFlag(text, into.get(path)?.value);
    const isGood = value !== undefined &&
      (target.table === "kubelet" || field.isAllowed?.(value) !== false);
    if (!isGood) {
      const shown = field.isSecret ? "<masked>" : JSON.stringify(shorten(text));
      return `--${flag}: value ${shown} is not allowed: ${flagAllowed(target)}`;
    }
    into.set(path, { value, origin: { kind: "flag", flag } });
    return undefined;
  }

  /** A flag that upstream 1.36 does not have. */
  #strange(name: string, value: string | undefined): void {
    const removed = REMOVED_FLAGS.get(name);
    const mayTake = value === undefined && removed?.takes !== "nothing" &&
      this.#words[0]?.startsWith("-") === false;
    const taken = mayTake ? this.#words.shift() : undefined;
    const tail = taken === undefined
      ? ""
      : ` together with the word ${JSON.stringify(shorten(taken))} after it`;
    this.unknown.push(
      removed === undefined
        ? `Unknown flag --${shorten(name)} ignored${tail}`
        : `Flag --${name} was removed, ignored${tail}: ${removed.instead}`,
    );
  }
}

/** Compat: kubelet 1.36 AddKubeletConfigFlags notDeprecated */
const NOT_DEPRECATED: ReadonlySet<string> = new Set([
  "v",
  "vmodule",
  "log-flush-frequency",
  "provider-id",
  "fail-cgroupv1",
]);

function flagAllowed({ field }: FlagTarget): string {
  const kind = field.flagKind ?? field.kind;
  return kind.flagAllowed ?? field.allowed ?? kind.allowed;
}

function notAllowed(flag: string, value: string): string {
  const words = flag === "version" ? "true, false or raw" : "true or false";
  return `--${flag}: value ${JSON.stringify(shorten(value))} ` +
    `is not allowed: ${words}`;
}
