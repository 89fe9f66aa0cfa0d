import assert from "node:assert/strict";
import {
  cpu1,
  cpu2,
  diskNames,
  disks1,
  disks2,
  meminfo,
  memory1,
  memory2,
  pressure,
  type ReadFile,
} from "./usage_text.ts";
import { interfaces } from "./interface_text.ts";

function files(texts: Readonly<Record<string, string>>): ReadFile {
  const known = new Map(Object.entries(texts));
  return (name) => known.get(name);
}

Deno.test("cpu1() reads the many files of version 1", () => {
  const read = files({
    "cpuacct/cpuacct.usage": "9007199254740993\n",
    "cpuacct/cpuacct.stat": "user 12\nsystem 3\n",
    "cpu/cpu.stat":
      "nr_periods 5\nnr_throttled 2\nthrottled_time 700\nnr_bursts 1\nburst_time 9\n",
    "cpu/cpu.shares": "512\n",
    "cpu/cpu.cfs_period_us": "100000\n",
    "cpu/cpu.cfs_quota_us": "50000\n",
  });
  assert.deepEqual(cpu1(read), {
    usageNs: 9007199254740993n,
    userNs: 120_000_000n,
    systemNs: 30_000_000n,
    shares: 512n,
    periodUs: 100_000n,
    quotaUs: 50_000n,
    periods: 5n,
    throttledPeriods: 2n,
    throttledNs: 700n,
    burstPeriods: 1n,
    burstNs: 9n,
  });
});

Deno.test("cpu1() takes a quota of -1 for none, and no files for no cgroup", () => {
  const read = files({
    "cpuacct/cpuacct.usage": "1",
    "cpu/cpu.cfs_quota_us": "-1\n",
  });
  assert.equal(cpu1(read)?.quotaUs, undefined);
  assert.equal(cpu1(files({})), undefined);
});

Deno.test("cpu2() reads microseconds, and weights as shares", () => {
  const read = files({
    "cpu.stat": "usage_usec 7\nuser_usec 4\nsystem_usec 3\nnr_periods 1\n" +
      "nr_throttled 1\nthrottled_usec 2\n",
    "cpu.max": "max 100000\n",
    "cpu.weight": "1\n",
  });
  const cpu = cpu2(read);
  assert.equal(cpu?.usageNs, 7_000n);
  assert.equal(cpu?.throttledNs, 2_000n);
  assert.equal(cpu?.quotaUs, undefined);
  assert.equal(cpu?.shares, 2n);
});

Deno.test("memory1() knows that a huge limit is none", () => {
  const read = files({
    "memory/memory.usage_in_bytes": "100",
    "memory/memory.stat": "total_inactive_file 30\ntotal_rss 40\n" +
      "total_cache 50\ncache 1\n",
    "memory/memory.limit_in_bytes": "9223372036854771712",
  });
  const memory = memory1(read);
  assert.equal(memory?.workingSetBytes, 70n);
  assert.equal(memory?.cacheBytes, 50n);
  assert.equal(memory?.limitBytes, undefined);
  assert.equal(memory?.swapLimitBytes, undefined);
});

Deno.test("memory1() tells the limit of swap alone", () => {
  const read = files({
    "memory/memory.usage_in_bytes": "100",
    "memory/memory.limit_in_bytes": "1000",
    "memory/memory.memsw.limit_in_bytes": "1500",
    "memory/memory.stat": "total_inactive_file 200\n",
  });
  assert.equal(memory1(read)?.swapLimitBytes, 500n);
  assert.equal(memory1(read)?.workingSetBytes, 0n);
});

Deno.test("memory2() asks meminfo for the root, which has no figures", () => {
  const info = meminfo("MemTotal:  10 kB\nMemFree: 4 kB\nSwapTotal: 2 kB\n");
  const read = files({ "memory.stat": "inactive_file 1024\nanon 5\n" });
  assert.equal(memory2(read, info)?.usageBytes, 6n * 1024n);
  assert.equal(memory2(read, info)?.workingSetBytes, 5n * 1024n);
  assert.equal(memory2(read, info)?.swapBytes, 2048n);
  assert.equal(memory2(read, undefined), undefined);
});

Deno.test("memory2() takes max for no limit and counts kills", () => {
  const read = files({
    "memory.current": "10",
    "memory.max": "max",
    "memory.swap.max": "0",
    "memory.events": "low 0\nmax 3\noom 1\noom_kill 2\n",
  });
  const memory = memory2(read, undefined);
  assert.equal(memory?.limitBytes, undefined);
  assert.equal(memory?.swapLimitBytes, 0n);
  assert.equal(memory?.failures, 3n);
  assert.equal(memory?.oomKills, 2n);
});

Deno.test("memory2() counts what was ended here, and a group once", () => {
  const of = (events: string, local: string) =>
    memory2(
      files({
        "memory.current": "10",
        "memory.events": events,
        "memory.events.local": local,
      }),
      undefined,
    )?.oomKills;
  // Those below it count as well in the first file.
  assert.equal(of("oom_kill 3\n", "oom_kill 1\noom_group_kill 0\n"), 1n);
  assert.equal(of("oom_kill 9\n", "oom_kill 9\noom_group_kill 2\n"), 2n);
});

Deno.test("pressure() makes up for the line that the cpu lacks", () => {
  const some = "some avg10=1.50 avg60=0.20 avg300=0.00 total=12345\n";
  assert.deepEqual(pressure(some), {
    some: { avg10: 1.5, avg60: 0.2, avg300: 0, totalUs: 12345n },
    full: { avg10: 0, avg60: 0, avg300: 0, totalUs: 0n },
  });
  assert.equal(pressure(undefined), undefined);
});

Deno.test("disks1() and disks2() name devices", () => {
  const names = diskNames("   8  0 sda 1 2 3\n 254 0 vda 4 5 6\n");
  const one = files({
    "blkio/blkio.throttle.io_service_bytes":
      "8:0 Read 10\n8:0 Write 20\nTotal 30\n",
    "blkio/blkio.throttle.io_serviced": "8:0 Read 1\n8:0 Write 2\n",
  });
  const two = files({
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n9:9 \n",
  });
  const expected = {
    major: 8,
    minor: 0,
    device: "/dev/sda",
    readBytes: 10n,
    writeBytes: 20n,
    reads: 1n,
    writes: 2n,
  };
  assert.deepEqual(disks1(one, names), [expected]);
  assert.deepEqual(disks2(two, names)[0], expected);
});

Deno.test("interfaces() leaves loopback and the pods' ends out", () => {
  const head = "Inter-|   Receive\n face |bytes packets\n";
  const row = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";
  const text = `${head}    lo: ${row}\n  eth0: ${row}\n veth1: ${row}\n`;
  assert.deepEqual(interfaces(text), [{
    name: "eth0",
    receivedBytes: 1n,
    receivedPackets: 2n,
    receivedErrors: 3n,
    receivedDropped: 4n,
    sentBytes: 9n,
    sentPackets: 10n,
    sentErrors: 11n,
    sentDropped: 12n,
  }]);
});

Deno.test("absurd figures count as absent", () => {
  const read = files({ "memory.current": "-5", "cpu.stat": "usage_usec x\n" });
  assert.equal(memory2(read, undefined), undefined);
  assert.equal(cpu2(read), undefined);
});
