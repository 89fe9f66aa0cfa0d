/**
 * Starts and stops a world's containerd. Containers and their shims outlive
 * it: stopping is not tearing down, which tests of the agent rely on.
 */
import * as grpc from "@grpc/grpc-js";
import { guardedCredentials } from "../../lib/cri/credentials.ts";
import { readIfThere, run, until } from "./command.ts";
import { cniConfig, containerdConfig } from "./config.ts";
import { IMAGES, reference, type WorldFacts } from "./facts.ts";
import { end, isProcessWith, signal } from "./processes.ts";

/** What deploy/prepare.sh found or made. */
export interface Tools {
  /** Folder with containerd, ctr and the shim. */
  readonly containerdFolder: string;
  readonly imagesFolder: string;
  readonly userNamespaceRunc: string | undefined;
}

export async function findTools(): Promise<Tools> {
  const home = Deno.env.get("HOME") ?? "/root";
  const cache = Deno.env.get("DENOLET_CACHE") ??
    `${Deno.env.get("XDG_CACHE_HOME") || `${home}/.cache`}/denolet`;
  const environment = await readIfThere(`${cache}/env.sh`) ?? "";
  const containerdFolder = Deno.env.get("DENOLET_CONTAINERD_BIN") ??
    environment.match(/DENOLET_CONTAINERD_BIN='(.*)'/)?.[1];
  if (containerdFolder === undefined) {
    throw new Error(
      `Cannot find containerd in ${cache}: run sh deploy/prepare.sh first`,
    );
  }
  return {
    containerdFolder,
    imagesFolder: `${cache}/images`,
    userNamespaceRunc: environment.match(/DENOLET_RUNC='(.*)'/)?.[1],
  };
}

export async function writeConfigs(
  world: WorldFacts,
  tools: Tools,
): Promise<void> {
  const { containerd } = world;
  for (
    const folder of [
      containerd.root,
      containerd.state,
      containerd.cniConfigs,
      `${world.root}/etc/containerd`,
    ]
  ) {
    await Deno.mkdir(folder, { recursive: true });
  }
  const choice = {
    majorVersion: await majorVersion(tools),
    snapshotter: await snapshotter(world),
    cniFolders: await cniFolders(),
    userNamespaceRunc: tools.userNamespaceRunc,
  };
  await Deno.writeTextFile(
    containerd.config,
    containerdConfig(world, choice),
  );
  await Deno.writeTextFile(
    `${containerd.cniConfigs}/10-denolet.conflist`,
    cniConfig(world),
  );
}

async function majorVersion(tools: Tools): Promise<number> {
  const text = await run(`${tools.containerdFolder}/containerd`, ["--version"]);
  return Number(text.match(/ v?(\d+)\.\d+/)?.[1] ?? "2");
}

/** overlayfs does not stack on overlayfs, as found inside of containers. */
async function snapshotter(
  world: WorldFacts,
): Promise<"overlayfs" | "native"> {
  const kind = await run("stat", ["-f", "-c", "%T", world.root]);
  return kind.trim() === "overlayfs" ? "native" : "overlayfs";
}

async function cniFolders(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of ["/usr/lib/cni", "/opt/cni/bin"]) {
    const bridge = await Deno.lstat(`${folder}/bridge`).catch(() => undefined);
    if (bridge !== undefined) found.push(folder);
  }
  return found;
}

/** The pid of the world's containerd when it runs. */
export async function containerdPid(
  world: WorldFacts,
): Promise<number | undefined> {
  const pid = Number(await readIfThere(world.containerd.pidFile));
  return pid > 0 && await isProcessWith(pid, world.containerd.config)
    ? pid
    : undefined;
}

/** Starts containerd unless it runs, and waits until CRI answers. */
export async function startContainerd(world: WorldFacts): Promise<void> {
  if (await containerdPid(world) === undefined) {
    const tools = await findTools();
    const program = `${tools.containerdFolder}/containerd`;
    // The shell only redirects; exec keeps the pid, and a session of its own
    // lets containerd outlive the terminal.
    const child = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        'exec "$0" --config "$1" >>"$2" 2>&1',
        program,
        world.containerd.config,
        world.containerd.log,
      ],
      env: {
        PATH: `${tools.containerdFolder}:/usr/sbin:/usr/bin:/sbin:/bin`,
      },
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
    await Deno.writeTextFile(world.containerd.pidFile, `${child.pid}\n`);
  }
  await waitForCri(world);
}

export async function stopContainerd(
  world: WorldFacts,
  how: "terminate" | "kill" = "terminate",
): Promise<void> {
  const pid = await containerdPid(world);
  if (pid === undefined) return;
  if (how === "terminate") {
    await end(pid);
  } else {
    signal(pid, "SIGKILL");
    await until(
      "the end of containerd",
      async () => await containerdPid(world) === undefined,
    );
  }
  await Deno.remove(world.containerd.pidFile);
}

/**
 * The socket appears before CRI has recovered its state, so a call that needs
 * no argument is made until it is answered.
 */
async function waitForCri(world: WorldFacts): Promise<void> {
  try {
    await until("CRI answer", async () => {
      if (await containerdPid(world) === undefined) {
        throw new Error("containerd ended");
      }
      return await isCriReady(world.socket);
    });
  } catch (cause) {
    const log = await readIfThere(world.containerd.log) ?? "";
    const tail = log.trimEnd().split("\n").slice(-5).join("\n");
    throw new Error(
      `Cannot start containerd; the end of ${world.containerd.log}:\n${tail}`,
      { cause },
    );
  }
}

function isCriReady(socket: string): Promise<boolean> {
  const client = new grpc.Client(
    `unix:${socket}`,
    guardedCredentials(),
  );
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const bytes = (message: Uint8Array) => Buffer.from(message);
  client.makeUnaryRequest(
    "/runtime.v1.RuntimeService/Status",
    bytes,
    bytes,
    new Uint8Array(),
    { deadline: Date.now() + 5_000 },
    (error) => resolve(error === null),
  );
  return promise.finally(() => client.close());
}

/** Imports the images that are not there yet. */
export async function importImages(world: WorldFacts): Promise<void> {
  const tools = await findTools();
  const ctr = (...args: string[]) =>
    run(`${tools.containerdFolder}/ctr`, [
      ...["--address", world.socket, "--namespace", "k8s.io"],
      ...["images", ...args],
    ]);
  const present = new Set((await ctr("list", "--quiet")).split("\n"));
  for (const image of Object.values(IMAGES)) {
    if (present.has(reference(image))) continue;
    await ctr(
      ...["import", "--base-name", image.name],
      `${tools.imagesFolder}/${image.file}`,
    );
  }
}
