/**
 * Compares what the agents of a run used with the permission set `scratch`:
 *
 *     mkdir FOLDER
 *     DENOLET_TEST_AUDIT=FOLDER deno task test
 *     deno run --allow-read tests/audit/main.ts FOLDER
 *
 * Prints what was used and not granted, and what was granted and not used;
 * ends with 1 where there is either. A use that Deno refused is in the log too.
 */
import deno from "../../deno.json" with { type: "json" };
import { outsideOf, unusedOf, type Use, usesOf } from "./diff.ts";

/** Grants that one run on one machine has no use for, and why. */
const UNUSED_HERE: readonly (readonly [grant: RegExp, why: string])[] = [
  [/^net unix:\/var\/tmp\/denolet\/(?!test\/)/, "the socket of another world"],
  [/^ffi \/lib/, "where other systems have the C library"],
];

const CHECKOUT = new URL("../../", import.meta.url).pathname;

if (import.meta.main) {
  const [folder = ""] = Deno.args;
  const { uses, files, bytes } = await read(folder);
  console.log(`${files} agents, ${bytes} bytes, ${uses.length} unlike uses`);
  const set = deno.permissions.scratch;
  const outside = outsideOf(set, uses, CHECKOUT);
  const unused = unusedOf(set, uses, CHECKOUT).filter((grant) =>
    !UNUSED_HERE.some(([pattern]) => pattern.test(grant))
  );
  // The C library has to be somewhere.
  const hasLibc = uses.some(({ permission }) => permission === "ffi");
  if (!hasLibc) unused.push("ffi, in none of its places");
  for (const each of outside) console.log(`used, not granted: ${each}`);
  for (const each of unused) console.log(`granted, not used: ${each}`);
  const isSame = files > 0 && outside.length + unused.length === 0;
  Deno.exitCode = isSame ? 0 : 1;
}

async function read(folder: string) {
  const uses: Use[] = [];
  let [files, bytes] = [0, 0];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".jsonl")) continue;
    const log = await Deno.readTextFile(`${folder}/${name}`);
    files++;
    bytes += log.length;
    uses.push(...usesOf(log));
  }
  const once = new Map(uses.map((use) => [JSON.stringify(use), use]));
  return { uses: [...once.values()], files, bytes };
}
