/** The kernel's tables of packets, and the programs `iptables` and `ip6tables`. */
import { AgentError } from "../../lib/base/errors.ts";
import type { Command, Ended, Programs } from "../../lib/port/programs.ts";

type Chains = Map<string, string[]>;

const BUILT_IN: readonly (readonly [table: string, chains: string[]])[] = [
  ["filter", ["INPUT", "FORWARD", "OUTPUT"]],
  ["nat", ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]],
  ["mangle", ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]],
];

export class FakeTables implements Programs {
  /** By program. */
  readonly refused = new Map<string, "NotFound" | "NotAllowed">();
  /** How each command ends while somebody else holds the lock. */
  isLocked = false;
  commands = 0;
  readonly #families = new Map<string, Map<string, Chains>>();

  run({ path, args }: Pick<Command, "path" | "args">): Promise<Ended> {
    return Promise.try(() => {
      this.commands++;
      const reason = this.refused.get(path);
      if (reason !== undefined) {
        const message = `Cannot run ${path}: ${reason}`;
        throw new AgentError(message, { next: "give-up", reason });
      }
      if (this.isLocked) return ended(4, "Another app is holding the lock");
      const words = args.slice(args[0] === "-w" ? 2 : 0);
      const { table, rest } = withoutTable(words);
      const chains = this.#tables(path).get(table);
      if (chains === undefined) return ended(3, `no table ${table}`);
      return act(chains, rest);
    });
  }

  #tables(program: string): Map<string, Chains> {
    const known = this.#families.get(program) ?? new Map(
      BUILT_IN.map(([table, names]) => [
        table,
        new Map(names.map((name) => [name, []])),
      ]),
    );
    this.#families.set(program, known);
    return known;
  }
}

function withoutTable(words: readonly string[]) {
  const at = words.indexOf("-t");
  if (at < 0) return { table: "filter", rest: words };
  return {
    table: words[at + 1] ?? "",
    rest: [...words.slice(0, at), ...words.slice(at + 2)],
  };
}

function act(chains: Chains, words: readonly string[]): Ended {
  const [command, name = "", ...rule] = words;
  if (command === "-F") return flush(chains, name);
  if (command === "-X") return remove(chains, name);
  const rules = chains.get(name);
  if (command === "-N") {
    if (rules !== undefined) return ended(1, "Chain already exists.");
    chains.set(name, []);
    return ended(0);
  }
  if (rules === undefined) return ended(1, `No chain ${name}`);
  const text = rule.map((word) => word.includes(" ") ? `"${word}"` : word)
    .join(" ");
  if (command === "-C") return ended(rules.includes(text) ? 0 : 1, "Bad rule");
  if (command === "-I") rules.unshift(text);
  if (command === "-A") rules.push(text);
  if (command !== "-S") return ended(0);
  return ended(0, "", rules.map((each) => `-A ${name} ${each}\n`).join(""));
}

function flush(chains: Chains, name: string): Ended {
  for (const [each, rules] of chains) {
    if (name === "" || each === name) rules.length = 0;
  }
  return ended(0);
}

/** Without a name: all that nobody jumps to, and that the kernel did not make. */
function remove(chains: Chains, name: string): Ended {
  const builtIn = new Set(BUILT_IN.flatMap(([_, names]) => names));
  for (const each of [...chains.keys()]) {
    if (!builtIn.has(each) && (name === "" || each === name)) {
      chains.delete(each);
    }
  }
  return ended(0);
}

function ended(code: number, stderr = "", stdout = ""): Ended {
  return { code, stdout, stderr: code === 0 ? "" : `${stderr}\n` };
}
