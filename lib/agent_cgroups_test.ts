import assert from "node:assert/strict";
import { checkCgroups, tellingCgroups } from "./agent_cgroups.ts";
import { createMeters } from "./api/meters.ts";
import { type Fields, type RootLogger, silentLogger } from "./base/log.ts";
import { createMetrics } from "./base/metrics.ts";
import { load } from "./config/load_fixture.ts";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { FakeCgroups } from "../tests/fakes/fake_cgroups.ts";

function check(cgroupVersion: 1 | 2, file: string): void {
  const { config } = load([], { file: `enableServer: false\n${file}` });
  checkCgroups(config, { cgroupVersion });
}

Deno.test("checkCgroups() starts on version 1 only when told to", () => {
  check(2, "");
  check(2, "singleProcessOOMKill: false\n");
  check(1, "failCgroupV1: false\n");
  assert.throws(
    () => check(1, ""),
    /this host has cgroup v1, and failCgroupV1/,
  );
  assert.throws(
    () => check(1, "failCgroupV1: false\nsingleProcessOOMKill: false\n"),
    /singleProcessOOMKill must not be false/,
  );
});

Deno.test("tellingCgroups() says what the host refuses once, not for each pod", async () => {
  const fake = new FakeCgroups();
  const told: Fields[] = [];
  const log: RootLogger = {
    ...silentLogger,
    warn: (_message: string, fields: Fields = {}) => told.push(fields),
  };
  const meters = createMeters(createMetrics());
  const clock = new FakeClock();
  const cgroups = tellingCgroups({ cgroups: fake, log, clock, meters });
  for (const path of ["/kubepods/pod1", "/kubepods/pod2", "/kubepods/pod1"]) {
    fake.full.add(path);
    const faults = await cgroups.apply(path, { memoryLimitBytes: 1n }, "make");
    assert.equal(faults.length, 1, "the caller hears it each time");
  }
  assert.deepEqual(told, [
    { path: "/kubepods/pod1", message: "memory: in use" },
  ]);
  assert.match(
    await meters.set.text(),
    /kubelet_cgroup_manager_duration_seconds_count\{operation_type="create"\} 3/,
  );
});
