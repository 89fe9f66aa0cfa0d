import assert from "node:assert/strict";
import { containerId, podUid } from "../api/id.ts";
import type { Hook } from "../pod/hook.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakePodNet } from "../../tests/fakes/fake_pod_net.ts";
import { hookRunner } from "./hooks.ts";

const AT = { uid: podUid("u1"), id: containerId("c1") };
const EXEC: Hook = { kind: "exec", command: ["sh", "-c", "x"], title: "Hook" };

function aRunner(exitCode = 0) {
  const clock = new FakeClock();
  const podNet = new FakePodNet(clock);
  const events: string[] = [];
  const utf8 = new TextEncoder();
  const run = hookRunner({
    clock,
    podNet,
    recorder: {
      record: (_uid, { reason, message }) =>
        events.push(`${reason} ${message}`),
    },
    runtime: {
      execSync: ({ timeoutSeconds }) => {
        assert.equal(timeoutSeconds, 0);
        return Promise.resolve({
          exitCode,
          stdout: utf8.encode("out\n"),
          stderr: utf8.encode("err\n"),
        });
      },
    },
  });
  return { run, clock, podNet, events };
}

function httpHook(
  own: Partial<Extract<Hook, { kind: "http-get" }>> = {},
): Hook {
  return {
    kind: "http-get",
    scheme: "http",
    host: "10.0.0.5",
    port: 80,
    path: "/bye",
    headers: [["Authorization", "secret"], ["X-Own", "1"]],
    title: "Hook",
    ...own,
  };
}

const never = new AbortController().signal;

Deno.test("hookRunner() takes a command's exit code for its word", async () => {
  await aRunner(0).run(EXEC, AT, never);
  await assert.rejects(aRunner(3).run(EXEC, AT, never), {
    message: "Hook failed - error: command 'sh -c x' exited with 3: err\n, " +
      'message: "out\\nerr\\n"',
  });
});

Deno.test("hookRunner() takes every HTTP answer for success", async () => {
  for (const status of [200, 404, 500]) {
    const { run, podNet } = aRunner();
    podNet.put("10.0.0.5", 80, { kind: "http", status });
    await run(httpHook(), AT, never);
    assert.equal(podNet.arrived.get("10.0.0.5:80")?.[0]?.path, "/bye");
  }
  await assert.rejects(aRunner().run(httpHook(), AT, never), {
    message: /^Hook failed - error: Get .*connection refused$/,
  });
});

Deno.test("hookRunner() asks again in plain text, and keeps the secret", async () => {
  const { run, podNet, events } = aRunner();
  const plain = { kind: "http", status: 200, isPlain: true } as const;
  podNet.put("10.0.0.5", 80, plain);
  await run(httpHook({ scheme: "https" }), AT, never);
  const [, second] = podNet.arrived.get("10.0.0.5:80") ?? [];
  assert.equal(second?.scheme, "http");
  assert.deepEqual(second?.headers, [["X-Own", "1"]]);
  assert.deepEqual(events, [
    "LifecycleHTTPFallback request to HTTPS lifecycle hook 10.0.0.5:80 got " +
    "HTTP response, retry with HTTP succeeded",
  ]);
});

Deno.test("hookRunner() sleeps for its time, and none at all for zero", async () => {
  const { run, clock } = aRunner();
  await run({ kind: "sleep", seconds: 0, title: "" }, AT, never);
  let isOver = false;
  const slept = run({ kind: "sleep", seconds: 3, title: "" }, AT, never)
    .then(() => isOver = true);
  await clock.advance(2_999);
  assert.equal(isOver, false);
  await clock.advance(1);
  await slept;
});

Deno.test("hookRunner() ends with its signal", async () => {
  const { run, podNet } = aRunner();
  podNet.put("10.0.0.5", 80, { kind: "silent" });
  const stop = new AbortController();
  const running = run(httpHook(), AT, stop.signal);
  stop.abort(new DOMException("enough", "AbortError"));
  await assert.rejects(running, { name: "AbortError" });
});
