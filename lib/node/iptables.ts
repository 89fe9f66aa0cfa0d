/**
 * Chains of iptables that others look for: one tells which of the two kinds of
 * iptables the machine uses, another keeps neighbours from what listens on its
 * loopback addresses. Made at the start, and again when somebody has flushed
 * the tables, which the canaries show.
 * Compat: kubelet 1.36 kubelet_network_linux.go, util/iptables Monitor.
 */
import { AgentError, chainOf, isAbort, nextOf } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Ended, Programs } from "../port/programs.ts";

/** One for each family of addresses. */
export const IPTABLES_PROGRAMS = ["iptables", "ip6tables"] as const;

type Program = typeof IPTABLES_PROGRAMS[number];

const CANARY = "KUBE-KUBELET-CANARY";
const CANARY_TABLES = ["mangle", "nat", "filter"];
const HINT: Chain = { table: "mangle", name: "KUBE-IPTABLES-HINT" };
const FIREWALL: Chain = { table: "filter", name: "KUBE-FIREWALL" };

const AUDIT_MS = 60_000;
const LIMIT_MS = 30_000;
const LIMIT_BYTES = 256 * 1024;
/** Others change the tables too; so many seconds for their lock. */
const LOCK = ["-w", "5"];
const NO_SUCH = 1;

interface Chain {
  readonly table: string;
  readonly name: string;
}

interface Rule {
  readonly chain: Chain;
  readonly place: "first" | "last";
  readonly words: readonly string[];
}

interface Tables {
  readonly chains: readonly Chain[];
  readonly rules: readonly Rule[];
}

/** What there is to be, in the order in which it is made. */
export function wantedTables(program: Program): Tables {
  const canaries = CANARY_TABLES.map((table) => ({ table, name: CANARY }));
  if (program === "ip6tables") {
    return { chains: [HINT, ...canaries], rules: [] };
  }
  return {
    chains: [HINT, FIREWALL, ...canaries],
    rules: [
      // kube-proxy makes the same one, word for word.
      { chain: FIREWALL, place: "last", words: NO_MARTIANS },
      ...["OUTPUT", "INPUT"].map((name): Rule => ({
        chain: { table: "filter", name },
        place: "first",
        words: ["-j", FIREWALL.name],
      })),
    ],
  };
}

const NO_MARTIANS = [
  ...["-m", "comment", "--comment", "block incoming localnet connections"],
  ...["--dst", "127.0.0.0/8", "!", "--src", "127.0.0.0/8"],
  ...["-m", "conntrack", "!", "--ctstate", "RELATED,ESTABLISHED,DNAT"],
  ...["-j", "DROP"],
];

interface IptablesPorts {
  readonly programs: Programs;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What `denolet explain` tells of it. */
export interface IptablesView {
  /** Families whose chains are kept. */
  readonly kept: readonly Program[];
  /** Families that are let be, and why. */
  readonly letBe: ReadonlyMap<Program, string>;
  /** Families that are tried again, and why. */
  readonly failing: ReadonlyMap<Program, string>;
  readonly lastAtMs: number | undefined;
  readonly nextAtMs: number | undefined;
}

export class IptablesLoop {
  readonly #ports: IptablesPorts;
  readonly #kept = new Set<Program>();
  /** There is no such program, or it may not be run. */
  readonly #letBe = new Map<Program, string>();
  readonly #failing = new Map<Program, string>();
  #lastAtMs: number | undefined;

  constructor(ports: IptablesPorts) {
    this.#ports = ports;
  }

  view(): IptablesView {
    const lastAtMs = this.#lastAtMs;
    const isOver = this.#letBe.size === IPTABLES_PROGRAMS.length;
    return {
      kept: [...this.#kept],
      letBe: this.#letBe,
      failing: this.#failing,
      lastAtMs,
      nextAtMs: isOver || lastAtMs === undefined
        ? undefined
        : lastAtMs + AUDIT_MS,
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(
      IPTABLES_PROGRAMS.map((program) => this.#keep(program, signal)),
    );
  }

  async #keep(program: Program, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    for (;;) {
      try {
        await this.#audit(program, signal);
        this.#failing.delete(program);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        this.#fail(program, error);
      }
      this.#lastAtMs = clock.nowMs();
      if (this.#letBe.has(program)) return;
      await clock.sleep(AUDIT_MS, signal);
    }
  }

  async #audit(program: Program, signal: AbortSignal): Promise<void> {
    const wanted = wantedTables(program);
    const isNew = !this.#kept.has(program);
    if (!isNew && await this.#isWhole(program, wanted, signal)) return;
    this.#kept.delete(program);
    for (const chain of wanted.chains) await this.#make(program, chain, signal);
    for (const rule of wanted.rules) await this.#add(program, rule, signal);
    this.#kept.add(program);
    if (isNew) return;
    this.#ports.log.info("Made the chains of iptables again", { program });
  }

  /** A canary is gone when somebody has flushed its table. */
  async #isWhole(
    program: Program,
    { chains }: Tables,
    signal: AbortSignal,
  ): Promise<boolean> {
    const tables = new Set(
      chains.filter(({ name }) => name !== CANARY).map(({ table }) => table),
    );
    for (const table of tables) {
      const { code } = await this.#run(program, {
        args: ["-S", CANARY, "-t", table],
        allowed: [0, NO_SUCH],
      }, signal);
      if (code === NO_SUCH) return false;
    }
    return true;
  }

  async #make(
    program: Program,
    { table, name }: Chain,
    signal: AbortSignal,
  ): Promise<void> {
    const args = ["-N", name, "-t", table];
    const ended = await this.#run(
      program,
      { args, allowed: [0, NO_SUCH] },
      signal,
    );
    const isThere = ended.code === 0 || ended.stderr.includes("already exists");
    if (!isThere) throw refused(program, args, ended);
  }

  async #add(
    program: Program,
    { chain: { table, name }, place, words }: Rule,
    signal: AbortSignal,
  ): Promise<void> {
    const args = [name, "-t", table, ...words];
    const found = await this.#run(program, {
      args: ["-C", ...args],
      allowed: [0, NO_SUCH],
    }, signal);
    if (found.code === 0) return;
    const how = place === "first" ? "-I" : "-A";
    await this.#run(program, { args: [how, ...args], allowed: [0] }, signal);
  }

  async #run(
    program: Program,
    { args, allowed }: {
      readonly args: readonly string[];
      readonly allowed: readonly number[];
    },
    signal: AbortSignal,
  ): Promise<Ended> {
    const ended = await this.#ports.programs.run({
      path: program,
      args: [...LOCK, ...args],
      env: new Map(),
      limitMs: LIMIT_MS,
      limitBytes: LIMIT_BYTES,
    }, signal);
    if (allowed.includes(ended.code)) return ended;
    throw refused(program, args, ended);
  }

  /** Told once for each cause: nothing of the agent's own needs the chains. */
  #fail(program: Program, error: unknown): void {
    const message = chainOf(error);
    const before = this.#failing.get(program);
    if (nextOf(error) === "give-up") {
      this.#kept.delete(program);
      this.#letBe.set(program, message);
    } else this.#failing.set(program, message);
    if (before === message) return;
    this.#ports.log.info("Chains of iptables are not kept", {
      ...{ program, error: message, wantedBy: "makeIPTablesUtilChains" },
    });
  }
}

function refused(
  program: Program,
  args: readonly string[],
  { code, stderr }: Ended,
): AgentError {
  return new AgentError(
    `${program} ${args.join(" ")} ended with ${code}: ${
      stderr.trim().split("\n")[0] ?? ""
    }`,
    { next: "retry" },
  );
}
