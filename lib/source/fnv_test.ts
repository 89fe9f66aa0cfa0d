import assert from "node:assert/strict";
import { fnv128a } from "./fnv.ts";

// Made with Go's hash/fnv New128a.
const VECTORS: readonly (readonly [string, string])[] = [
  ["", "6c62272e07bb014262b821756295c58d"],
  ["a", "d228cb696f1a8caf78912b704e4a8964"],
  ["foobar", "343e1662793c64bf6f0d3597ba446f18"],
  ["denolet", "54640aed534ff78d9cca7a1fa8049f66"],
  [
    "host:node-1file:/etc/kubernetes/manifests/web.yaml",
    "c4b642ef35ee7d12765b782139ac5160",
  ],
  ["héllo wörld 你好", "4facbd342883b5488b79803bddffc850"],
  ["0123456789abcdef".repeat(1000), "ed413096696c33f8870e8750f085490d"],
];

Deno.test("fnv128a() is Go's", () => {
  for (const [text, hash] of VECTORS) {
    assert.equal(fnv128a(new TextEncoder().encode(text)), hash);
  }
  const bytes = new Uint8Array([0, 255, 0, 255]);
  assert.equal(fnv128a(bytes), "66ad3d06e0757277b806e89d305ddc45");
});
