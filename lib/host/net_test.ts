import assert from "node:assert/strict";
import { AgentError, type Next } from "../base/errors.ts";
import { hostHttp } from "./net.ts";

const never = () => new AbortController().signal;

async function withServer(
  answer: (request: Request) => Response | Promise<Response>,
  story: (base: string) => Promise<void>,
): Promise<void> {
  const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
  const server = Deno.serve(options, answer);
  try {
    await story(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

const get = (
  url: string,
  more: {
    headers?: readonly (readonly [string, string])[];
    timeoutMs?: number;
    limitBytes?: number;
  } = {},
  signal = never(),
) =>
  hostHttp.get(
    { url, headers: [], timeoutMs: 5_000, limitBytes: 1_000, ...more },
    signal,
  );

async function refused(work: Promise<unknown>, next: Next, why: RegExp) {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AgentError, String(error));
    assert.match(error.message, why);
    assert.equal(error.next, next);
    return true;
  });
}

Deno.test("hostHttp gets status, headers and body", () =>
  withServer(
    (request) =>
      new Response(`hello ${request.headers.get("x-a")}`, {
        status: 418,
        headers: { "x-b": "c" },
      }),
    async (base) => {
      const headers = [["X-A", "1"], ["X-A", "2"]] as const;
      const { status, headers: got, body } = await get(base, { headers });
      assert.equal(status, 418);
      assert.equal(got.get("x-b"), "c");
      assert.equal(new TextDecoder().decode(body), "hello 1, 2");
    },
  ));

Deno.test("hostHttp stops reading at the limit", () =>
  withServer(
    () => new Response("x".repeat(2_000)),
    (base) => refused(get(base), "give-up", /body longer than 1000 bytes/),
  ));

Deno.test("hostHttp gives up on a server that does not end", () =>
  withServer(
    () => {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(1)),
      });
      return new Response(body);
    },
    (base) =>
      refused(get(base, { timeoutMs: 50 }), "retry", /no answer within 50 ms/),
  ));

Deno.test("hostHttp rejects with the reason of an abort", () =>
  withServer(
    () => new Response(new ReadableStream()),
    async (base) => {
      const stop = new AbortController();
      const asking = get(base, {}, stop.signal);
      stop.abort("enough");
      await assert.rejects(asking, (reason) => reason === "enough");
    },
  ));

Deno.test("hostHttp follows ten redirects and no more", () =>
  withServer(
    (request) => {
      const left = Number(new URL(request.url).pathname.slice(1));
      if (left === 0) return new Response("there");
      const headers = { location: `/${left - 1}` };
      return new Response(null, { status: 302, headers });
    },
    async (base) => {
      assert.equal((await get(`${base}/10`)).status, 200);
      await refused(get(`${base}/11`), "retry", /more than 10 redirects/);
    },
  ));

Deno.test("hostHttp tells credentials to nobody else", () =>
  withServer(
    (request) => Response.json(Object.fromEntries(request.headers)),
    (other) =>
      withServer(
        () => {
          const location = other.replace("127.0.0.1", "localhost");
          return new Response(null, { status: 307, headers: { location } });
        },
        async (base) => {
          const headers = [["Authorization", "secret"], ["X-A", "b"]] as const;
          const { body } = await get(base, { headers });
          const text = new TextDecoder().decode(body);
          assert.equal(text.includes("secret"), false);
          assert.equal(text.includes('"x-a":"b"'), true);
        },
      ),
  ));

Deno.test("hostHttp says when nobody is there, without passwords", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const url = `http://user:pass@127.0.0.1:${port}/`;
  await refused(get(url), "retry", /^Cannot get http:\/\/…@127/);
  await refused(get("ftp://x/"), "give-up", /not an http\(s\) URL/);
});
