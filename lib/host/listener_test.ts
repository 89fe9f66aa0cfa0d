import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import type { Handler } from "../port/net.ts";
import { openLibc } from "./libc.ts";
import { HostListener } from "./listener.ts";
import { unixClient } from "./unix_client.ts";

const never = () => new AbortController().signal;

async function withAgent(
  handler: Handler,
  story: (world: { path: string; stop: AbortController }) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const libc = openLibc();
  const path = `${root}/run/agent.sock`;
  const stop = new AbortController();
  const address = { kind: "unix", path } as const;
  const serving = new HostListener(libc).serve(address, handler, stop.signal);
  try {
    await reachable(path);
    await story({ path, stop });
  } finally {
    stop.abort();
    await serving;
    libc.close();
    await Deno.remove(root, { recursive: true });
  }
}

async function reachable(path: string): Promise<void> {
  for (;;) {
    try {
      const connection = await Deno.connect({ transport: "unix", path });
      return connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      // A failed connect is done at once; without a turn nobody else runs.
      await turn();
    }
  }
}

function turn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 0);
  return promise;
}

const text = (body: string) => ({
  status: 200,
  contentType: "text/plain",
  body,
});

Deno.test("HostListener ends a stream when its reader leaves", async () => {
  const ended = Promise.withResolvers<void>();
  async function* endless(signal: AbortSignal) {
    try {
      while (!signal.aborted) {
        yield new TextEncoder().encode("tick\n");
        await turn();
      }
    } finally {
      ended.resolve();
    }
  }
  const handler: Handler = () =>
    Promise.resolve({
      status: 200,
      contentType: "text/plain",
      body: endless(never()),
    });
  await withAgent(handler, async ({ path }) => {
    const { body } = await unixClient(path).get("/", never());
    for await (const chunk of body) {
      assert.match(new TextDecoder().decode(chunk), /^tick/);
      break;
    }
    await ended.promise;
  });
});

Deno.test("HostListener ends streams when it stops", async () => {
  const ended = Promise.withResolvers<void>();
  async function* waiting(): AsyncGenerator<Uint8Array> {
    try {
      yield new TextEncoder().encode("one");
      yield new TextEncoder().encode("two");
      for (;;) {
        await turn();
        yield new Uint8Array([120]);
      }
    } finally {
      ended.resolve();
    }
  }
  const handler: Handler = () =>
    Promise.resolve({
      status: 200,
      contentType: "text/plain",
      body: waiting(),
    });
  await withAgent(handler, async ({ path, stop }) => {
    const { body } = await unixClient(path).get("/", never());
    const reading = (async () => {
      for await (const _ of body) stop.abort();
    })();
    await Promise.allSettled([reading]);
    await ended.promise;
  });
});

Deno.test("HostListener passes path, query and method", () =>
  withAgent(
    ({ method, path, query }) =>
      Promise.resolve(text(`${method} ${path} ${query.get("a b")}`)),
    async ({ path }) => {
      const answer = await unixClient(path).get("/x/y?a%20b=c+d", never());
      let all = "";
      for await (const chunk of answer.body) {
        all += new TextDecoder().decode(chunk);
      }
      assert.equal(all, "GET /x/y c d");
    },
  ));

Deno.test("HostListener takes over from a dead agent, not a live one", () =>
  withAgent(() => Promise.resolve(text("first")), async ({ path }) => {
    const libc = openLibc();
    const second = new HostListener(libc);
    const handler = () => Promise.resolve(text("second"));
    await assert.rejects(
      second.serve({ kind: "unix", path }, handler, never()),
      (error) => {
        assert.ok(error instanceof AgentError);
        assert.match(error.message, /another agent is serving there/);
        assert.equal(error.next, "give-up");
        return true;
      },
    );
    const dead = `${path}.dead`;
    await leaveSocket(dead);
    const stop = new AbortController();
    const address = { kind: "unix", path: dead } as const;
    const serving = second.serve(address, handler, stop.signal);
    while (!await answers(dead)) await turn();
    stop.abort();
    await serving;
    await Deno.writeTextFile(dead, "precious");
    await assert.rejects(
      second.serve(address, handler, never()),
      /something that is not a socket is in the way/,
    );
    assert.equal(await Deno.readTextFile(dead), "precious");
    libc.close();
  }));

Deno.test("HostListener says when a port is taken", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const libc = openLibc();
  const address = { kind: "tcp", host: "127.0.0.1", port } as const;
  await assert.rejects(
    new HostListener(libc).serve(address, () => Promise.reject(), never()),
    (error) => error instanceof AgentError && error.next === "retry",
  );
  taken.close();
  libc.close();
});

/** What a killed process leaves: a socket nobody listens on. */
async function leaveSocket(path: string): Promise<void> {
  const program = `Deno.listen({ transport: "unix", path: ${
    JSON.stringify(path)
  } }); Deno.kill(Deno.pid, "SIGKILL");`;
  const args = ["eval", program];
  await new Deno.Command(Deno.execPath(), { args }).output();
  assert.equal((await Deno.lstat(path)).isSocket, true);
}

async function answers(path: string): Promise<boolean> {
  try {
    const { body } = await unixClient(path).get("/", never());
    for await (const _ of body);
    return true;
  } catch (error) {
    if (error instanceof AgentError) return false;
    throw error;
  }
}
