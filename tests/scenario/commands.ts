/** What the commands of a story do to a world, and what they say. */
import { nameOf } from "../../lib/api/pod.ts";
import { explain } from "../../lib/server/explain.ts";
import { podTable, renderTable } from "../../lib/server/table.ts";
import type { PodView } from "../../lib/server/view.ts";
import { MANIFESTS, type PodWorld } from "../fakes/pod_world.ts";
import { fullName, shortName } from "../fakes/pod_world_trace.ts";
import { API_COMMANDS } from "./commands_api.ts";
import { MACHINE_COMMANDS } from "./commands_machine.ts";
import type { Command, Run } from "./story.ts";

/** Runs one command; returns what it says, after what happened by it. */
export async function runCommand(
  world: PodWorld,
  { words: [name = "", ...args], text }: Command,
): Promise<readonly string[]> {
  const run = COMMANDS.get(name) ?? API_COMMANDS.get(name) ??
    MACHINE_COMMANDS.get(name);
  if (run === undefined) throw new Error(`Unknown command: ${name}`);
  const said = await run(world, args, text);
  await world.settle();
  return [...world.trace.take(), ...said ?? []];
}

const COMMANDS: ReadonlyMap<string, Run> = new Map<string, Run>([
  // manifest FILE <<EOF: the file is there, or changes.
  ["manifest", (world, [file], text) => {
    world.manifests.put(`${MANIFESTS}/${file}`, text);
  }],
  // remove FILE
  ["remove", (world, [file]) => world.manifests.take(`${MANIFESTS}/${file}`)],
  // advance 10s
  ["advance", (world, [time = ""]) => world.advance(millisecondsOf(time))],
  // exit POD/CONTAINER code=N: the process ends by itself.
  ["exit", exit],
  // cut-off POD/CONTAINER: its start ends with the agent that asked for it.
  ["cut-off", cutOff],
  // lose POD: the sandbox stops, with all that is in it.
  ["lose", (world, [pod = ""]) => {
    const sandboxes = [...world.runtime.world.sandboxes.values()];
    const found = sandboxes
      .findLast(({ spec }) => isNamed(spec.podName, pod));
    if (found === undefined) throw new Error(`No sandbox of ${pod}`);
    world.runtime.world.haltSandbox(found);
  }],
  // runtime stop|start: its containers live on; runtime forget: they do not.
  ["runtime", (world, [what]) => {
    const { world: runtime } = world.runtime;
    if (what === "forget") {
      runtime.containers.clear();
      runtime.sandboxes.clear();
      return;
    }
    world.images.world.isDown = what === "stop";
    if (what === "stop") runtime.stop();
    else runtime.start();
  }],
  // hang POD, unhang POD: no call about it returns.
  ["hang", (world, [pod = ""]) => {
    world.runtime.world.hung.add(pod).add(fullName(pod));
  }],
  ["unhang", (world, [pod = ""]) => {
    for (const name of [pod, fullName(pod)]) {
      world.runtime.world.hung.delete(name);
    }
  }],
  // fail sandbox|resize WORDS: none can be made; without words: again.
  ["fail", (world, [what, ...words]) => {
    const failure = words.join(" ") || undefined;
    if (what === "resize") world.runtime.world.resizeFailure = failure;
    else world.runtime.world.sandboxFailure = failure;
  }],
  // image missing|publish|place NAME: nowhere, in the registry, on the node.
  ["image", image],
  // cgroup busy|free POD: its cgroup cannot be removed, or can again;
  // broken|whole POD: it cannot be made, or can again; show: what there is.
  ["cgroup", cgroup],
  // agent stop|start: a new process on the same machine; agent dies: between
  // the creation of the next container and its start; agent dies before
  // status|delete|mirror: instead of telling the API server.
  ["agent", agent],
  ["restart-agent", async (world) => {
    await world.stop();
    await world.start();
  }],
  ["pods", (world) => {
    const { nodeName } = world.view;
    const views = world.view.pods().toSorted((one, other) =>
      nameOf(one.pod) < nameOf(other.pod) ? -1 : 1
    );
    const table = podTable(nodeName, views, world.clock.nowMs());
    return renderTable(table, "hidden").split("\n").slice(0, -1);
  }],
  // explain POD: the first line, of each pod of this name.
  [
    "explain",
    (world, [pod]) =>
      viewsOf(world, pod).map((view) =>
        explain(view, world.clock.nowMs()).headline
      ),
  ],
  // steps POD: what `explain` lists as steps.
  [
    "steps",
    (world, [pod]) => viewsOf(world, pod).flatMap((view) => steps(world, view)),
  ],
  [
    "problems",
    (world) =>
      world.view.problems().map(({ severity, location, message }) =>
        `${severity}: ${location.slice(MANIFESTS.length + 1)}: ${message}`
      ),
  ],
  // containers: what the runtime has, sandboxes too.
  ["containers", containers],
  // folders: of pods, below the kubelet's root and among the logs.
  ["folders", async (world) => {
    const own = await world.files.list("/var/lib/kubelet/pods") ?? [];
    const logs = await world.files.list("/var/log/pods") ?? [];
    world.trace.say(`${own.length} of pods, ${logs.length} of logs`);
  }],
]);

function agent(world: PodWorld, [what, , call]: readonly string[]) {
  if (what === "start") return world.start();
  if (what === "stop") return world.stop();
  switch (call) {
    case undefined:
      return world.dieAtCreation();
    case "status":
    case "delete":
    case "mirror":
      return world.dieBefore(call);
    default:
      throw new Error(`Unknown: agent dies before ${call}`);
  }
}

/** Names in stories stand for pods of the API server and for static ones. */
function isNamed(podName: string, name: string): boolean {
  return podName === name || podName === fullName(name);
}

/** As containerd does with a start whose caller has gone. */
function cutOff(world: PodWorld, [path = ""]: readonly string[]): void {
  const [pod = "", name = ""] = path.split("/");
  const { world: runtime } = world.runtime;
  const found = runtime.find(pod, name);
  if (found?.state !== "created") throw new Error(`${path} is not being made`);
  const words = "failed to create shim task: context canceled";
  runtime.failStart(found, words);
}

function exit(world: PodWorld, args: readonly string[]): void {
  const [path = "", code = ""] = args;
  const [pod = "", name = ""] = path.split("/");
  const { world: runtime } = world.runtime;
  const found = runtime.find(fullName(pod), name) ?? runtime.find(pod, name);
  if (found?.state !== "running") throw new Error(`${path} does not run`);
  world.runtime.world.exit(found.id, Number(code.replace("code=", "")));
}

function image(world: PodWorld, [what, name = ""]: readonly string[]): void {
  const images = world.images.world;
  switch (what) {
    case "missing": {
      const found = images.find(name);
      if (found !== undefined) images.present.delete(found.id);
      images.published.delete(name);
      return;
    }
    case "publish":
      images.publish(name);
      return;
    case "place":
      images.place(name);
      return;
    default:
      throw new Error(`Unknown: image ${what}`);
  }
}

function cgroup(
  world: PodWorld,
  [what, pod]: readonly string[],
): string[] {
  const { busy, broken, values } = world.cgroups;
  if (what === "show") {
    return [...values].map(([path, { cpuShares }]) => `${path} ${cpuShares}`)
      .sort();
  }
  for (const path of viewsOf(world, pod).flatMap(cgroupsOf)) {
    if (what === "busy") busy.add(path);
    if (what === "free") busy.delete(path);
    if (what === "broken") broken.add(path);
    if (what === "whole") broken.delete(path);
  }
  return [];
}

function cgroupsOf({ uid }: PodView): readonly string[] {
  return ["", "/burstable", "/besteffort"]
    .map((tier) => `/kubepods${tier}/pod${uid}`);
}

function viewsOf(world: PodWorld, name = ""): readonly PodView[] {
  return world.view.pods().filter(({ pod }) => isNamed(nameOf(pod), name));
}

function steps(world: PodWorld, view: PodView): string[] {
  return view.steps.map((step) => {
    const { reason, container, message, count, lastAtMs } = step;
    const who = container === undefined ? "" : `${container}: `;
    const times = count === 1 ? "" : ` (x${count})`;
    return `${world.trace.at(lastAtMs).padEnd(6)} ${reason}: ` +
      `${who}${message}${times}`;
  });
}

function containers(world: PodWorld): string[] {
  const { sandboxes, containers } = world.runtime.world;
  return [
    ...[...sandboxes.values()].map(({ id, spec, isReady }) =>
      `${id.padEnd(4)} ${shortName(spec.podName)} sandbox #${spec.attempt} ` +
      (isReady ? "ready" : "not ready")
    ),
    ...[...containers.values()].map(({ id, spec, state, sandbox }) =>
      `${id.padEnd(4)} ${shortName(sandbox.spec.podName)}/${spec.name} ` +
      `#${spec.attempt} ${state}`
    ),
  ];
}

/** `200ms`, `10s`, `5m` */
function millisecondsOf(time: string): number {
  const match = /^(\d+)(ms|s|m)$/.exec(time);
  if (match === null) throw new Error(`Not a time: ${time}`);
  const unit = match[2] === "ms" ? 1 : match[2] === "s" ? 1000 : 60_000;
  return Number(match[1]) * unit;
}
