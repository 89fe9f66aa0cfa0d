/** `KernelNews` on this very machine, as far as it lets itself be asked. */
import assert from "node:assert/strict";
import { LinuxKernelNews } from "../../lib/host/kernel_news.ts";
import { openLibc } from "../../lib/host/libc.ts";
import { LinuxUsage } from "../../lib/host/usage.ts";

const MI = 1024n * 1024n;

async function withKernel(
  fn: (kernel: LinuxKernelNews, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const libc = openLibc();
  try {
    // As the agent's binds, but without mounting.
    await Deno.symlink("/proc", `${folder}/proc`);
    await Deno.symlink("/sys/fs/cgroup", `${folder}/cgroup`);
    await fn(new LinuxKernelNews(libc, folder, `${folder}/log`), folder);
  } finally {
    libc.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function usedBytes(folder: string): Promise<bigint> {
  const libc = openLibc();
  try {
    const usage = new LinuxUsage(libc, { runDir: folder, roots: [folder] });
    const use = await usage.cgroup("/", "cpu-and-memory");
    return use?.memory?.usageBytes ?? 0n;
  } finally {
    libc.close();
  }
}

/** Whoever may raise limits of resources is told of short stalls too. */
async function isTold(): Promise<boolean> {
  const paths = [
    "/sys/fs/cgroup/memory/cgroup.event_control",
    "/proc/pressure/memory",
  ];
  for (const path of paths) {
    try {
      (await Deno.open(path, { write: true })).close();
      return true;
    } catch {
      continue;
    }
  }
  return false;
}

Deno.test("kernel: a wait for memory ends with its signal", () =>
  withKernel(async (kernel, folder) => {
    if (!await isTold()) {
      const ask = kernel.memoryPassed([], AbortSignal.timeout(5_000));
      await assert.rejects(ask, { next: "give-up" });
      return;
    }
    const far = await usedBytes(folder) * 100n;
    const marks = [{ cgroup: "/", usageBytes: far }];
    const ask = kernel.memoryPassed(marks, AbortSignal.timeout(100));
    await assert.rejects(ask, { name: "TimeoutError" });
  }));

Deno.test({
  name: "kernel: memory that passes a mark is told of",
  ignore: !isThere("/sys/fs/cgroup/memory/cgroup.event_control"),
  fn: () =>
    withKernel(async (kernel, folder) => {
      // Others use memory too: whatever comes first is a passing.
      const usageBytes = await usedBytes(folder) + 32n * MI;
      const signal = AbortSignal.timeout(20_000);
      const told = kernel.memoryPassed([{ cgroup: "/", usageBytes }], signal);
      const held = new Uint8Array(Number(256n * MI));
      for (let at = 0; at < held.length; at += 4096) held[at] = 1;
      await told;
      assert.equal(held[4096], 1);
    }),
});

Deno.test("kernel: where cgroups tell nothing, stalls are waited for", () =>
  withKernel(async (_kernel, folder) => {
    await Deno.remove(`${folder}/cgroup`);
    const libc = openLibc();
    try {
      const kernel = new LinuxKernelNews(libc, folder);
      const ask = kernel.memoryPassed([], AbortSignal.timeout(100));
      await assert.rejects(
        ask,
        isThere("/proc/pressure/memory")
          ? { name: "TimeoutError" }
          : { next: "give-up" },
      );
    } finally {
      libc.close();
    }
  }));

Deno.test("kernel: what the log holds already is not told", () =>
  withKernel(async (kernel, folder) => {
    // A pipe waits as the kernel's log does; it has no end to seek to.
    await Deno.writeTextFile(`${folder}/log`, "6,1,2,-;old news\n");
    const stop = new AbortController();
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of kernel.log(stop.signal)) {
        lines.push(line);
        stop.abort();
      }
    })();
    await Deno.writeTextFile(`${folder}/log`, "4,2,3,-;new\n TASK=x\n", {
      append: true,
    });
    await reading;
    assert.deepEqual(lines, ["new"]);
  }));

Deno.test("kernel: a log that is not there is said so", () =>
  withKernel(async (kernel) => {
    const lines = kernel.log(AbortSignal.timeout(1_000));
    await assert.rejects(Array.fromAsync(lines), /Cannot read .*log/);
  }));

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
