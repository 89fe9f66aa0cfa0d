import assert from "node:assert/strict";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { FakeManager } from "../tests/fakes/fake_logind.ts";
import {
  ending,
  feedWatchdog,
  keepTelling,
  type ManagerParts,
  tellReady,
} from "./agent_manager.ts";
import { silentLogger } from "./base/log.ts";
import type { AgentView } from "./server/view.ts";
import { UNHEARD } from "./sync/health.ts";

function aWorld() {
  const clock = new FakeClock();
  const manager = new FakeManager();
  let runtime = { ...UNHEARD, isReady: true, isNetworkReady: true };
  const view: AgentView = {
    nodeName: "node-1",
    version: "0.0.0",
    pods: () => [],
    problems: () => [],
    loops: () => [],
    runtime: () => runtime,
  };
  const parts: ManagerParts = {
    ports: { clock, manager, log: silentLogger },
    view,
  };
  const stop = new AbortController();
  return {
    clock,
    manager,
    parts,
    stop,
    breaks: () => {
      runtime = { ...UNHEARD, message: "it is away" };
    },
    end: () => stop.abort(new DOMException("Over", "AbortError")),
  };
}

async function quiet(work: Promise<void>): Promise<void> {
  await work.catch((error) => assert.equal(error.name, "AbortError"));
}

Deno.test("tellReady() says so, and who it is inside of a wrapper", async () => {
  const { parts, manager, stop } = aWorld();
  await tellReady(parts, stop.signal);
  manager.mainPid = 7;
  await tellReady(parts, stop.signal);
  assert.deepEqual(manager.heard, ["READY=1", "READY=1", "MAINPID=7"]);
});

Deno.test("tellReady() goes on until it is heard", async () => {
  const { parts, manager, clock, stop } = aWorld();
  let tries = 0;
  manager.notify = () => ++tries < 4 ? "it is full" : undefined;
  const done = tellReady(parts, stop.signal);
  await clock.advance(3_000);
  await done;
  assert.equal(tries, 4);
});

Deno.test("feedWatchdog() feeds it every half of its patience", async () => {
  const { parts, manager, clock, stop, end } = aWorld();
  manager.watchdogMs = 30_000;
  const done = quiet(feedWatchdog(parts, [], stop.signal));
  await clock.advance(44_999);
  assert.equal(manager.heard.length, 3);
  await clock.advance(1);
  assert.deepEqual(manager.heard, Array(4).fill("WATCHDOG=1"));
  end();
  await done;
});

Deno.test("feedWatchdog() does not while a check fails", async () => {
  const { parts, manager, clock, stop, end } = aWorld();
  manager.watchdogMs = 30_000;
  let reason: string | undefined = "stuck";
  const check = { name: "syncloop", check: () => reason };
  const done = quiet(feedWatchdog(parts, [check], stop.signal));
  await clock.advance(60_000);
  assert.deepEqual(manager.heard, []);
  reason = undefined;
  await clock.advance(15_000);
  assert.deepEqual(manager.heard, ["WATCHDOG=1"]);
  end();
  await done;
});

Deno.test("feedWatchdog() tries once more after a failure", async () => {
  const { parts, manager, clock, stop, end } = aWorld();
  manager.watchdogMs = 30_000;
  let tries = 0;
  manager.notify = () => ++tries === 1 ? "it is full" : undefined;
  const done = quiet(feedWatchdog(parts, [], stop.signal));
  await clock.advance(1_000);
  assert.equal(tries, 2);
  end();
  await done;
});

Deno.test("feedWatchdog() is idle without one", async () => {
  const { parts, manager, stop } = aWorld();
  await feedWatchdog(parts, [], stop.signal);
  assert.deepEqual(manager.heard, []);
});

Deno.test("keepTelling() tells what explain says first, when it is another", async () => {
  const { parts, manager, clock, stop, end, breaks } = aWorld();
  const done = quiet(keepTelling(parts, stop.signal));
  await clock.advance(60_000);
  breaks();
  await clock.advance(30_000);
  assert.deepEqual(manager.heard, [
    "STATUS=All is well: there are no pods",
    "STATUS=The container runtime is not ready: it is away",
  ]);
  end();
  await done;
});

Deno.test("keepTelling() has nothing to do where nobody listens", async () => {
  const { parts, manager, stop } = aWorld();
  manager.isListening = false;
  await keepTelling(parts, stop.signal);
});

Deno.test("ending() ends at once where pods get no time", () => {
  const { parts, manager, stop, end } = aWorld();
  const shutdown = { isOff: true, settle: () => new Promise<void>(() => {}) };
  const signal = ending({ ...parts, shutdown }, stop.signal, stop.signal);
  assert.equal(signal.aborted, false);
  end();
  assert.equal(signal.aborted, true);
  assert.deepEqual(manager.heard, ["STOPPING=1"]);
});

Deno.test("ending() waits for the pods of a machine that goes down", async () => {
  const { parts, manager, stop, end } = aWorld();
  const pods = Promise.withResolvers<void>();
  const shutdown = { isOff: false, settle: () => pods.promise };
  const never = new AbortController().signal;
  const signal = ending({ ...parts, shutdown }, stop.signal, never);
  end();
  assert.deepEqual(manager.heard, ["STOPPING=1"]);
  await Promise.resolve();
  assert.equal(signal.aborted, false);
  pods.reject(new Error("A bug"));
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  assert.equal(signal.reason, stop.signal.reason);
});
