import assert from "node:assert/strict";
import { makeAuthority } from "../../deploy/cluster/certificates.ts";
import type { NodeHandler } from "../port/node_server.ts";
import { subjectOf } from "../server/subject.ts";
import {
  bytes,
  CLIENT_CA,
  connect,
  NODE_CA,
  sendUntilStuck,
  serving,
  signed,
  SOCKETS_BYTES,
  turn,
} from "./node_listener_fixture_test.ts";

const WHO: NodeHandler = ({ certificate }) =>
  Promise.resolve({
    kind: "response",
    status: 200,
    headers: [],
    body: certificate === undefined
      ? "nobody"
      : subjectOf(certificate)?.commonName ?? "?",
  });

Deno.test("S41: HostNodeListener shows a certificate only to whom it was proven", () =>
  serving(WHO, async ({ get }) => {
    assert.equal(await get(), "200 nobody");
    assert.equal(await get(await signed(CLIENT_CA)), "200 me");
    assert.equal(await get(await signed(NODE_CA)), "200 nobody");
    const odd = [{ lifetimeMs: -60_000 }, { use: "server" }] as const;
    for (const wish of odd) {
      assert.equal(await get(await signed(CLIENT_CA, wish)), "200 nobody");
    }
  }));

Deno.test("HostNodeListener trusts the CA of now, also on connections of before", () =>
  serving(WHO, async ({ url, identity }) => {
    const pair = await signed(CLIENT_CA);
    const client = Deno.createHttpClient({
      caCerts: [NODE_CA.certificate],
      cert: pair.certificate,
      key: pair.key,
    });
    const ask = async () => await (await fetch(url, { client })).text();
    try {
      assert.equal(await ask(), "me");
      const clientCa = (await makeAuthority("client-ca")).certificate;
      identity.set({ ...identity.get(), clientCa });
      await turn();
      assert.equal(await ask(), "nobody");
    } finally {
      client.close();
    }
  }));

Deno.test("HostNodeListener fails handshakes until there is a certificate, then serves", () =>
  serving(WHO, async ({ get, identity }) => {
    const { certificate, key, clientCa } = identity.get();
    identity.set({ certificate: undefined, key: undefined, clientCa });
    await turn();
    await assert.rejects(get());
    identity.set({ certificate, key, clientCa });
    await turn();
    assert.equal(await get(), "200 nobody");
  }));

Deno.test("HostNodeListener answers a failed handler with a bare 500", () =>
  serving(() => Promise.reject(new Error("secret")), async ({ get }) => {
    assert.equal(await get(), "500 Internal error\n");
  }));

Deno.test("HostNodeListener ends only the connection of an answer that cannot be", async () => {
  const handler: NodeHandler = ({ path }) =>
    Promise.resolve({
      kind: "response",
      status: 200,
      headers: path === "/bad" ? [["X-Name", "a\nb"]] : [],
      body: "fine",
    });
  await serving(handler, async ({ url }) => {
    const client = Deno.createHttpClient({ caCerts: [NODE_CA.certificate] });
    await assert.rejects(fetch(`${url}/bad`, { client }));
    const answer = await fetch(`${url}/good`, { client });
    assert.equal(await answer.text(), "fine");
    client.close();
  });
});

Deno.test("HostNodeListener pulls an answer as fast as it is read, and ends its source", async () => {
  let made = 0;
  const ended = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        made++;
        yield await Promise.resolve(new Uint8Array(64 * 1024));
      }
    } finally {
      ended.resolve();
    }
  }
  const handler: NodeHandler = () =>
    Promise.resolve({
      kind: "response",
      status: 200,
      headers: [],
      body: endless(),
    });
  await serving(handler, async ({ port }) => {
    const connection = await connect(port);
    await connection.write(bytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    await connection.read(new Uint8Array(1024));
    // It stops by itself: sockets hold only so much.
    for (let still = 0, before = 0; still < 200; still++) {
      if (made !== before) still = 0;
      before = made;
      await turn();
    }
    assert.ok(made < 400, `${made} chunks for a caller who does not read`);
    connection.close();
    await ended.promise;
  });
});

Deno.test("HostNodeListener reads a body when it is asked for, no further than its limit", async () => {
  const asked = Promise.withResolvers<void>();
  const refused = Promise.withResolvers<void>();
  const handler: NodeHandler = async ({ body }) => {
    await asked.promise;
    if (await body(1_000_000) === undefined) refused.resolve();
    return { kind: "response", status: 200, headers: [], body: "" };
  };
  await serving(handler, async ({ port }) => {
    const connection = await connect(port);
    await connection.write(bytes(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n",
    ));
    const { sent, over } = await sendUntilStuck(connection);
    assert.ok(sent < SOCKETS_BYTES, `${sent} bytes that nobody asked for`);
    asked.resolve();
    await refused.promise;
    connection.close();
    await over;
  });
});

Deno.test("HostNodeListener ends the connection of a body over the limit, and goes on", async () => {
  const handler: NodeHandler = async ({ body }) => {
    const length = (await body(10))?.length;
    return { kind: "response", status: 200, headers: [], body: `${length}` };
  };
  await serving(handler, async ({ url, port }) => {
    const connection = await connect(port);
    await connection.write(bytes(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
        "x".repeat(100),
    ));
    const answered = await new Response(connection.readable).text();
    assert.match(answered, /^HTTP\/1.1 200 OK\r\n[^]*undefined$/);
    // Longer than the rest of such a body may go on coming.
    await new Promise((resolve) => setTimeout(resolve, 700));
    const client = Deno.createHttpClient({ caCerts: [NODE_CA.certificate] });
    const answer = await fetch(url, { method: "POST", body: "1", client });
    assert.equal(await answer.text(), "1");
    client.close();
  });
});

Deno.test("HostNodeListener reads all of a body, and the next request", async () => {
  const handler: NodeHandler = async ({ body }) => {
    const length = (await body(10_000_000))?.length;
    return { kind: "response", status: 200, headers: [], body: `${length}` };
  };
  await serving(handler, async ({ url }) => {
    const client = Deno.createHttpClient({ caCerts: [NODE_CA.certificate] });
    for (const length of [5_000_000, 1, 2_000_000]) {
      const body = new Uint8Array(length);
      const answer = await fetch(url, { method: "POST", body, client });
      assert.equal(await answer.text(), `${length}`);
    }
    client.close();
  });
});
