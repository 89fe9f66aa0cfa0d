import assert from "node:assert/strict";
import { FakeKernelSettings } from "../../tests/fakes/fake_kernel.ts";
import { type Fields, silentLogger } from "../base/log.ts";
import { settleKernel } from "./kernel_settings.ts";

function world(values: Record<string, bigint>) {
  const kernelSettings = new FakeKernelSettings();
  for (const each of Object.entries(values)) kernelSettings.values.set(...each);
  const warnings: Fields[] = [];
  const log = {
    ...silentLogger,
    warn: (_words: string, fields: Fields = {}) => void warnings.push(fields),
  };
  return { kernelSettings, log, warnings };
}

Deno.test("settleKernel() sets what differs, and nothing else", async () => {
  const at = world({ "vm/overcommit_memory": 0n, "kernel/panic": 10n });
  assert.equal(await settleKernel(at, "change"), undefined);
  assert.deepEqual([...at.kernelSettings.values], [
    ["vm/overcommit_memory", 1n],
    ["kernel/panic", 10n],
  ]);
  assert.deepEqual(at.kernelSettings.written, ["vm/overcommit_memory"]);
});

Deno.test("settleKernel() changes no protected setting, and names each", async () => {
  const one = world({ "vm/panic_on_oom": 2n, "kernel/panic": 10n });
  assert.equal(
    await settleKernel(one, "refuse"),
    "invalid kernel flag: vm/panic_on_oom, expected value: 0, actual value: 2",
  );
  const two = world({ "vm/overcommit_memory": 0n, "kernel/panic": 0n });
  assert.equal(
    await settleKernel(two, "refuse"),
    "[invalid kernel flag: vm/overcommit_memory, expected value: 1, actual " +
      "value: 0, invalid kernel flag: kernel/panic, expected value: 10, " +
      "actual value: 0]",
  );
  assert.deepEqual([one, two].flatMap((at) => at.kernelSettings.written), []);
});

Deno.test("settleKernel() tells what may not be set, and goes on", async () => {
  const at = world({ "vm/overcommit_memory": 0n, "kernel/panic": 0n });
  at.kernelSettings.fixed.add("vm/overcommit_memory");
  assert.equal(await settleKernel(at, "change"), undefined);
  assert.deepEqual(at.warnings.map(({ setting }) => setting), [
    "vm/overcommit_memory",
  ]);
  assert.equal(at.kernelSettings.values.get("kernel/panic"), 10n);
});
