/**
 * The agent runs under the permission set `scratch` and uses nothing outside
 * of it. What the set refuses is tried in tests/contract/permission_probes.ts.
 */
import assert from "node:assert/strict";
import { startAgent, stopAgent } from "../../deploy/world.ts";
import { askAgent } from "../../deploy/world/agent.ts";
import deno from "../../deno.json" with { type: "json" };
import { outsideOf, usesOf } from "../audit/diff.ts";
import {
  agentLog,
  aPod,
  CHECKOUT,
  gone,
  nodeTest,
  put,
  runningOne,
  take,
  world,
} from "./agent_world.ts";

const SCRATCH = deno.permissions.scratch;

nodeTest("the agent uses only what its permission set grants", async (node) => {
  await stopAgent(world);
  const file = `${world.root}/audit.jsonl`;
  const mark = (await agentLog()).length;
  Deno.env.set("DENO_AUDIT_PERMISSIONS", file);
  let pid = 0;
  try {
    pid = await startAgent(world);
  } finally {
    Deno.env.delete("DENO_AUDIT_PERMISSIONS");
  }
  try {
    const args = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
    assert.ok(args.includes("-P=scratch"));
    const wide = args.filter((arg) => /^(-A|--allow-.*)$/.test(arg));
    assert.deepEqual(wide, []);
    await put(aPod("usual"));
    await runningOne(node, "usual");
    await askAgent(world, "pods");
    await askAgent(world, "logs", "usual");
    await take("usual");
    await gone(node, "usual");
    await stopAgent(world);
    const uses = usesOf(await Deno.readTextFile(file));
    assert.deepEqual(outsideOf(SCRATCH, uses, CHECKOUT), []);
    for (const kind of ["read", "write", "net", "ffi"]) {
      assert.ok(uses.some(({ permission }) => permission === kind), kind);
    }
    const refused = (await agentLog(mark)).split("\n")
      .filter((line) => /NotCapable|Requires .* access/.test(line));
    assert.deepEqual(refused, []);
  } finally {
    await Deno.remove(file);
  }
});
