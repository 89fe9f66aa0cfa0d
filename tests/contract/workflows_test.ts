/** What the workflows run is there, and what they use stays what it is. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import deno from "../../deno.json" with { type: "json" };

const FOLDER = new URL("../../.github/workflows/", import.meta.url);

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly uses?: string; readonly steps?: readonly Step[] }>
  >;
}

async function steps(): Promise<readonly Step[]> {
  const found: Step[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    const { jobs }: Workflow = parse(text);
    for (const job of Object.values(jobs)) found.push(...job.steps ?? []);
  }
  return found;
}

Deno.test("workflows use actions of one exact version", async () => {
  const used = (await steps()).flatMap(({ uses }) => uses ?? []);
  assert.ok(used.length > 3);
  const loose = used.filter((each) =>
    !/@(v\d+\.\d+\.\d+|[0-9a-f]{40})$/.test(each)
  );
  assert.deepEqual(loose, []);
});

Deno.test("workflows run tasks that there are", async () => {
  const tasks = new Map(Object.entries(deno.tasks));
  const run = (await steps()).map(({ run = "" }) => run).join("\n");
  const named = [...run.matchAll(/"\$DENO" task (?:--quiet )?(\w+)/g)]
    .map(([, name = ""]) => name);
  assert.deepEqual(new Set(named), new Set(["compile", "package", "sbom"]));
  assert.deepEqual(named.filter((name) => !tasks.has(name)), []);
});
