import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { podUid } from "../api/id.ts";
import { Lane } from "./lane.ts";

/** Work that ends when told to, by name. */
function works(lane: Lane) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    enter(pod: string, name: string) {
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.set(name, resolve);
      lane.enter(podUid(pod), () => {
        begun.push(name);
        return promise;
      });
    },
    async end(name: string) {
      ends.get(name)?.();
      await new Promise<void>((resolve) => setImmediate(resolve));
    },
  };
}

Deno.test("Lane leaves room beside a pod with many slow questions", async () => {
  const { begun, enter, end } = works(new Lane({ most: 4, share: 2 }));
  for (const name of ["a1", "a2", "a3", "a4"]) enter("a", name);
  enter("b", "b1");
  assert.deepEqual(begun, ["a1", "a2", "b1"]);
  await end("b1");
  assert.deepEqual(begun, ["a1", "a2", "b1"]);
  await end("a1");
  assert.deepEqual(begun, ["a1", "a2", "b1", "a3"]);
});

Deno.test("Lane lets every pod have its turn", async () => {
  const { begun, enter, end } = works(new Lane({ most: 1, share: 1 }));
  for (const name of ["a1", "a2", "a3"]) enter("a", name);
  for (const name of ["b1", "b2"]) enter("b", name);
  enter("c", "c1");
  for (const name of ["a1", "a2", "b1", "c1", "a3", "b2"]) await end(name);
  assert.deepEqual(begun, ["a1", "a2", "b1", "c1", "a3", "b2"]);
});
