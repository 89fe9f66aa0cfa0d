/**
 * What a machine is given: user-data that makes it a node, and the files it
 * fetches on its first boot, the agent among them.
 */
import { wishesFrom } from "../build.ts";
import { makePackage } from "../package.ts";
import { run } from "../world/command.ts";
import { findTools } from "../world/containerd.ts";
import { IMAGES } from "../world/facts.ts";
import { hashOf } from "../cluster/certificates.ts";
import type { ClusterFacts } from "../cluster/facts.ts";
import { readBootstrapToken } from "../cluster/pki.ts";
import type { MachineFacts } from "./facts.ts";

const CHECKOUT = new URL("../../", import.meta.url).pathname;
const TEMPLATE = `${CHECKOUT}deploy/cloud-init/user-data.yaml`;
const UNIT = `${CHECKOUT}deploy/systemd/denolet.service`;

/** Folder of the files that the machine fetches. */
function shelf({ folder }: MachineFacts): string {
  return `${folder}/files`;
}

/** Makes denolet.tar, to be unpacked at `/`, and lays the images beside it. */
export async function stockShelf(machine: MachineFacts): Promise<void> {
  await stockPackage(machine, "denolet");
  const { imagesFolder } = await findTools();
  for (const { file } of [IMAGES.pause, IMAGES.busybox]) {
    await Deno.copyFile(`${imagesFolder}/${file}`, `${shelf(machine)}/${file}`);
  }
}

/** NAME.tar; with other permissions than a node's where a file names them. */
export async function stockPackage(
  machine: MachineFacts,
  name: string,
  permissions?: string,
): Promise<void> {
  const tree = `${machine.folder}/package`;
  const units = `${tree}/usr/lib/systemd/system`;
  for (const folder of [units, `${tree}/usr/bin`, shelf(machine)]) {
    await Deno.mkdir(folder, { recursive: true });
  }
  const wishes = permissions === undefined
    ? []
    : [`--permissions=${permissions}`];
  await makePackage(await wishesFrom(wishes, `${tree}/usr/bin/denolet`));
  await Deno.copyFile(UNIT, `${units}/denolet.service`);
  await Deno.chmod(`${units}/denolet.service`, 0o600);
  // Folders of the machine keep their own modes and times.
  const files = (await run("find", [tree, "-type", "f", "-printf", "%P\n"]))
    .trim().split("\n");
  await run("tar", [
    ...["-C", tree, "--owner=0", "--group=0"],
    ...["-cf", `${shelf(machine)}/${name}.tar`, ...files],
  ]);
  await run("rm", ["-rf", tree]);
}

/** Answers on loopback, which the machine reaches as `machine.host`. */
export function openShelf(
  machine: MachineFacts,
): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    const name = new URL(request.url).pathname.slice(1);
    if (!/^[a-z]+\.tar$/.test(name)) return new Response("", { status: 404 });
    const file = await Deno.open(`${shelf(machine)}/${name}`);
    return new Response(file.readable);
  });
}

export async function userData(
  machine: MachineFacts,
  cluster: ClusterFacts,
  filesPort: number,
): Promise<string> {
  const ca = await Deno.readTextFile(cluster.ca.certificate);
  const values = new Map([
    ["SERVER", `https://${machine.host}:${cluster.ports.apiServer}`],
    // It asks for the CA, and knows it by its hash.
    ["CA", ""],
    ["CAHASH", await hashOf(ca)],
    ["TOKEN", await readBootstrapToken(cluster)],
    ["FLAGS", "--node-labels=machine=virtual"],
    ["FILES", `http://${machine.host}:${filesPort}`],
  ]);
  const template = await Deno.readTextFile(TEMPLATE);
  // Not in the comment that tells what they are.
  return template.replace(
    /\{\{([A-Z]+)\}\}/g,
    (whole, name) => values.get(name) ?? whole,
  );
}
