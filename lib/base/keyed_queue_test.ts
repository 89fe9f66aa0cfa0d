import assert from "node:assert/strict";
import { type Clock, systemClock } from "./clock.ts";
import { KeyedQueue } from "./keyed_queue.ts";

/** Time that moves only when a test says so. */
function aClock() {
  let nowMs = 1_000;
  const sleepers = new Set<{ dueMs: number; wake: () => void }>();
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep(ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const sleeper = { dueMs: nowMs + ms, wake: resolve };
      sleepers.add(sleeper);
      signal.addEventListener("abort", () => {
        sleepers.delete(sleeper);
        reject(signal.reason);
      }, { once: true });
      return promise;
    },
  };
  const advance = async (ms: number) => {
    nowMs += ms;
    for (const { dueMs, wake } of sleepers) if (dueMs <= nowMs) wake();
    await settle();
  };
  return { clock, advance };
}

/** Lets everything that can run now run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

function aQueue() {
  const { clock, advance } = aClock();
  const queue = new KeyedQueue<string>(clock);
  const stop = new AbortController();
  const passes: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<number | undefined>>();
  const signals: AbortSignal[] = [];
  const done = queue.run((key, signal) => {
    passes.push(key);
    signals.push(signal);
    const gate = gates.get(key);
    return gate === undefined ? Promise.resolve(undefined) : gate.promise;
  }, stop.signal);
  const hold = (key: string) => {
    const gate = Promise.withResolvers<number | undefined>();
    gates.set(key, gate);
    return (nextMs?: number) => {
      gates.delete(key);
      gate.resolve(nextMs);
      return settle();
    };
  };
  const end = async () => {
    stop.abort();
    await done;
  };
  return { queue, advance, passes, signals, hold, end, clock };
}

Deno.test("KeyedQueue runs one pass for a burst of wakes", async () => {
  const { queue, passes, end } = aQueue();
  for (let i = 0; i < 5; i++) queue.wake("a");
  queue.wake("b");
  await settle();
  assert.deepEqual(passes, ["a", "b"]);
  await end();
});

Deno.test("KeyedQueue never overlaps passes of one key, and loses no wake", async () => {
  const { queue, passes, hold, end } = aQueue();
  const release = hold("a");
  queue.wake("a");
  await settle();
  queue.wake("a");
  queue.wake("a");
  queue.wake("b");
  await settle();
  assert.deepEqual(passes, ["a", "b"]);
  await release();
  assert.deepEqual(passes, ["a", "b", "a"]);
  await end();
});

Deno.test("KeyedQueue wakes at the earliest of the times asked for", async () => {
  const { queue, passes, advance, clock, end } = aQueue();
  queue.wakeAt("a", clock.nowMs() + 500);
  queue.wakeAt("a", clock.nowMs() + 200);
  queue.wakeAt("a", clock.nowMs() + 900);
  await settle();
  await advance(199);
  assert.deepEqual(passes, []);
  await advance(1);
  assert.deepEqual(passes, ["a"]);
  await advance(1_000);
  assert.deepEqual(passes, ["a"], "the later time is forgotten");
  await end();
});

Deno.test("KeyedQueue comes back when a pass says so", async () => {
  const { queue, passes, advance, hold, clock, end } = aQueue();
  const release = hold("a");
  queue.wake("a");
  await settle();
  await release(clock.nowMs() + 100);
  await advance(99);
  assert.deepEqual(passes, ["a"]);
  await advance(1);
  assert.deepEqual(passes, ["a", "a"]);
  await end();
});

Deno.test("KeyedQueue interrupts the pass under way and runs another", async () => {
  const { queue, passes, signals, hold, end } = aQueue();
  const release = hold("a");
  queue.wake("a");
  await settle();
  queue.interrupt("a");
  assert.equal(signals[0]?.aborted, true);
  await release();
  assert.deepEqual(passes, ["a", "a"]);
  assert.equal(signals[1]?.aborted, false);
  assert.equal(queue.busyCount, 0);
  await end();
});

Deno.test("KeyedQueue ends only when the passes under way have", async () => {
  const { queue, signals, hold, end } = aQueue();
  const release = hold("a");
  queue.wake("a");
  await settle();
  let isOver = false;
  const over = end().then(() => isOver = true);
  await settle();
  assert.equal(signals[0]?.aborted, true, "the pass is told");
  assert.equal(isOver, false);
  await release();
  await over;
});

Deno.test("KeyedQueue fails when a pass throws, because that is a bug", async () => {
  const { clock } = aClock();
  const queue = new KeyedQueue<string>(clock);
  queue.wake("a");
  await assert.rejects(
    queue.run(
      () => Promise.reject(new Error("bug")),
      new AbortController().signal,
    ),
    /bug/,
  );
});

Deno.test("KeyedQueue.idle() waits for passes, wakes and times of its keys", async () => {
  const { clock, advance } = aClock();
  const queue = new KeyedQueue<string>(clock);
  const stop = new AbortController();
  const work = Promise.withResolvers<void>();
  let again: number | undefined = 1_500;
  const running = queue.run(async (key) => {
    if (key === "a") await work.promise;
    const next = again;
    again = undefined;
    return key === "a" ? next : undefined;
  }, stop.signal);
  let isIdle = false;
  queue.wake("a");
  const idle = queue.idle(["a", "nobody"], stop.signal)
    .then(() => isIdle = true);
  await settle();
  assert.equal(isIdle, false);
  work.resolve();
  await settle();
  // It looks again later, so it is not over.
  assert.equal(isIdle, false);
  await advance(500);
  await idle;
  assert.equal(isIdle, true);
  await queue.idle([], stop.signal);
  queue.wakeAt("b", 9_000);
  const given = queue.idle(["b"], stop.signal);
  const rejected = assert.rejects(given, { name: "AbortError" });
  stop.abort(new DOMException("Over", "AbortError"));
  await rejected;
  await running;
});

Deno.test("KeyedQueue lets others have their turn between many passes", async () => {
  const queue = new KeyedQueue<number>(systemClock);
  const stop = new AbortController();
  let begun = 0;
  for (let key = 0; key < 20; key++) queue.wake(key);
  const ended = queue.run(() => {
    begun++;
    const untilMs = performance.now() + 3;
    while (performance.now() < untilMs);
    return Promise.resolve(undefined);
  }, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(begun > 0 && begun < 20, `${begun} had begun`);
  while (begun < 20) await new Promise((resolve) => setTimeout(resolve, 1));
  stop.abort();
  await ended;
});
