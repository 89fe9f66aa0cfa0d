import assert from "node:assert/strict";
import type { NodeAnswer } from "../port/node_server.ts";
import {
  bytes,
  connect,
  readAll,
  sendUntilStuck,
  serving,
  SOCKETS_BYTES,
} from "./node_listener_fixture_test.ts";

/** A runtime's server: one connection, answered by `script`. */
async function handedOver(
  script: (connection: Deno.Conn, head: string) => Promise<void>,
  caller: (connection: Deno.TlsConn) => Promise<void>,
  idleMs = 60_000,
): Promise<void> {
  const runtime = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const over = Promise.withResolvers<void>();
  const accepted = (async () => {
    const connection = await runtime.accept();
    const chunk = new Uint8Array(16 * 1024);
    const length = await connection.read(chunk) ?? 0;
    await script(
      connection,
      new TextDecoder().decode(chunk.subarray(0, length)),
    );
    connection.close();
  })();
  const answer: NodeAnswer = {
    kind: "handover",
    host: "127.0.0.1",
    port: runtime.addr.port,
    method: "POST",
    path: "/exec/token",
    headers: [["Connection", "Upgrade"], ["Upgrade", "SPDY/3.1"]],
    idleMs,
    ended: () => over.resolve(),
  };
  await serving(() => Promise.resolve(answer), async ({ port }) => {
    const connection = await connect(port);
    await connection.write(bytes(
      "POST /exec/a/b/c HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s\r\n" +
        "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n",
    ));
    await caller(connection);
    connection.close();
    await over.promise;
  });
  await accepted;
  runtime.close();
}

const SWITCHED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n\r\n";

Deno.test("handOver() passes bytes both ways, and keeps the caller's secrets", () =>
  handedOver(async (connection, head) => {
    assert.match(head, /^POST \/exec\/token HTTP\/1\.1\r\nHost: 127\.0\.0\.1:/);
    assert.doesNotMatch(head, /authorization/i);
    // The first bytes come with the head, others after it.
    await connection.write(bytes(`${SWITCHED}first `));
    const chunk = new Uint8Array(1024);
    const length = await connection.read(chunk) ?? 0;
    await connection.write(chunk.subarray(0, length));
  }, async (connection) => {
    await connection.write(bytes("echo"));
    assert.equal(await readAll(connection), `${SWITCHED}first echo`);
  }));

Deno.test("handOver() cuts a stream on which nobody says a word", () =>
  handedOver(async (connection) => {
    await connection.write(bytes(SWITCHED));
    assert.equal(await readAll(connection), "", "until the other side ends");
  }, async (connection) => {
    assert.equal(await readAll(connection), SWITCHED);
  }, 100));

Deno.test("S06: handOver() follows no redirect", () =>
  handedOver(async (connection) => {
    await connection.write(bytes(
      "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
    ));
  }, async (connection) => {
    const text = await readAll(connection);
    assert.match(text, /^HTTP\/1\.1 502 .*redirects/s);
    assert.doesNotMatch(text, /169\.254/);
  }));

Deno.test("handOver() passes on another answer and ends the connection", () =>
  handedOver(async (connection) => {
    await connection.write(bytes(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\ngone!more",
    ));
  }, async (connection) => {
    assert.match(
      await readAll(connection),
      /^HTTP\/1\.1 404 Not Found\r\n.*gone!$/s,
    );
  }));

Deno.test("handOver() says so when the runtime answers nonsense or hangs up", async () => {
  for (const nonsense of ["", "hello\r\n\r\n", "HTTP/1.1 101"]) {
    await handedOver(async (connection) => {
      await connection.write(bytes(nonsense));
    }, async (connection) => {
      assert.match(await readAll(connection), /^HTTP\/1\.1 502 /);
    });
  }
});

Deno.test("handOver() takes no more of a caller than the runtime does", async () => {
  const stuck = Promise.withResolvers<void>();
  await handedOver(async (connection) => {
    await connection.write(bytes(SWITCHED));
    await stuck.promise;
  }, async (connection) => {
    await connection.read(new Uint8Array(1024));
    const { sent } = await sendUntilStuck(connection);
    stuck.resolve();
    assert.ok(sent < SOCKETS_BYTES, `${sent} bytes that nobody reads`);
  });
});
