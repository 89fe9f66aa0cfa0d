/**
 * The agent runs under the permission set `scratch` and uses nothing outside
 * of it. What the set refuses is tried in tests/contract/permission_probes.ts.
 */
import assert from "node:assert/strict";
import { startAgent, stopAgent } from "../../deploy/world.ts";
import { askAgent } from "../../deploy/world/agent.ts";
import deno from "../../deno.json" with { type: "json" };
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

/** One line of what DENO_AUDIT_PERMISSIONS writes. */
interface Use {
  readonly permission: string;
  readonly value?: string;
}

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
    const uses: Use[] = (await Deno.readTextFile(file)).trim().split("\n")
      .map((line) => JSON.parse(line));
    const outside = uses.filter((use) => !isGranted(use))
      .map(({ permission, value }) => `${permission} ${value}`);
    assert.deepEqual([...new Set(outside)], []);
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

function isGranted({ permission, value = "" }: Use): boolean {
  const isBelow = (places: readonly string[]) =>
    places.some((place) => value === place || value.startsWith(`${place}/`));
  switch (permission) {
    case "read":
      return isBelow([...SCRATCH.read, CHECKOUT.replace(/\/$/, "")]);
    case "write":
      return isBelow(SCRATCH.write);
    case "ffi":
      return SCRATCH.ffi.includes(value);
    case "sys":
      return SCRATCH.sys.includes(value);
    case "net":
      return SCRATCH.net.some((each) =>
        value === each || value.startsWith(`${each}:`)
      );
    case "env":
      return SCRATCH.env.some((each) =>
        each.endsWith("*")
          ? value.startsWith(each.slice(0, -1))
          : value === each
      );
    default:
      return false;
  }
}
