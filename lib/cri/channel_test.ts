import assert from "node:assert/strict";
import {
  type CriServerSpec,
  serveCri,
} from "../../tests/contract/cri_server.ts";
import { failure } from "../../tests/contract/harness.ts";
import { type Channel, openChannel } from "./channel.ts";
import { runtimeEvents } from "./events.ts";

const VERSION = "runtime.v1.RuntimeService/Version";
const EXEC = "runtime.v1.RuntimeService/ExecSync";
const EVENTS = "runtime.v1.RuntimeService/GetContainerEvents";
const IMAGES = "runtime.v1.ImageService/ListImages";

type Called = [method: string, code: string];

interface Scene {
  readonly channel: Channel;
  readonly socket: string;
  readonly called: Called[];
  readonly signal: AbortSignal;
}

/** Runs `play` with a channel to a socket on which `spec` may be served. */
async function scene(
  spec: CriServerSpec | undefined,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "denolet-cri-" });
  const socket = `${directory}/r.sock`;
  const called: Called[] = [];
  const channel = openChannel({
    endpoint: `unix://${socket}`,
    requestTimeoutMs: 5000,
    onCall: (method, durationMs, code) => {
      assert.ok(durationMs >= 0);
      called.push([method, code]);
    },
  });
  const close = spec === undefined ? undefined : await serveCri(socket, spec);
  const signal = AbortSignal.timeout(20_000);
  try {
    await play({ channel, socket, called, signal });
  } finally {
    channel.close();
    await close?.();
    await Deno.remove(directory, { recursive: true });
  }
}

const versionAnswer = { unary: { [VERSION]: () => ({ runtimeName: "x" }) } };
const never = () => new Promise<object>(() => undefined);

Deno.test("unary() answers, and each call is reported", async () => {
  await scene(versionAnswer, async ({ channel, called, signal }) => {
    const answer = await channel.unary(VERSION, { version: "" }, { signal });
    assert.equal(answer.runtimeName, "x");
    assert.equal(answer.runtimeVersion, "");
    assert.deepEqual(called, [["Version", "OK"]]);
  });
});

Deno.test("unary() fails with the server's code and words", async () => {
  const refuse = () => {
    throw Object.assign(new Error("no such container"), { code: 5 });
  };
  await scene(
    { unary: { [EXEC]: refuse } },
    async ({ channel, called, signal }) => {
      const request = { containerId: "c", cmd: [], timeout: ZERO };
      const doing = "run a command";
      const error = await failure(
        channel.unary(EXEC, request, { signal, doing }),
        "give-up",
      );
      assert.equal(error.message, "Cannot run a command: no such container");
      await failure(channel.unary(IMAGES, {}, { signal }), "give-up");
      assert.deepEqual(called, [
        ["ExecSync", "NOT_FOUND"],
        ["ListImages", "UNIMPLEMENTED"],
      ]);
    },
  );
});

const ZERO = { low: 0, high: 0, unsigned: false };

Deno.test("unary() ends at its deadline", async () => {
  await scene(
    { unary: { [VERSION]: never } },
    async ({ channel, called, signal }) => {
      const started = performance.now();
      const error = await failure(
        channel.unary(VERSION, { version: "" }, {
          signal,
          doing: "ask",
          deadlineMs: 200,
        }),
        "retry",
      );
      assert.equal(error.message, "Cannot ask: deadline of 0.2 s passed");
      assert.ok(performance.now() - started < 2000);
      assert.deepEqual(called, [["Version", "DEADLINE_EXCEEDED"]]);
    },
  );
});

Deno.test("S47 unary() takes a deadline beyond all time", async () => {
  await scene(versionAnswer, async ({ channel, signal }) => {
    for (const deadlineMs of [2 ** 31, 1e18, Infinity]) {
      const options = { signal, deadlineMs };
      const answer = await channel.unary(VERSION, { version: "" }, options);
      assert.equal(answer.runtimeName, "x");
    }
  });
});

Deno.test("unary() rejects with the signal's reason on abort", async () => {
  await scene(
    { unary: { [VERSION]: never } },
    async ({ channel, called }) => {
      const reason = new Error("enough");
      const stop = new AbortController();
      const call = channel.unary(VERSION, { version: "" }, {
        signal: stop.signal,
        deadlineMs: "none",
      });
      setTimeout(() => stop.abort(reason), 50);
      await assert.rejects(call, reason);
      const again = channel.unary(VERSION, { version: "" }, {
        signal: stop.signal,
      });
      await assert.rejects(again, reason);
      assert.deepEqual(called, [
        ["Version", "CANCELLED"],
        ["Version", "CANCELLED"],
      ]);
    },
  );
});

Deno.test("unary() says clearly that there is no socket", async () => {
  await scene(undefined, async ({ channel, socket, called, signal }) => {
    const call = channel.unary(VERSION, { version: "" }, {
      signal,
      doing: "ask",
    });
    const error = await failure(call, "retry");
    assert.equal(error.message, `Cannot ask: no such socket ${socket}`);
    assert.deepEqual(called, [["Version", "UNAVAILABLE"]]);
  });
});

Deno.test("unary() rejects at once on abort without a socket", async () => {
  await scene(undefined, async ({ channel }) => {
    const reason = new Error("enough");
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 20);
    const started = performance.now();
    const call = channel.unary(VERSION, { version: "" }, {
      signal: stop.signal,
    });
    await assert.rejects(call, reason);
    assert.ok(performance.now() - started < 500);
  });
});

Deno.test("a call after the server is back succeeds quickly", async () => {
  await scene(undefined, async ({ channel, socket, signal }) => {
    const ask = () => channel.unary(VERSION, { version: "" }, { signal });
    let close = await serveCri(socket, versionAnswer);
    await ask();
    await close();
    // Long enough for backoff to have grown to its largest.
    for (let tries = 0; tries < 2; tries++) await failure(ask(), "retry");
    close = await serveCri(socket, versionAnswer);
    const started = performance.now();
    assert.equal((await ask()).runtimeName, "x");
    assert.ok(performance.now() - started < 1000);
    await close();
  });
});

Deno.test("messages up to 16 MiB pass, longer ones do not", async () => {
  const of = (bytes: number) => () => ({
    images: [{ username: "x".repeat(bytes) }],
  });
  for (
    const [bytes, passes] of [[15 << 20, true], [17 << 20, false]] as const
  ) {
    await scene(
      { unary: { [IMAGES]: of(bytes) } },
      async ({ channel, called, signal }) => {
        const call = channel.unary(IMAGES, {}, { signal });
        if (passes) {
          assert.equal((await call).images[0]?.username.length, bytes);
        } else {
          await failure(call, "retry");
          assert.deepEqual(called, [["ListImages", "RESOURCE_EXHAUSTED"]]);
        }
      },
    );
  }
});

const someEvents: CriServerSpec = {
  stream: {
    [EVENTS]: async function* (_request, stopped) {
      for (const containerId of ["a", "b"]) {
        yield { containerId, podSandboxStatus: { metadata: { uid: "u" } } };
      }
      yield { containerId: "names no pod" };
      await stopped;
    },
  },
};

Deno.test("events arrive until the signal aborts", async () => {
  await scene(someEvents, async ({ channel, called }) => {
    const reason = new Error("enough");
    const stop = new AbortController();
    const ids: string[] = [];
    await assert.rejects(async () => {
      for await (const { id } of runtimeEvents(channel, stop.signal)) {
        ids.push(id);
        if (ids.length === 2) setTimeout(() => stop.abort(reason), 50);
      }
    }, reason);
    assert.deepEqual(ids, ["a", "b"]);
    assert.deepEqual(called, [["GetContainerEvents", "CANCELLED"]]);
  });
});

Deno.test("who stops listening to events leaves nothing behind", async () => {
  await scene(someEvents, async ({ channel, signal }) => {
    for await (const { id } of runtimeEvents(channel, signal)) {
      assert.equal(id, "a");
      break;
    }
  });
});

Deno.test("events end with what to do next", async () => {
  const drain = async ({ channel, signal }: Scene) => {
    for await (const event of runtimeEvents(channel, signal)) assert.ok(event);
  };
  await scene({}, async (scene) => {
    const error = await failure(drain(scene), "give-up");
    assert.match(error.message, /^Cannot follow the runtime's events: /);
  });
  const none = async function* (): AsyncGenerator<object> {};
  await scene({ stream: { [EVENTS]: none } }, async (scene) => {
    await failure(drain(scene), "retry");
  });
});

Deno.test("events end when the server goes away", async () => {
  await scene(undefined, async ({ channel, socket, signal }) => {
    const close = await serveCri(socket, someEvents);
    const events = runtimeEvents(channel, signal);
    assert.equal((await events.next()).value?.id, "a");
    assert.equal((await events.next()).value?.id, "b");
    const broken = failure(events.next(), "retry");
    await close();
    await broken;
  });
});
