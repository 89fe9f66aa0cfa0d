import assert from "node:assert/strict";
import { bootedAtMs, ownUse } from "./own_use.ts";

const STAT = "7 (a) b) S 1 7 7 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 1 0 300 " +
  "4096000 25 18446744073709551615";
const TEXTS = {
  stat: STAT,
  limits:
    "Limit  Soft  Hard  Units\nMax open files            1024 4096 files\n" +
    "Max address space         unlimited unlimited bytes\n",
  netstat: "TcpExt: InOctets\nTcpExt: 7\n" +
    "IpExt: InNoRoutes InOctets OutOctets\nIpExt: 1 22 333\n",
  cgroup: "0::/system.slice/denolet.service\n",
  openFiles: 9,
  bootedAtMs: 1_000_000,
};

Deno.test("ownUse() reads what a process takes, whatever its name", () => {
  assert.deepEqual(ownUse(TEXTS), {
    cpuSeconds: 2,
    virtualBytes: 4_096_000,
    virtualLimit: Infinity,
    receivedBytes: 22,
    sentBytes: 333,
    residentBytes: 25 * 4096,
    startedAtMs: 1_003_000,
    openFiles: 9,
    openFilesLimit: 1024,
    cgroup: "/system.slice/denolet.service",
  });
});

for (
  const [name, text, expected] of [
    ["of version 1", "3:cpu,cpuacct:/a\n1:pids:/b\n0::/c\n", "/a"],
    ["with a colon", "0::/a:b\n", "/a:b"],
    ["that is the root", "0::/\n", ""],
    ["that is not told", "", ""],
  ] as const
) {
  Deno.test(`ownUse() tells a cgroup ${name}`, () => {
    assert.equal(ownUse({ ...TEXTS, cgroup: text }).cgroup, expected);
  });
}

Deno.test("ownUse() knows no limit, and bootedAtMs() the boot", () => {
  const limits = "Max open files   unlimited   unlimited   files\n";
  assert.equal(ownUse({ ...TEXTS, limits }).openFilesLimit, Infinity);
  assert.equal(bootedAtMs("cpu 1 2\nbtime 12\nprocesses 3\n"), 12_000);
});
