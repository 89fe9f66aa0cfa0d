/**
 * The benchmark: raw CRI calls, the agent and, when there is one, the real
 * kubelet, side by side in one run. Each has a containerd of its own, since an
 * agent removes pods it does not know; only one of them works at a time.
 *
 *   deno task bench [--rounds N] [--batches N] [--pods N] [--idle SECONDS]
 *
 * DENOLET_KUBELET names a kubelet binary to compare with.
 */
import { parseArgs } from "node:util";
import { down, up, worldFacts } from "../../deploy/world.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import { AgentSubject, denoletProcess } from "./agent.ts";
import { KubeletProcess, stopKubelet } from "./kubelet.ts";
import { Observer } from "./observer.ts";
import { RawSubject } from "./raw.ts";
import { table } from "./report.ts";
import {
  allAtOnce,
  atRest,
  type Bench,
  coldStarts,
  oneAtATime,
} from "./rows.ts";
import { conditions } from "./usage.ts";

const NAMES = { raw: "raw CRI", ours: "denolet", peer: "kubelet" } as const;
/** The agent's permission set knows only the world `bench`. */
const WORLDS = { raw: "bench-raw", ours: "bench", peer: "bench-kubelet" };

interface Options {
  readonly rounds: number;
  readonly batches: number;
  readonly pods: number;
  readonly idle: number;
}

function options(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "20" },
      batches: { type: "string", default: "3" },
      pods: { type: "string", default: "40" },
      idle: { type: "string", default: "60" },
    },
  });
  const count = (text: string) => {
    if (!/^[1-9]\d*$/.test(text)) throw new Error(`Cannot count to ${text}`);
    return Number(text);
  };
  return {
    rounds: count(values.rounds),
    batches: count(values.batches),
    pods: count(values.pods),
    idle: count(values.idle),
  };
}

/** A fresh world, and somebody who watches it. */
async function watched(name: string, signal: AbortSignal) {
  await down(name);
  const world = await up(name);
  const channel = openChannel({ endpoint: `unix://${world.socket}` });
  const runtime = new CriRuntime(channel);
  const observer = new Observer();
  observer.run(runtime, signal).catch((error) => {
    console.error("The observer lost its event stream", error);
    Deno.exit(1);
  });
  return { world, runtime, observer, close: () => channel.close() };
}

async function run(chosen: Options, signal: AbortSignal): Promise<void> {
  const kubelet = Deno.env.get("DENOLET_KUBELET");
  const rawPlace = await watched(WORLDS.raw, signal);
  const places = [rawPlace];
  const agents: AgentSubject[] = [];
  const ours = await watched(WORLDS.ours, signal);
  places.push(ours);
  agents.push(
    new AgentSubject({
      name: NAMES.ours,
      removes: "at-once",
      process: denoletProcess(ours.world),
      ...ours,
    }),
  );
  if (kubelet !== undefined) {
    const peer = await watched(WORLDS.peer, signal);
    places.push(peer);
    agents.push(
      new AgentSubject({
        name: NAMES.peer,
        removes: "later",
        process: new KubeletProcess(peer.world, kubelet),
        ...peer,
      }),
    );
  }
  try {
    for (const agent of agents) await agent.open();
    await measure({ chosen, rawPlace, agents, signal });
  } finally {
    for (const agent of agents) await agent.close();
    for (const place of places) place.close();
  }
  if (kubelet === undefined) {
    console.log("\nSKIPPED: the kubelet; DENOLET_KUBELET names no binary");
  }
}

type Place = Awaited<ReturnType<typeof watched>>;

async function measure(
  of: {
    readonly chosen: Options;
    readonly rawPlace: Place;
    readonly agents: readonly AgentSubject[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { chosen, rawPlace, agents, signal } = of;
  const bench: Bench = {
    raw: new RawSubject({ name: NAMES.raw, ...rawPlace, signal }),
    agents,
    image: rawPlace.world.images.busybox,
    rounds: chosen.rounds,
    batches: chosen.batches,
    batchSize: chosen.pods,
    idleSeconds: chosen.idle,
    say: (text) => console.error(`  ${text}`),
  };
  const version = await rawPlace.runtime.version(signal);
  const before = conditions(`${version.name} ${version.version}`);
  const rows = [
    ...await oneAtATime(bench),
    ...await allAtOnce(bench),
    ...await atRest(bench),
    ...await coldStarts(bench),
  ];
  console.log([...before, "", table(rows, NAMES)].join("\n"));
}

if (import.meta.main) {
  const chosen = options(Deno.args);
  const over = new AbortController();
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  Deno.addSignalListener("SIGINT", () => reject(new Error("interrupted")));
  try {
    await Promise.race([run(chosen, over.signal), interrupted]);
  } finally {
    over.abort();
    await stopKubelet(worldFacts(WORLDS.peer));
    for (const name of Object.values(WORLDS)) await down(name);
  }
}
