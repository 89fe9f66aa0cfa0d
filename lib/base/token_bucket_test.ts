import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { TokenBucket } from "./token_bucket.ts";

const forever = new AbortController().signal;

/** When each of so many takers, all there at once, gets its turn. */
async function turns(
  clock: FakeClock,
  bucket: TokenBucket,
  count: number,
): Promise<number[]> {
  const startMs = clock.monotonicMs();
  const all = Array.from({ length: count }, async () => {
    await bucket.take(clock, forever);
    return clock.monotonicMs() - startMs;
  });
  await clock.advance(10_000);
  return await Promise.all(all);
}

Deno.test("TokenBucket lets a burst through, then one by one", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(5, 3);
  assert.deepEqual(await turns(clock, bucket, 5), [0, 0, 0, 200, 400]);
  assert.deepEqual(await turns(clock, bucket, 4), [0, 0, 0, 200]);
});

Deno.test("TokenBucket knows no bound at rate 0 and a least burst", async () => {
  const clock = new FakeClock();
  assert.deepEqual(await turns(clock, new TokenBucket(0, 0), 3), [0, 0, 0]);
  assert.deepEqual(await turns(clock, new TokenBucket(1, 0), 2), [0, 1000]);
});

Deno.test("TokenBucket.take() ends when nobody waits any more", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(1, 1);
  await bucket.take(clock, forever);
  const stop = new AbortController();
  const waits = assert.rejects(bucket.take(clock, stop.signal));
  stop.abort();
  await waits;
  assert.equal(clock.sleepers, 0);
});
