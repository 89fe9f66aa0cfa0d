/** What everybody promises who is a logind to the agent: `Logind`. */
import assert from "node:assert/strict";
import type { Logind, LogindSession } from "../../lib/port/service_manager.ts";

/** A logind, and what a test does to it from the other side. */
export interface LogindWorld {
  readonly port: Logind;
  readonly heldCount: () => number;
  readonly prepare: (what: "shutdown" | "cancellation") => void;
  /** Ends; nobody is there any more. */
  readonly leave: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type Make = () => Promise<LogindWorld>;

/** A world whose logind waits for 5 s at first. */
export function logindContract(
  name: string,
  make: Make,
  { ignore }: { readonly ignore: boolean },
): void {
  const promise = (
    title: string,
    run: (session: LogindSession, world: LogindWorld) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name}: ${title}`,
      ignore,
      async fn() {
        const world = await make();
        const session = await world.port.open();
        try {
          await run(session, world);
        } finally {
          session.close();
          await world.close();
        }
      },
    });

  promise("a lock is held until it is released", async (session, world) => {
    const lock = await session.inhibit();
    const other = await session.inhibit();
    assert.equal(world.heldCount(), 2);
    other.release();
    other.release();
    await until(() => world.heldCount() === 1);
    // It does not go with the session.
    session.close();
    await turns();
    assert.equal(world.heldCount(), 1);
    lock.release();
    await until(() => world.heldCount() === 0);
  });

  promise("the wait is as configured", async (session) => {
    assert.equal(await session.inhibitDelayMs(), 5_000);
    await session.configureDelay(42);
    assert.equal(await session.inhibitDelayMs(), 42_000);
  });

  promise("a shutdown and its end are told", async (session, world) => {
    assert.equal(await session.isPreparing(), false);
    world.prepare("shutdown");
    const told: boolean[] = [];
    for await (const change of session.changes(new AbortController().signal)) {
      told.push(change);
      assert.equal(await session.isPreparing(), change);
      if (!change) break;
      world.prepare("cancellation");
    }
    assert.deepEqual(told, [true, false]);
  });

  promise("nothing is told after an abort", async (session) => {
    const stop = new AbortController();
    const all = Array.fromAsync(session.changes(stop.signal));
    stop.abort(new DOMException("Over", "AbortError"));
    assert.deepEqual(await all, []);
  });

  promise("a logind that ends is noticed", async (session, world) => {
    const over = Array.fromAsync(
      session.changes(new AbortController().signal),
    );
    const rejected = assert.rejects(over, { name: "AgentError" });
    await world.leave();
    await rejected;
    await assert.rejects(world.port.open(), { name: "AgentError" });
  });
}

/** Lets what is under way elsewhere come here. */
export function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

export async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail("It did not come to be in 2 s");
}
