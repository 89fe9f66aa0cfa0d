import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import { FakeClock, settled } from "../../tests/fakes/fake_clock.ts";
import { FakeEngine } from "./fixture_test.ts";
import { parseNode } from "./parse.ts";
import { followPodCidr } from "./pod_cidr.ts";
import type { KnownNode } from "./types.ts";

function start(configured: string, engine = new FakeEngine()) {
  const clock = new FakeClock();
  const [node, reader] = cell<KnownNode | undefined>(undefined);
  const end = new AbortController();
  const ports = { runtime: engine, clock, log: silentLogger, node: reader };
  const done = followPodCidr({ ...ports, configured }, end.signal);
  return {
    clock,
    engine,
    assign: (...podCIDRs: string[]) => {
      node.set(parseNode({ metadata: { name: "n" }, spec: { podCIDRs } }));
      return settled();
    },
    end: async () => {
      end.abort();
      await assert.rejects(done);
    },
  };
}

Deno.test("what the cluster assigns is told, and told again when it changes", async () => {
  const { engine, assign, end } = start("");
  await assign();
  await assign("10.1.0.0/24", "fd00::/64");
  await assign("10.1.0.0/24", "fd00::/64");
  await assign("10.2.0.0/24");
  assert.deepEqual(engine.cidrs, ["10.1.0.0/24,fd00::/64", "10.2.0.0/24"]);
  await end();
});

Deno.test("the configured range holds until the cluster assigns another", async () => {
  const { engine, assign, end } = start("10.9.0.0/24");
  await settled();
  assert.deepEqual(engine.cidrs, ["10.9.0.0/24"]);
  await assign();
  await assign("10.1.0.0/24");
  assert.deepEqual(engine.cidrs, ["10.9.0.0/24", "10.1.0.0/24"]);
  await end();
});

Deno.test("a runtime that is away is told when it is back", async () => {
  const engine = new FakeEngine();
  engine.mood = "gone";
  const { clock, end } = start("10.9.0.0/24", engine);
  await clock.advance(1_000);
  assert.deepEqual(engine.cidrs, []);
  engine.mood = "fine";
  await clock.advance(2_000);
  assert.deepEqual(engine.cidrs, ["10.9.0.0/24"]);
  await end();
});
