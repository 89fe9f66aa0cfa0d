import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, inflateSync } from "node:zlib";
import { joined } from "../base/bytes.ts";
import { RemoteCommand } from "./remote_command.ts";
import { spdyData, spdyPing } from "./spdy.ts";
import { Tunnel } from "./tunnel.ts";
import { acceptOf } from "./websocket.ts";

const ALL = { hasTty: false, hasStdin: true, hasStdout: true, hasStderr: true };
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (parts: readonly Uint8Array[]) =>
  new TextDecoder().decode(joined(parts));

/** A client's frame, masked; `opcode` 0 goes on with a message. */
function masked(
  opcode: number,
  payload: Uint8Array,
  which: "more" | "last" = "last",
) {
  const mask = Uint8Array.of(1, 2, 3, 4);
  const long = payload.length > 125;
  const head = [
    (which === "last" ? 0x80 : 0) | opcode,
    0x80 | (long ? 126 : payload.length),
    ...long ? [payload.length >> 8, payload.length & 0xff] : [],
  ];
  const hidden = payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  return joined([Uint8Array.from(head), mask, hidden]);
}

interface Opened {
  readonly id: number;
  readonly type: string;
}

/** What a server makes of the frames that open streams. */
function opened(frames: readonly Uint8Array[]): Opened[] {
  const packed: Uint8Array[] = [];
  const found: Opened[] = [];
  let seen = 0;
  for (const frame of frames) {
    const view = new DataView(frame.buffer, frame.byteOffset);
    assert.equal(view.getUint16(0), 0x8003);
    assert.equal(view.getUint16(2), 1);
    assert.equal(view.getUint32(4), frame.length - 8);
    packed.push(frame.subarray(18));
    const finishFlush = constants.Z_SYNC_FLUSH;
    const plain = inflateSync(joined(packed), { finishFlush });
    const block = new TextDecoder("latin1").decode(plain.subarray(seen));
    seen = plain.length;
    const start = "\0\0\0\x01\0\0\0\x0astreamtype\0\0\0";
    assert.equal(block.slice(0, start.length), start);
    const type = block.slice(start.length + 1);
    assert.equal(block.charCodeAt(start.length), type.length);
    found.push({ id: view.getUint32(8), type });
  }
  return found;
}

Deno.test("RemoteCommand opens a stream for each that is wanted, the error's first", () => {
  const { on, back } = new RemoteCommand(ALL).begin();
  assert.deepEqual(opened(on), [
    { id: 1, type: "error" },
    { id: 3, type: "stdin" },
    { id: 5, type: "stdout" },
    { id: 7, type: "stderr" },
  ]);
  assert.deepEqual(back, [Uint8Array.of(0x82, 1, 1)]);
  const terminal = { ...ALL, hasTty: true, hasStderr: false };
  assert.deepEqual(
    opened(new RemoteCommand(terminal).begin().on).map(({ type }) => type),
    ["error", "stdin", "stdout", "resize"],
  );
});

Deno.test("RemoteCommand passes input on however it is cut, and its end", () => {
  const long = bytes("x".repeat(300));
  const sent = joined([
    masked(2, joined([Uint8Array.of(0), bytes("hello ")])),
    masked(9, bytes("are you there")),
    masked(2, joined([Uint8Array.of(0), bytes("wor")]), "more"),
    masked(0, bytes("ld\n")),
    masked(2, joined([Uint8Array.of(0), long])),
    // Nobody wanted a terminal, and channel 1 is not for callers.
    masked(2, Uint8Array.of(4, 123, 125)),
    masked(2, Uint8Array.of(1, 65)),
    masked(2, Uint8Array.of(255, 0)),
  ]);
  for (const step of [1, 2, 3, 7, 50, sent.length]) {
    const command = new RemoteCommand(ALL);
    command.begin();
    const on: Uint8Array[] = [];
    const back: Uint8Array[] = [];
    for (let at = 0; at < sent.length; at += step) {
      const chunk = Buffer.from(sent.slice(at, at + step));
      const passed = command.fromCaller(chunk);
      on.push(...passed.on);
      back.push(...passed.back);
      // Whoever passed it in has other use for it by now.
      chunk.fill(0xee);
    }
    for (const frame of on) assert.equal(frame[3], 3, "stdin");
    const last = on.at(-1);
    assert.deepEqual(last, spdyData(3, new Uint8Array(), "last"));
    const said = text(on.map((frame) => frame.subarray(8)));
    assert.equal(said, `hello world\n${"x".repeat(300)}`);
    assert.equal(back[0]?.[0], 0x8a);
    assert.equal(text(back).slice(2), "are you there");
  }
});

Deno.test("RemoteCommand tells output and status, then that it is over", () => {
  const status = '{"status":"Success"}';
  const said = joined([
    spdyData(5, bytes("out"), "more"),
    spdyPing(Uint8Array.of(0, 0, 0, 2)),
    spdyData(7, bytes("err"), "last"),
    spdyData(5, new Uint8Array(), "last"),
    spdyData(9, bytes("nobody's"), "more"),
    spdyData(1, bytes(status), "last"),
  ]);
  for (const step of [1, 5, 9, said.length]) {
    const command = new RemoteCommand(ALL);
    command.begin();
    const out = new Map<number, string>();
    const back: Uint8Array[] = [];
    let overAt = 0;
    for (let at = 0; at < said.length; at += step) {
      const chunk = Buffer.from(said.slice(at, at + step));
      const passed = command.fromRuntime(chunk);
      chunk.fill(0xee);
      for (const frame of passed.on) {
        const channel = frame[2] ?? -1;
        const more = new TextDecoder().decode(frame.subarray(3));
        out.set(channel, (out.get(channel) ?? "") + more);
      }
      back.push(...passed.back);
      if (passed.isOver === true && overAt === 0) overAt = at + step;
    }
    assert.deepEqual([...out], [[1, "out"], [2, "err"], [3, status]]);
    assert.ok(overAt >= said.length, `over at ${overAt}`);
    assert.deepEqual(joined(back), spdyPing(Uint8Array.of(0, 0, 0, 2)));
    assert.deepEqual(command.end(), [Uint8Array.of(0x88, 2, 3, 232)]);
  }
});

Deno.test("RemoteCommand tells a status of its own when there was none", () => {
  const command = new RemoteCommand(ALL);
  command.begin();
  const [told, close] = command.end();
  assert.equal(told?.[4], 3);
  assert.match(text([told.subarray(5)]), /^\{.*"InternalError"/);
  assert.equal(close?.[0], 0x88);
});

Deno.test("RemoteCommand ends with a caller that closes, and refuses a broken one", () => {
  const command = new RemoteCommand(ALL);
  command.begin();
  assert.equal(
    command.fromCaller(masked(8, Uint8Array.of(3, 232))).isOver,
    true,
  );
  assert.equal(command.end().length, 1);
  const plain = Uint8Array.of(0x82, 2, 0, 65);
  assert.throws(() => new RemoteCommand(ALL).fromCaller(plain), /no mask/);
  const huge = Uint8Array.of(0x89, 0xfe, 1, 0, 0, 0, 0, 0);
  assert.throws(() => new RemoteCommand(ALL).fromCaller(huge), /too long/);
  const http = bytes("\x80HTTP/1.1 400 Bad Request");
  assert.throws(() => new RemoteCommand(ALL).fromRuntime(http), /SPDY/);
});

Deno.test("Tunnel takes messages off and puts them on, byte by byte the same", () => {
  const tunnel = new Tunnel();
  const { on } = tunnel.fromCaller(masked(2, bytes("\x80\x03spdy")));
  assert.equal(text(on), "\x80\x03spdy");
  assert.deepEqual(tunnel.fromRuntime(bytes("ab")).on, [
    Uint8Array.of(0x82, 2, 97, 98),
  ]);
  assert.equal(tunnel.fromCaller(masked(8, new Uint8Array())).isOver, true);
});

Deno.test("acceptOf() is that of RFC 6455", () => {
  assert.equal(
    acceptOf("dGhlIHNhbXBsZSBub25jZQ=="),
    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  );
});
