import assert from "node:assert/strict";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { checkResolver } from "./agent_resolver.ts";
import type { Step } from "./api/step.ts";
import { load } from "./config/load_fixture.ts";
import type { NodeText } from "./port/host.ts";

Deno.test("checkResolver() tells a fault once, until it is another", async () => {
  const { config } = load([], {
    file: "enableServer: false\nresolvConf: /r\nclusterDomain: c\n",
  });
  const clock = new FakeClock();
  const told: Step[] = [];
  let text: NodeText = { kind: "text", text: "search a.example\n" };
  const stop = new AbortController();
  const running = checkResolver(
    {
      clock,
      nodeTexts: { read: () => text },
      recorder: { record: (step) => told.push(step) },
    },
    config,
    stop.signal,
  ).catch(() => {});
  await clock.advance(60_000);
  assert.equal(told.length, 0);
  text = { kind: "text", text: `search ${"a ".repeat(40)}\n` };
  await clock.advance(90_000);
  text = { kind: "failed", message: "Cannot read /r: gone" };
  await clock.advance(30_000);
  const reason = "CheckLimitsForResolvConf";
  const domains = "Resolv.conf file '/r' contains search line consisting of " +
    "more than 29 domains!";
  assert.deepEqual(
    told,
    [domains, "Cannot read /r: gone"]
      .map((message) => ({ type: "Warning", reason, message })),
  );
  stop.abort();
  await clock.advance(0);
  await running;
});
