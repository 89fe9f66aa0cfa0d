import assert from "node:assert/strict";
import { anImage } from "./fixture_test.ts";
import { imageList } from "./images.ts";

Deno.test("imageList() tells the largest first, at most as many as allowed", () => {
  const images = [1n, 3n, 2n].map((sizeBytes) =>
    anImage({ id: `sha256:${sizeBytes}`, sizeBytes })
  );
  const sizes = (most: number) =>
    imageList(images, most).map(({ sizeBytes }) => sizeBytes);
  assert.deepEqual(sizes(50), [3, 2, 1]);
  assert.deepEqual(sizes(2), [3, 2]);
  assert.deepEqual(sizes(0), []);
  assert.deepEqual(sizes(-1), [3, 2, 1]);
});

Deno.test("imageList() tells five names, digests before tags", () => {
  const digests = ["a@1", "a@2", "a@3"];
  const tags = ["a:1", "a:2", "a:3"];
  assert.deepEqual(imageList([anImage({ digests, tags })], 50), [
    { names: ["a@1", "a@2", "a@3", "a:1", "a:2"], sizeBytes: 1 },
  ]);
});
