import assert from "node:assert/strict";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import {
  operationOf,
  runtimeCalls,
  serverAnswers,
  type Stall,
  stallView,
  watchLag,
} from "./agent_meters.ts";
import { createMeters } from "./api/meters.ts";
import { cell } from "./base/cell.ts";
import { silentLogger } from "./base/log.ts";
import { createMetrics } from "./base/metrics.ts";
import { Trail } from "./base/trail.ts";

function aTrail() {
  return new Trail(new FakeClock());
}

for (
  const [method, expected] of [
    ["RunPodSandbox", "run_podsandbox"],
    ["PodSandboxStatus", "podsandbox_status"],
    ["ListPodSandbox", "list_podsandbox"],
    ["UpdateContainerResources", "update_container"],
    ["UpdatePodSandboxResources", "update_podsandbox_resources"],
    ["ImageFsInfo", "image_fs_info"],
    ["ExecSync", "exec_sync"],
    ["Version", "version"],
  ] as const
) {
  Deno.test(`operationOf() names ${method} as the kubelet does`, () => {
    assert.equal(operationOf(method), expected);
  });
}

Deno.test("runtimeCalls() counts failures, but not what we end ourselves", async () => {
  const meters = createMeters(createMetrics());
  const tell = runtimeCalls(meters, aTrail());
  tell("ExecSync", 10, "OK");
  tell("ExecSync", 10, "CANCELLED");
  tell("ExecSync", 10, "INTERNAL");
  const text = await meters.set.text();
  assert.match(text, /operations_total\{operation_type="exec_sync"\} 3\n/);
  assert.match(text, /errors_total\{operation_type="exec_sync"\} 1\n/);
});

Deno.test("serverAnswers() tells a failed request as client-go does", async () => {
  const meters = createMeters(createMetrics());
  const tell = serverAnswers(meters, aTrail());
  const answer = { host: "a:6443", method: "GET", durationMs: 10 };
  tell({ ...answer, status: 200, sentBytes: 0, receivedBytes: 300 });
  tell({
    ...answer,
    status: undefined,
    sentBytes: 70,
    receivedBytes: undefined,
  });
  const text = await meters.set.text();
  assert.match(text, /code="200",host="a:6443",method="GET"\} 1\n/);
  assert.match(text, /code="<error>",host="a:6443",method="GET"\} 1\n/);
  assert.match(text, /request_size_bytes_sum\{host="a:6443",verb="GET"\} 70\n/);
  assert.match(text, /response_size_bytes_count\{[^}]*\} 1\n/);
});

Deno.test("watchLag() measures how late it is woken", async () => {
  const clock = new FakeClock();
  const late: number[] = [];
  const trail = new Trail(clock);
  const [stall] = cell<Stall | undefined>(undefined);
  const stop = new AbortController();
  const lagSeconds = {
    observe: (_: unknown, value: number) => void late.push(value),
    remove: () => {},
  };
  const ports = { clock, meters: { lagSeconds }, trail, log: silentLogger };
  const done = watchLag(ports, stall, stop.signal);
  await clock.advance(500);
  await clock.advance(1_000);
  assert.deepEqual(late, [0, 0, 0]);
  assert.equal(stall.get(), undefined);
  stop.abort(new DOMException("Over", "AbortError"));
  await done;
});

Deno.test("watchLag() names what the event loop was kept by", async () => {
  // Time passes while somebody else works, as no fake clock lets it.
  let [monotonicMs, wake] = [0, () => {}];
  const clock = {
    nowMs: () => monotonicMs,
    monotonicMs: () => monotonicMs,
    sleep: (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        wake = resolve;
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  const trail = new Trail(clock);
  const [stall] = cell<Stall | undefined>(undefined);
  const stop = new AbortController();
  const { lagSeconds } = createMeters(createMetrics());
  const ports = { clock, meters: { lagSeconds }, trail, log: silentLogger };
  const done = watchLag(ports, stall, stop.signal);
  monotonicMs = 400;
  trail.note("a pass of pod 1");
  monotonicMs = 2_700;
  wake();
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(stall.get(), {
    atMs: 2_700,
    lateMs: 2_200,
    what: "a pass of pod 1",
  });
  stop.abort(new DOMException("Over", "AbortError"));
  await done;
  const view = (nowMs: number) => stallView(stall.get(), nowMs);
  assert.match(
    view(3_000).problem ?? "",
    /^did not turn for 2\.2 s until .*, after this began: a pass of pod 1$/,
  );
  assert.equal(view(100_000).problem, undefined);
  assert.match(view(100_000).detail, /did not turn for 2\.2 s/);
});
