/**
 * Builds the one executable, its permissions and V8 flags baked in:
 *
 *   deno task compile [--target T] [--output F] [--set NAME|--permissions F]
 *
 * `deno compile` needs the runtime `denort` of the same version. It fetches it,
 * or takes the file named by DENORT_BIN.
 */
import {
  checkMachine,
  CHECKOUT,
  V8_FLAGS,
  wishesFrom,
  withEntry,
} from "./build.ts";

async function main(): Promise<number> {
  const wishes = await wishesFrom(Deno.args, "dist/denolet");
  const { target, output, setName } = wishes;
  const denort = Deno.env.get("DENORT_BIN");
  if (denort !== undefined) await checkMachine(denort, target);
  return await withEntry("compiled", wishes, async ({ entry, config }) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["compile", "--quiet", "--no-prompt", "--no-check"],
        "--no-code-cache",
        ...[`--config=${config}`, `--lock=${CHECKOUT}deno.lock`],
        ...[`-P=${setName}`, `--v8-flags=${V8_FLAGS}`],
        ...["--target", target, "--output", output, entry],
      ],
      cwd: CHECKOUT,
      stdout: "inherit",
    }).output();
    if (code === 0) return 0;
    const text = new TextDecoder().decode(stderr);
    const said = text.split("Stack backtrace")[0]?.split("\n")
      .map((line) => line.replace(/^(error:|\s+\d+:)/, "").trim())
      .filter((line) => line !== "" && line !== "Caused by:").join(": ");
    console.error(
      `Cannot compile: ${said}\nWhere it speaks of denort or a download: ` +
        `deno compile needs the runtime denort ${Deno.version.deno} for ` +
        `${target}. Get it where there is a network and name the file: ` +
        "DENORT_BIN=/path/to/denort deno task compile; or build without it: " +
        "deno task package",
    );
    return code;
  });
}

Deno.exit(
  await main().catch((error) => {
    console.error(`Cannot compile: ${error.message}`);
    return 1;
  }),
);
