/** What the tables of packets are to be while the agent keeps its chains. */
import assert from "node:assert/strict";
import { silentLogger } from "../../lib/base/log.ts";
import { IptablesLoop } from "../../lib/node/iptables.ts";
import type { Programs } from "../../lib/port/programs.ts";
import { FakeClock } from "../fakes/fake_clock.ts";

export interface TablesWorld {
  readonly programs: Programs;
  close(): Promise<void>;
}

type Make = () => Promise<TablesWorld>;
type Ask = (program: string, ...args: string[]) => Promise<string>;

const MINUTE_MS = 60_000;
const FAMILIES = 2;
const NO_MARTIANS = [
  "-A KUBE-FIREWALL",
  "127.0.0.0/8",
  '--comment "block incoming localnet connections"',
  "--ctstate RELATED,ESTABLISHED,DNAT",
  "-j DROP",
];

export function iptablesContract(
  name: string,
  make: Make,
  { ignore }: { readonly ignore: boolean },
): void {
  const promise = (
    title: string,
    run: (ask: Ask, loop: RunningLoop) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore,
      async fn() {
        const world = await make();
        const loop = new RunningLoop(world.programs);
        try {
          await run(asking(world.programs), loop);
        } finally {
          await loop.end();
          await world.close();
        }
      },
    });

  promise(
    "each family has its chains, IPv4 the firewall",
    async (ask, loop) => {
      await loop.audit();
      await assertWhole(ask);
      await assert.rejects(ask("ip6tables", "-S", "KUBE-FIREWALL"));
      assert.deepEqual(loop.view().kept.toSorted(), ["ip6tables", "iptables"]);
    },
  );

  promise("made twice they are there once", async (ask, loop) => {
    await loop.audit();
    await loop.end();
    const again = loop.anew();
    await again.audit();
    await again.end();
    await assertWhole(ask);
  });

  promise("rules of others stay, and come behind", async (ask, loop) => {
    await ask("iptables", "-N", "KUBE-FIREWALL");
    await ask("iptables", "-A", "KUBE-FIREWALL", "-j", "RETURN");
    await ask("iptables", "-A", "INPUT", "-j", "ACCEPT");
    await loop.audit();
    const firewall = rulesOf(await ask("iptables", "-S", "KUBE-FIREWALL"));
    assert.equal(firewall[0], "-A KUBE-FIREWALL -j RETURN");
    assert.equal(firewall.length, 2);
    assert.deepEqual(rulesOf(await ask("iptables", "-S", "INPUT")), [
      "-A INPUT -j KUBE-FIREWALL",
      "-A INPUT -j ACCEPT",
    ]);
  });

  for (const table of ["filter", "mangle"]) {
    promise(`a flush of ${table} is made good`, async (ask, loop) => {
      await loop.audit();
      await ask("iptables", "-F", "-t", table);
      await ask("iptables", "-X", "-t", table);
      await loop.audit();
      await assertWhole(ask);
      assert.equal(loop.view().failing.size, 0);
    });
  }
}

async function assertWhole(ask: Ask): Promise<void> {
  for (const program of ["iptables", "ip6tables"]) {
    await ask(program, "-S", "KUBE-IPTABLES-HINT", "-t", "mangle");
    for (const table of ["mangle", "nat", "filter"]) {
      await ask(program, "-S", "KUBE-KUBELET-CANARY", "-t", table);
    }
  }
  for (const chain of ["INPUT", "OUTPUT"]) {
    const rules = rulesOf(await ask("iptables", "-S", chain));
    assert.deepEqual(rules, [`-A ${chain} -j KUBE-FIREWALL`]);
  }
  const rules = rulesOf(await ask("iptables", "-S", "KUBE-FIREWALL"));
  assert.equal(rules.length, 1);
  for (const part of NO_MARTIANS) assert.ok(rules[0]?.includes(part), part);
}

function rulesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.startsWith("-A "));
}

/** Rejects with what the program said when it ends with a failure. */
function asking(programs: Programs): Ask {
  return async (path, ...args) => {
    const { code, stdout, stderr } = await programs.run({
      ...{ path, args, env: new Map() },
      ...{ limitMs: 10_000, limitBytes: 1 << 20 },
    }, new AbortController().signal);
    if (code !== 0) throw new Error(`${path} ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
}

/** A loop whose minutes pass when the test says so. */
class RunningLoop {
  readonly #programs: Programs;
  readonly #clock = new FakeClock();
  readonly #loop: IptablesLoop;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(programs: Programs) {
    this.#programs = programs;
    this.#loop = new IptablesLoop({
      ...{ programs, clock: this.#clock, log: silentLogger },
    });
  }

  view() {
    return this.#loop.view();
  }

  anew(): RunningLoop {
    return new RunningLoop(this.#programs);
  }

  /** The first time as it begins, then each minute; ends when both rest. */
  async audit(): Promise<void> {
    const { signal } = this.#stop;
    if (this.#running === undefined) this.#running = this.#loop.run(signal);
    else await this.#clock.advance(MINUTE_MS);
    while (this.#clock.sleepers < FAMILIES) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch((error) => {
      if (error !== this.#stop.signal.reason) throw error;
    });
  }
}
