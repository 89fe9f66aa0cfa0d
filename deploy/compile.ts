/**
 * Builds the one executable: permissions of the set `agent` and V8 flags baked
 * in. Arguments of `deno compile` may follow (`--target`, `--output`).
 *
 * `deno compile` needs the runtime `denort` of the same version. It fetches it,
 * or takes the file named by DENORT_BIN.
 */
const V8_FLAGS = "--max-semi-space-size=2,--expose-gc";

const { args } = Deno;
const output = args.includes("--output") ? [] : ["--output", "dist/denolet"];
const child = new Deno.Command(Deno.execPath(), {
  args: [
    "compile",
    "--no-prompt",
    "-P=agent",
    `--v8-flags=${V8_FLAGS}`,
    ...output,
    ...args,
    "main.ts",
  ],
  cwd: new URL("..", import.meta.url).pathname,
  stdout: "inherit",
  stderr: "inherit",
});
const { code } = await child.output();
if (code !== 0) {
  console.error(
    `\nCannot compile. If the lines above speak of denort: deno compile needs ` +
      `the runtime denort ${Deno.version.deno} for the target, which it ` +
      "downloads. Where there is no network, put that file somewhere and name " +
      "it: DENORT_BIN=/path/to/denort deno task compile",
  );
}
Deno.exit(code);
