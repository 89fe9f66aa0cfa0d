import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeTables } from "../../tests/fakes/fake_tables.ts";
import { IptablesLoop } from "./iptables.ts";

const MINUTE_MS = 60_000;

async function running(
  tables: FakeTables,
  run: (loop: IptablesLoop, clock: FakeClock) => Promise<void>,
): Promise<string[]> {
  const told: string[] = [];
  const clock = new FakeClock();
  const log = {
    ...silentLogger,
    info: (_: string, fields?: Readonly<Record<string, unknown>>) => {
      told.push(String(fields?.["error"] ?? fields?.["program"]));
    },
  };
  const stop = new AbortController();
  const loop = new IptablesLoop({ programs: tables, clock, log });
  const ended = loop.run(stop.signal).catch(() => {});
  await clock.advance(0);
  await run(loop, clock);
  stop.abort();
  await ended;
  return told;
}

Deno.test("IptablesLoop lets be what may not be run or is not there", async () => {
  const tables = new FakeTables();
  tables.refused.set("iptables", "NotAllowed").set("ip6tables", "NotFound");
  const told = await running(tables, async (loop, clock) => {
    const view = loop.view();
    assert.deepEqual([...view.letBe.keys()], ["iptables", "ip6tables"]);
    assert.equal(view.nextAtMs, undefined);
    await clock.advance(10 * MINUTE_MS);
    assert.equal(tables.commands, 2);
  });
  assert.deepEqual(told, [
    "Cannot run iptables: NotAllowed",
    "Cannot run ip6tables: NotFound",
  ]);
});

Deno.test("IptablesLoop tells of a failure once and tries on", async () => {
  const tables = new FakeTables();
  tables.isLocked = true;
  const told = await running(tables, async (loop, clock) => {
    await clock.advance(2 * MINUTE_MS);
    assert.equal(loop.view().failing.size, 2);
    assert.equal(loop.view().kept.length, 0);
    tables.isLocked = false;
    await clock.advance(MINUTE_MS);
    assert.equal(loop.view().failing.size, 0);
    assert.equal(loop.view().kept.length, 2);
  });
  assert.equal(told.length, 2);
  assert.match(told[0] ?? "", /iptables -N .* ended with 4: Another app/);
});

Deno.test("IptablesLoop asks little while all is well", async () => {
  const tables = new FakeTables();
  await running(tables, async (_, clock) => {
    const before = tables.commands;
    await clock.advance(MINUTE_MS);
    assert.equal(tables.commands - before, 3, "two tables, and one of IPv6");
  });
});
