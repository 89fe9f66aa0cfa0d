/**
 * Builds one self-contained file where there is no `denort`: a shell script
 * that carries the runtime and the bundle, and starts them with the permissions
 * and V8 flags that `deno task compile` bakes in. The same inputs give the same
 * bytes.
 *
 *   deno task package [--target T] [--output F] [--set NAME|--permissions F]
 *                     [--deno FILE]
 */
import deno from "../deno.json" with { type: "json" };
import {
  checkMachine,
  CHECKOUT,
  digestOf,
  V8_FLAGS,
  type Wishes,
  wishesFrom,
  withEntry,
} from "./build.ts";
import { relative } from "node:path/posix";
import { run } from "./world/command.ts";

const HEADER = new URL("./package/header.sh", import.meta.url);
/** Makes the file; throws with what is wrong. */
export async function makePackage(wishes: Wishes): Promise<void> {
  const runtime = wishes.runtime ?? Deno.execPath();
  await checkMachine(runtime, wishes.target);
  const folder = await Deno.makeTempDir({ prefix: "denolet-package." });
  try {
    const tree = `${folder}/tree`;
    await Deno.mkdir(tree);
    await fillTree(tree, runtime, wishes);
    await run("/bin/sh", [
      "-c",
      "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner " +
      `--mode=go-rwx,u+rX -cC "$0" . | gzip -n -6 >"$1"`,
      tree,
      `${folder}/content`,
    ]);
    const content = await Deno.readFile(`${folder}/content`);
    const header = await headerFor(wishes, tree, content);
    const output = wishes.output.startsWith("/")
      ? wishes.output
      : CHECKOUT + wishes.output;
    await Deno.mkdir(output.replace(/\/[^/]*$/, ""), { recursive: true });
    const beside = `${output}.new`;
    await Deno.writeTextFile(beside, header, { mode: 0o755 });
    await Deno.writeFile(beside, content, { append: true });
    await Deno.chmod(beside, 0o755);
    await Deno.rename(beside, output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A package that may do what the agents of tests and benchmarks may. */
export async function makeScratchPackage(output: string): Promise<void> {
  const wishes = ["--set", "scratch", "--output", output];
  await makePackage(await wishesFrom(wishes, ""));
}

async function fillTree(
  tree: string,
  runtime: string,
  wishes: Wishes,
): Promise<void> {
  await withEntry("package", wishes, async ({ entry, config }) => {
    await run(Deno.execPath(), [
      ...["bundle", "--quiet", "--platform", "deno", `--config=${config}`],
      ...[`--lock=${CHECKOUT}deno.lock`, "--output", `${tree}/denolet.js`],
      entry,
    ], { cwd: CHECKOUT });
  });
  await withoutPlaces(`${tree}/denolet.js`);
  await shorten(`${tree}/denolet.js`);
  const { setName, set } = wishes;
  await Deno.writeTextFile(
    `${tree}/deno.json`,
    JSON.stringify({ permissions: { [setName]: set } }, undefined, 2),
  );
  await Deno.copyFile(runtime, `${tree}/deno`);
  await Deno.chmod(`${tree}/deno`, 0o755);
  // The process has the name of the file that is executed.
  for (const name of ["denolet", "kubelet"]) {
    await Deno.symlink("deno", `${tree}/${name}`);
  }
}

/** The bundler names modules by where the packages lie on this machine. */
async function withoutPlaces(bundle: string): Promise<void> {
  const found = await run(Deno.execPath(), ["info", "--json"]);
  const { npmCache }: { npmCache: string } = JSON.parse(found);
  const before = `${relative(CHECKOUT, npmCache)}/`;
  const parts = (await Deno.readTextFile(bundle)).split(before);
  // What follows is the name of a registry's host.
  const clean = parts.map((part, at) =>
    at === 0 ? part : part.replace(/^[^/\s"]+\//, "npm/")
  ).join("");
  await Deno.writeTextFile(bundle, clean);
}

/**
 * The runtime keeps the text of a program in memory, twice: each MiB less is
 * two. Functions keep their names, by which a stack is read. A pass of its own:
 * while it bundles, the bundler shortens away what makes `require` work.
 */
async function shorten(script: string): Promise<void> {
  const short = `${script}.short`;
  await run(Deno.execPath(), [
    ...["bundle", "--quiet", "--platform", "deno", "--no-config", "--no-lock"],
    ...["--minify", "--keep-names", "--output", short, script],
  ]);
  await Deno.writeTextFile(script, inAscii(await Deno.readTextFile(short)));
  await Deno.remove(short);
}

/**
 * One letter beyond Latin-1, and each of two million takes two bytes. An escape
 * means the same wherever such a letter may stand but in a raw template, of
 * which there is none.
 */
function inAscii(script: string): string {
  return script.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

async function headerFor(
  { target, setName }: Wishes,
  tree: string,
  content: Uint8Array,
): Promise<string> {
  const template = await Deno.readTextFile(HEADER);
  const sum = await digestOf(content);
  const { size: denoSize } = await Deno.stat(`${tree}/deno`);
  const values = new Map<string, string | number>([
    ["VERSION", deno.version],
    ["MACHINE", target.split("-")[0] ?? ""],
    ["SUM", sum],
    ["DIGEST", sum.slice(0, 16)],
    ["MEBIBYTES", Math.ceil(denoSize / 2 ** 20) + 8],
    ["DENO_SIZE", denoSize],
    ["SCRIPT_SUM", await digestOf(await Deno.readFile(`${tree}/denolet.js`))],
    ["CONFIG_SUM", await digestOf(await Deno.readFile(`${tree}/deno.json`))],
    ["SET", setName],
    ["V8_FLAGS", V8_FLAGS],
  ]);
  // Its own length is part of it, in as many digits as it takes.
  const fill = (bytes: number) =>
    template.replace(/@([A-Z][A-Z0-9_]*)@/g, (whole, name) =>
      String(
        name === "OFFSET"
          ? bytes + 1
          : name === "SIZE"
          ? bytes + content.length
          : values.get(name) ?? whole,
      ));
  const lengthOf = (text: string) => new TextEncoder().encode(text).length;
  let bytes = lengthOf(fill(0));
  while (lengthOf(fill(bytes)) !== bytes) bytes = lengthOf(fill(bytes));
  return fill(bytes);
}

if (import.meta.main) {
  try {
    const wishes = await wishesFrom(Deno.args, "dist/denolet.run");
    await makePackage(wishes);
    console.log(wishes.output);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    console.error(`Cannot make a package: ${words}`);
    Deno.exit(1);
  }
}
