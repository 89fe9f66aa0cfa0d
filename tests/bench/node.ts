/**
 * The benchmark without a cluster: raw CRI calls, the agent and, when there is
 * one, the real kubelet, side by side in one run. Each has a containerd of its
 * own, since an agent removes pods it does not know; only one of them works at
 * a time.
 *
 * DENOLET_KUBELET names a kubelet binary to compare with.
 */
import { down, up, worldFacts } from "../../deploy/world.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import { AgentSubject, denoletProcess } from "./agent.ts";
import { countsOf } from "./counts.ts";
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

type Options = ReturnType<typeof options>;

function options(args: readonly string[]) {
  return countsOf(args, { rounds: 20, batches: 3, pods: 40, idle: 60 });
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

export async function benchNode(args: readonly string[]): Promise<void> {
  const chosen = options(args);
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
