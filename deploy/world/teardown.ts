/**
 * Removes what a world leaves on the machine: mounts, network, cgroups and
 * files. Only called when its processes have ended. Each step picks by the
 * world's own path, bridge, network name or container ids, and each may find
 * nothing to do.
 */
import { readIfThere, run } from "./command.ts";
import { networkName } from "./config.ts";
import type { WorldFacts } from "./facts.ts";

/** Mount points below `root`, innermost last. */
export async function mountsBelow(root: string): Promise<readonly string[]> {
  const text = await Deno.readTextFile("/proc/self/mountinfo");
  return text.split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .map((path) =>
      path.replace(
        /\\([0-7]{3})/g,
        (_, octal) => String.fromCharCode(parseInt(octal, 8)),
      )
    )
    .filter((path) => path === root || path.startsWith(`${root}/`))
    .sort((a, b) => a.length - b.length);
}

export async function unmountAll(root: string): Promise<void> {
  const mounts = await mountsBelow(root);
  // An unmount inside of a shared bind mount reaches the original: without
  // this, taking down a bind of /sys/fs/cgroup would unmount the machine's.
  for (const path of mounts) await run("mount", ["--make-private", path]);
  for (const path of mounts.toReversed()) {
    await run("umount", [path], { failure: "ignore" });
  }
  for (const path of (await mountsBelow(root)).toReversed()) {
    await run("umount", ["--lazy", path], { failure: "ignore" });
  }
  const left = await mountsBelow(root);
  if (left.length > 0) {
    throw new Error(`Cannot unmount ${left.join(", ")}`);
  }
}

/** Ids of the world's containers, by the folders that containerd keeps. */
export async function containerIds(
  world: WorldFacts,
): Promise<readonly string[]> {
  return await namesIn(
    `${world.containerd.state}/io.containerd.runtime.v2.task/k8s.io`,
  );
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isDirectory) names.push(entry.name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

/** containerd keeps shim sockets in a folder of the machine's own. */
export async function removeShimSockets(world: WorldFacts): Promise<void> {
  const tasks =
    `${world.containerd.state}/io.containerd.runtime.v2.task/k8s.io`;
  for (const id of await containerIds(world)) {
    for (const file of ["bootstrap.json", "address"]) {
      const text = await readIfThere(`${tasks}/${id}/${file}`) ?? "";
      const path = text.match(/\/run\/containerd\/s\/[0-9a-f]+/)?.[0];
      if (path !== undefined) await Deno.remove(path).catch(() => undefined);
    }
  }
}

export async function removeNetwork(world: WorldFacts): Promise<void> {
  await run("ip", ["link", "delete", world.bridge], { failure: "ignore" });
  const rules = await run("iptables-save", ["-t", "nat"], {
    failure: "ignore",
  });
  const script = unwantedRules(rules, networkName(world));
  if (script !== undefined) {
    await run("iptables-restore", ["--noflush"], { stdin: script });
  }
}

/**
 * The input of iptables-restore that drops one network's rules and the chains
 * they lead to. The CNI plugins put the network's name into each comment.
 */
export function unwantedRules(
  saved: string,
  network: string,
): string | undefined {
  const quoted = `name: \\"${network}\\"`;
  const ours = saved.split("\n").filter((line) =>
    line.startsWith("-A ") && line.includes(quoted)
  );
  if (ours.length === 0) return undefined;
  const chains = new Set(
    ours.flatMap((line) => line.match(/-j (CNI-(?:DN-)?[0-9a-f]+)/)?.[1] ?? []),
  );
  const isInside = (line: string) => chains.has(line.split(" ")[1] ?? "");
  return [
    "*nat",
    ...[...chains].map((chain) => `-F ${chain}`),
    ...ours.filter((line) => !isInside(line))
      .map((line) => line.replace("-A ", "-D ")),
    ...[...chains].map((chain) => `-X ${chain}`),
    "COMMIT",
    "",
  ].join("\n");
}

/**
 * Removes the world's cgroups: those below its own root, and those that runc
 * made at its default place for containers without a parent.
 */
export async function removeCgroups(
  world: WorldFacts,
  ids: readonly string[],
): Promise<void> {
  const mount = "/sys/fs/cgroup";
  // The version 2 tree itself, and each controller's tree of version 1.
  const trees = [
    mount,
    ...(await namesIn(mount)).map((name) => `${mount}/${name}`),
  ];
  for (const tree of trees) {
    await removeCgroup(`${tree}${world.cgroupRoot}`);
    for (const id of ids) await removeCgroup(`${tree}/k8s.io/${id}`);
  }
}

/** A cgroup is removed by rmdir, children first; its files go by themselves. */
export async function removeCgroup(path: string): Promise<void> {
  for (const name of await namesIn(path)) await removeCgroup(`${path}/${name}`);
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Refuses to go into a mount, should one have appeared meanwhile. */
export async function removeFiles(root: string): Promise<void> {
  await run("rm", ["-rf", "--one-file-system", root]);
}
