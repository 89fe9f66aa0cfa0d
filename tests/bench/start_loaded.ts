/**
 * What an agent has in memory while it runs many pods, in whatever form it was
 * started: pods from a folder, counted by the runtime.
 */
import { setTimeout } from "node:timers/promises";
import { until } from "../../deploy/world/command.ts";
import type { WorldFacts } from "../../deploy/world.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import { benchPods } from "./subject.ts";
import { memory } from "./usage.ts";

/** Of so many pods some work is done some time after they run. */
const SETTLE_MS = 60_000;
const PATIENCE_MS = 180_000;

export async function loadedMemory(
  world: WorldFacts,
  count: number,
  pid: number,
): ReturnType<typeof memory> {
  const channel = openChannel({ endpoint: `unix://${world.socket}` });
  const runtime = new CriRuntime(channel);
  const signal = AbortSignal.timeout(2 * PATIENCE_MS + SETTLE_MS);
  const running = async () =>
    (await runtime.listContainers({ state: "running" }, signal)).length;
  const pods = benchPods(count, world.images.busybox);
  const fileOf = (name: string) => `${world.manifests}/${name}.json`;
  try {
    for (const { name, manifest } of pods) {
      const draft = `${world.root}/draft-${name}`;
      await Deno.writeTextFile(draft, JSON.stringify(manifest));
      await Deno.rename(draft, fileOf(name));
    }
    const all = async () => await running() === count;
    await until(`${count} running containers`, all, PATIENCE_MS);
    await setTimeout(SETTLE_MS);
    return await memory(pid);
  } finally {
    for (const { name } of pods) await Deno.remove(fileOf(name));
    const none = async () => await running() === 0;
    await until("no running container", none, PATIENCE_MS);
    channel.close();
  }
}
