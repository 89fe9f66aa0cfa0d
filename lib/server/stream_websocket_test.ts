import assert from "node:assert/strict";
import { spokenCommand, spokenTunnel, tunnelOf } from "./stream_websocket.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const STREAMS = {
  ...{ hasTty: false, hasStdin: true, hasStdout: true, hasStderr: true },
};

function asking(protocols: string, key = KEY): ReadonlyMap<string, string> {
  return new Map([
    ["upgrade", "websocket"],
    ["sec-websocket-key", key],
    ["sec-websocket-protocol", protocols],
  ]);
}

Deno.test("spokenCommand() speaks v5 and nothing older", () => {
  const spoken = spokenCommand(
    asking("v4.channel.k8s.io, v5.channel.k8s.io"),
    STREAMS,
  );
  assert.deepEqual(spoken?.webSocket, {
    key: KEY,
    protocol: "v5.channel.k8s.io",
    holds: STREAMS,
  });
  assert.deepEqual(spoken?.headers.at(-1), [
    "X-Stream-Protocol-Version",
    "v4.channel.k8s.io",
  ]);
  for (
    const headers of [
      asking("v4.channel.k8s.io"),
      asking("v5.channel.k8s.io", "short"),
      new Map([["upgrade", "SPDY/3.1"]]),
    ]
  ) {
    assert.equal(spokenCommand(headers, STREAMS), undefined);
  }
});

Deno.test("spokenTunnel() takes SPDY out of the protocol's name", () => {
  const spoken = spokenTunnel(asking("SPDY/3.1+portforward.k8s.io"));
  assert.equal(spoken?.webSocket.protocol, "SPDY/3.1+portforward.k8s.io");
  assert.deepEqual(spoken?.headers.at(-1), [
    "X-Stream-Protocol-Version",
    "portforward.k8s.io",
  ]);
  assert.equal(tunnelOf(asking("v4.channel.k8s.io")), undefined);
});
