import assert from "node:assert/strict";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import {
  operationOf,
  runtimeCalls,
  serverAnswers,
  watchLag,
} from "./agent_meters.ts";
import { createMeters } from "./api/meters.ts";
import { createMetrics } from "./base/metrics.ts";

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
  const tell = runtimeCalls(meters);
  tell("ExecSync", 10, "OK");
  tell("ExecSync", 10, "CANCELLED");
  tell("ExecSync", 10, "INTERNAL");
  const text = await meters.set.text();
  assert.match(text, /operations_total\{operation_type="exec_sync"\} 3\n/);
  assert.match(text, /errors_total\{operation_type="exec_sync"\} 1\n/);
});

Deno.test("serverAnswers() tells a failed request as client-go does", async () => {
  const meters = createMeters(createMetrics());
  const tell = serverAnswers(meters);
  const answer = { host: "a:6443", method: "GET", durationMs: 10 };
  tell({ ...answer, status: 200 });
  tell({ ...answer, status: undefined });
  const text = await meters.set.text();
  assert.match(text, /code="200",host="a:6443",method="GET"\} 1\n/);
  assert.match(text, /code="<error>",host="a:6443",method="GET"\} 1\n/);
});

Deno.test("watchLag() measures how late it is woken", async () => {
  const clock = new FakeClock();
  const late: number[] = [];
  const stop = new AbortController();
  const lagSeconds = {
    observe: (_: unknown, value: number) => void late.push(value),
    remove: () => {},
  };
  const done = watchLag({ clock, meters: { lagSeconds } }, stop.signal);
  await clock.advance(500);
  await clock.advance(1_000);
  assert.deepEqual(late, [0, 0, 0]);
  stop.abort(new DOMException("Over", "AbortError"));
  await done;
});
