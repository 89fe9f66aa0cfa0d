import assert from "node:assert/strict";
import { portsOf, streamOptions } from "./stream_query.ts";
import { streamTarget } from "./stream_target.ts";

function query(text: string): ReadonlyMap<string, readonly string[]> {
  const params = new URLSearchParams(text);
  return new Map(
    [...params.keys()].map((name) => [name, params.getAll(name)]),
  );
}

Deno.test("streamOptions() wants a stream, and gives a terminal one for both", () => {
  assert.equal(
    streamOptions(query("command=ls&tty=1")),
    "you must specify at least 1 of stdin, stdout, stderr",
  );
  assert.deepEqual(streamOptions(query("input=1&output=1&error=1&tty=1")), {
    hasTty: true,
    hasStdin: true,
    hasStdout: true,
    hasStderr: false,
  });
  assert.equal(typeof streamOptions(query("output=true")), "string");
});

Deno.test("portsOf() takes ports of WebSockets only, and only ports", () => {
  const socket = new Map([["upgrade", "WebSocket"]]);
  const spdy = new Map([["upgrade", "SPDY/3.1"]]);
  assert.deepEqual(portsOf({ query: query(""), headers: spdy }), []);
  const ports = (text: string) =>
    portsOf({ query: query(text), headers: socket });
  assert.deepEqual(ports("port=80&port=81,82"), [80, 81, 82]);
  for (
    const text of ["", "port=", "port=0", "port=65536", "port=1,x", "port=-1"]
  ) {
    assert.equal(typeof ports(text), "string", text);
  }
});

Deno.test("S06: streamTarget() stays on this machine", () => {
  assert.deepEqual(streamTarget("http://127.0.0.1:4321/exec/token?a=b"), {
    host: "127.0.0.1",
    port: 4321,
    path: "/exec/token?a=b",
  });
  assert.deepEqual(streamTarget("http://[::1]:1/x"), {
    host: "::1",
    port: 1,
    path: "/x",
  });
  for (
    const url of [
      "http://169.254.169.254/latest",
      "http://127.0.0.1.example.com/x",
      "http://127.0.0.1@192.0.2.1/x",
      "http://user@127.0.0.1/x",
      "https://127.0.0.1/x",
      "http://[::ffff:192.0.2.1]/x",
      "http://0.0.0.0:1/x",
      "file:///etc/shadow",
      "/exec/token",
      "",
    ]
  ) assert.equal(typeof streamTarget(url), "string", url);
  // Every other spelling of the loopback is undone by the parser.
  assert.equal(typeof streamTarget("http://2130706433:5/x"), "object");
});
