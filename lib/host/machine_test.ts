import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { LinuxMachine } from "./machine.ts";

const FILES: Readonly<Record<string, string>> = {
  "run/proc/meminfo": "MemTotal:       16384 kB\nSwapTotal:  1024 kB\n" +
    "HugePages_Total:    3\nHugepagesize:    2048 kB\n",
  "run/proc/stat": "cpu  1 2\ncpu0 1 2\ncpu2 1 2\nintr 1\n",
  "run/proc/sys/kernel/random/boot_id": "boot\n",
  "run/proc/sys/kernel/osrelease": "6.18.0\n",
  "run/proc/net/route": "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\t" +
    "Metric\tMask\n" +
    "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n" +
    "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
  "root/etc/machine-id": "abc\n",
  "root/etc/os-release": 'NAME="D"\nPRETTY_NAME="Debian 12"\nID=d\n',
};

async function withFiles(
  files: Readonly<Record<string, string>>,
  work: (machine: LinuxMachine, runDir: string) => Promise<void>,
): Promise<void> {
  const base = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = `${base}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
        recursive: true,
      });
      await Deno.writeTextFile(path, text);
    }
    const runDir = `${base}/run`;
    const machine = new LinuxMachine({ runDir, hostRoot: `${base}/root` });
    await work(machine, runDir);
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

Deno.test("LinuxMachine.facts() reads /proc and /etc", () =>
  withFiles(FILES, async (machine) => {
    const { architecture, ...rest } = await machine.facts();
    assert.match(architecture, /^(amd64|arm64)$/);
    assert.deepEqual(rest, {
      cpuCount: 2,
      memoryBytes: 16384n * 1024n,
      swapBytes: 1024n * 1024n,
      hugePages: [{ sizeBytes: 2048n * 1024n, count: 3n }],
      machineId: "abc",
      systemUuid: "abc",
      bootId: "boot",
      kernelVersion: "6.18.0",
      osImage: "Debian 12",
    });
  }));

Deno.test("LinuxMachine.facts() prefers what is bound of /sys", () =>
  withFiles({
    ...FILES,
    "run/dmi/product_uuid": "uuid\n",
    "run/hugepages/hugepages-1048576kB/nr_hugepages": "1\n",
    "run/hugepages/hugepages-2048kB/nr_hugepages": "4\n",
  }, async (machine) => {
    const { systemUuid, hugePages } = await machine.facts();
    assert.equal(systemUuid, "uuid");
    assert.deepEqual(hugePages, [
      { sizeBytes: 2048n * 1024n, count: 4n },
      { sizeBytes: 1048576n * 1024n, count: 1n },
    ]);
  }));

Deno.test("LinuxMachine.facts() does without optional files", () =>
  withFiles({
    "run/proc/meminfo": "MemTotal: 1 kB\n",
    "run/proc/stat": "",
    "run/proc/sys/kernel/random/boot_id": "b",
    "run/proc/sys/kernel/osrelease": "k",
  }, async (machine) => {
    const facts = await machine.facts();
    assert.equal(facts.cpuCount, 1);
    assert.equal(facts.swapBytes, 0n);
    assert.deepEqual(facts.hugePages, []);
    assert.equal(facts.machineId, "");
    assert.equal(facts.osImage, "Unknown");
  }));

Deno.test("LinuxMachine says which file it needs", () =>
  withFiles({}, async (machine) => {
    const names = (error: unknown) =>
      error instanceof AgentError && /run\/proc\//.test(error.message);
    await assert.rejects(machine.facts(), names);
    await assert.rejects(machine.network(), names);
  }));

Deno.test("LinuxMachine.network() knows loopback and the way out", () =>
  withFiles(FILES, async (machine) => {
    const { interfaces, defaultRoutes } = await machine.network();
    assert.ok(interfaces.some(({ isLoopback }) => isLoopback));
    assert.deepEqual(defaultRoutes, [
      { family: "IPv4", interfaceName: "eth0" },
    ]);
  }));

Deno.test("LinuxMachine measures file systems and resolves names", () =>
  withFiles(FILES, async (machine, runDir) => {
    assert.ok(await machine.filesystemBytes(runDir) > 0n);
    await assert.rejects(machine.filesystemBytes(`${runDir}/nowhere`));
    const { signal } = new AbortController();
    const found = await machine.lookup("localhost", signal);
    assert.ok(found.some((ip) => ip === "127.0.0.1" || ip === "::1"));
    const aborted = AbortSignal.abort(new Error("enough"));
    await assert.rejects(machine.lookup("localhost", aborted), /enough/);
  }));
