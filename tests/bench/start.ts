/**
 * What it takes to start: size of the file, time to `--version` and to the
 * first healthy answer, memory after that and with many pods; each form of the
 * program, then the real kubelet (DENOLET_KUBELET). Goals: healthy in 500 ms,
 * RSS of 95 MiB, and with 40 pods no more than the kubelet's.
 */
import { setTimeout } from "node:timers/promises";
import { down, up } from "../../deploy/world.ts";
import { agentArgs, isHealthy } from "../../deploy/world/agent.ts";
import type { WorldFacts } from "../../deploy/world/facts.ts";
import { CHECKOUT } from "../../deploy/build.ts";
import { makeScratchPackage } from "../../deploy/package.ts";
import { run } from "../../deploy/world/command.ts";
import { countsOf } from "./counts.ts";
import { KubeletProcess } from "./kubelet.ts";
import { loadedMemory } from "./start_loaded.ts";
import { align, middle } from "./report.ts";
import { conditions, memory } from "./usage.ts";

const WORLD = "bench";
const SETTLE_MS = 3_000;
const LIMIT_MS = 20_000;

interface Form {
  readonly name: string;
  readonly bytes: number;
  /** Undefined: it says no version on its own. */
  readonly version: readonly string[];
  spawn(): Promise<number>;
  stop(pid: number): Promise<void>;
}

export async function benchStart(args: readonly string[]): Promise<void> {
  const { rounds, pods } = countsOf(args, { rounds: 10, pods: 40 });
  await down(WORLD);
  const world = await up(WORLD);
  const folder = await Deno.makeTempDir({ prefix: "denolet-bench." });
  try {
    const rows: string[][] = [];
    for (const form of await forms(world, folder)) {
      rows.push(await measured(form, world, { rounds, pods }));
    }
    const head = [
      ...["", "MiB", "--version ms", "healthy ms, p50 / max"],
      ...["RSS MiB", "PSS MiB", `RSS / PSS with ${pods} pods`],
    ];
    console.log([
      ...["", ...conditions(`${rounds} starts each`), ""],
      align([head, ...rows, [
        "goal",
        "-",
        "-",
        "500",
        "95",
        "-",
        "the kubelet's",
      ]]),
    ].join("\n"));
  } finally {
    await Deno.remove(folder, { recursive: true });
    await down(WORLD);
  }
}

async function forms(world: WorldFacts, folder: string): Promise<Form[]> {
  const packed = `${folder}/denolet`;
  await makeScratchPackage(packed);
  const flags = [
    ...[`--config=${world.agentConfig}`, `--hostname-override=${world.name}`],
    `--host-root=${world.hostRoot}`,
  ];
  const found = [
    form("package", packed, { version: [packed], start: [packed, ...flags] }),
    form("checkout", Deno.execPath(), {
      version: [Deno.execPath(), ...agentArgs(world, [])],
      start: [Deno.execPath(), ...agentArgs(world, flags.slice(0, 2))],
    }),
  ];
  if (Deno.env.get("DENORT_BIN") === undefined) {
    console.log("SKIPPED: the compiled form; DENORT_BIN names no denort");
  } else {
    const compiled = `${folder}/compiled`;
    await run(Deno.execPath(), [
      ...["run", "-A", `${CHECKOUT}deploy/compile.ts`],
      ...["--set", "scratch", "--output", compiled],
    ]);
    found.push(form("compiled", compiled, {
      ...{ version: [compiled], start: [compiled, ...flags] },
    }));
  }
  const kubelet = Deno.env.get("DENOLET_KUBELET");
  if (kubelet === undefined) {
    console.log("SKIPPED: the kubelet; DENOLET_KUBELET names no binary");
    return found;
  }
  const process = new KubeletProcess(world, kubelet);
  return [...found, {
    name: "kubelet",
    bytes: (await Deno.stat(kubelet)).size,
    version: [kubelet],
    spawn: () => process.spawn(),
    stop: () => process.stop(),
  }];

  function form(
    name: string,
    file: string,
    words: { readonly version: string[]; readonly start: string[] },
  ): Form {
    const [program = "", ...args] = words.start;
    const children = new Map<number, Deno.ChildProcess>();
    return {
      name,
      bytes: Deno.statSync(file).size,
      version: words.version,
      spawn() {
        const child = new Deno.Command(program, {
          args,
          cwd: CHECKOUT,
          env: { DENOLET_HOME: `${folder}/home` },
          ...{ stdin: "null", stdout: "null", stderr: "null" },
        }).spawn();
        children.set(child.pid, child);
        return Promise.resolve(child.pid);
      },
      async stop(pid) {
        const child = children.get(pid);
        child?.kill("SIGTERM");
        await child?.status;
      },
    };
  }
}

async function measured(
  form: Form,
  world: WorldFacts,
  { rounds, pods }: { readonly rounds: number; readonly pods: number },
): Promise<string[]> {
  // The first start of each is a cold one.
  await form.stop(await healthy(form, world).then(({ pid }) => pid));
  const [versionMs, healthyMs]: [number[], number[]] = [[], []];
  const rss: number[] = [];
  const pss: number[] = [];
  for (let round = 0; round < rounds; round++) {
    versionMs.push(await versionTime(form));
    const { pid, tookMs } = await healthy(form, world);
    healthyMs.push(tookMs);
    await setTimeout(SETTLE_MS);
    const found = await memory(pid);
    rss.push(found.rssMib);
    pss.push(found.pssMib);
    await form.stop(pid);
  }
  const { pid } = await healthy(form, world);
  const loaded = await loadedMemory(world, pods, pid)
    .finally(() => form.stop(pid));
  return [
    form.name,
    (form.bytes / 2 ** 20).toFixed(1),
    middle(versionMs).toFixed(0),
    `${middle(healthyMs).toFixed(0)} / ${Math.max(...healthyMs).toFixed(0)}`,
    middle(rss).toFixed(0),
    middle(pss).toFixed(0),
    `${loaded.rssMib.toFixed(0)} / ${loaded.pssMib.toFixed(0)}`,
  ];
}

async function versionTime({ version }: Form): Promise<number> {
  const [program = "", ...args] = version;
  const sinceMs = performance.now();
  // Of a checkout the host root comes last, which a version does not mind.
  await run(program, [...args, "--version"], { cwd: CHECKOUT });
  return performance.now() - sinceMs;
}

async function healthy(
  form: Form,
  world: WorldFacts,
): Promise<{ readonly pid: number; readonly tookMs: number }> {
  const sinceMs = performance.now();
  const pid = await form.spawn();
  for (;;) {
    const tookMs = performance.now() - sinceMs;
    if (tookMs > LIMIT_MS) throw new Error(`${form.name} is not healthy`);
    if (await isHealthy(world)) {
      return { pid, tookMs: performance.now() - sinceMs };
    }
    await setTimeout(2);
  }
}
