import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import { listening } from "../../tests/listen.ts";
import { FrameScanner, guardedSocket } from "./http2_guard.ts";

const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const ACK = 1;

/** A frame with a payload full of sevens. */
function frame(type: number, length: number, flags = 0): number[] {
  return [
    length >> 16,
    (length >> 8) & 255,
    length & 255,
    type,
    flags,
    ...[0, 0, 0, 0],
    ...Array.from({ length }, () => GOAWAY),
  ];
}

const isNotGoaway = (type: number) => type !== GOAWAY;

Deno.test("FrameScanner finds a frame, however the bytes are cut", () => {
  const before = [...frame(SETTINGS, 18), ...frame(0, 70_000), ...frame(3, 0)];
  const bytes = new Uint8Array([...before, ...frame(GOAWAY, 8)]);
  for (const size of [1, 2, 7, 9, 4096, bytes.length]) {
    const scanner = new FrameScanner(0, isNotGoaway);
    let passed = 0;
    let found = -1;
    for (let start = 0; start < bytes.length && found < 0; start += size) {
      found = scanner.find(bytes.subarray(start, start + size));
      passed = start + Math.max(0, found);
    }
    assert.ok(found >= 0, `cut every ${size} bytes`);
    // Of the frame itself no more than what comes before its flags.
    assert.ok(passed >= before.length && passed <= before.length + 4);
    if (size === bytes.length) assert.equal(passed, before.length);
  }
});

Deno.test("FrameScanner passes everything else, and what is before frames", () => {
  const scanner = new FrameScanner(24, isNotGoaway);
  assert.equal(scanner.find(new Uint8Array(24).fill(GOAWAY)), -1);
  for (const type of [0, 1, 2, 3, 4, 5, 6, 8, 9]) {
    const bytes = new Uint8Array(frame(type, 300));
    assert.equal(scanner.find(bytes), -1);
  }
});

/** What the guarded side hears of a peer that says these pieces. */
async function hears(
  pieces: readonly (readonly number[])[],
  before: (stream: Duplex) => void = () => {},
  mostBytes?: number,
): Promise<{ readonly heard: Buffer; readonly isOver: boolean }> {
  const heard: Buffer[] = [];
  const { promise: peerGone, resolve: gone } = Promise.withResolvers<void>();
  const server = net.createServer(async (peer) => {
    peer.on("close", () => gone());
    peer.resume();
    for (const piece of pieces) {
      peer.write(Buffer.from(piece));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    peer.end();
  });
  const port = await listening(server);
  const stream = guardedSocket(
    net.connect(port, "127.0.0.1"),
    "client",
    mostBytes,
  );
  let isOver = true;
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => heard.push(chunk));
  stream.on("end", () => {
    isOver = false;
    stream.destroy();
  });
  before(stream);
  await new Promise((resolve) => stream.on("close", resolve));
  await peerGone;
  await new Promise((resolve) => server.close(resolve));
  return { heard: Buffer.concat(heard), isOver };
}

const PREFACE = Buffer.alloc(24);

Deno.test("guardedSocket passes what comes before GOAWAY, and ends", async () => {
  const before = frame(SETTINGS, 6);
  const { heard, isOver } = await hears([
    [...before, ...frame(GOAWAY, 8), ...frame(0, 5)],
  ]);
  assert.deepEqual([...heard], before);
  assert.ok(isOver);
});

Deno.test("guardedSocket passes as many answers to PING as were asked", async () => {
  const pong = frame(PING, 8, ACK);
  const asked = await hears([pong, frame(PING, 8), pong], (stream) => {
    stream.write(PREFACE);
    stream.write(Buffer.from([...frame(PING, 8), ...frame(PING, 8, ACK)]));
  });
  assert.deepEqual([...asked.heard], [...pong, ...frame(PING, 8)]);
  assert.ok(asked.isOver);
  const unasked = await hears([frame(PING, 8), pong]);
  assert.deepEqual([...unasked.heard], frame(PING, 8));
  const well = await hears([frame(PING, 8)]);
  assert.equal(well.isOver, false);
});

Deno.test("guardedSocket ends when more comes than is wanted", async () => {
  const update = frame(8, 4);
  const within = await hears([update, update], undefined, update.length * 2);
  assert.deepEqual([...within.heard], [...update, ...update]);
  assert.equal(within.isOver, false);
  const more = await hears([update, update], undefined, update.length * 2 - 1);
  assert.deepEqual([...more.heard], update);
  assert.ok(more.isOver);
});
