import assert from "node:assert/strict";
import { aUse } from "../../tests/fakes/fake_usage.ts";
import type { DiskActivity } from "../port/usage.ts";
import { cadvisorFamilies } from "./cadvisor.ts";
import { familyText } from "./exposition.ts";
import { aPodsFigures, aSample, AT_MS, someFigures } from "./fixture_test.ts";
import type { Figures } from "./types.ts";

const MACHINE = {
  machineId: "m",
  systemUuid: "s",
  bootId: "b",
  kernelVersion: "6.12",
  osImage: "Debian",
  version: "0.1.0",
  cores: 2,
  memoryBytes: 8n,
  swapBytes: 0n,
  physicalCores: 1,
  sockets: 1,
  bootedAtMs: 5_000,
};

function diskActivity(own: Partial<DiskActivity>): DiskActivity {
  return {
    ...{ reads: 0n, readsMerged: 0n, sectorsRead: 0n, readMs: 0n },
    ...{ writes: 0n, writesMerged: 0n, sectorsWritten: 0n, writeMs: 0n },
    ...{ inProgress: 0n, busyMs: 0n, weightedMs: 0n },
    ...own,
  };
}

function lines(figures: Figures | undefined, name: string): string[] {
  const text = [...cadvisorFamilies(figures, MACHINE)].map(familyText).join("");
  return text.split("\n").filter((line) =>
    line.startsWith(`${name}{`) || line.startsWith(`${name} `)
  );
}

const POD = 'namespace="default",pod="web"';

Deno.test("cadvisorFamilies() has a series for each cgroup, all labels on each", () => {
  const empty = 'image="",name="",namespace="",pod=""';
  const total = `cpu="total"} 1 ${AT_MS}`;
  const name = "container_cpu_usage_seconds_total";
  assert.deepEqual(lines(someFigures(), name).slice(1), [
    `${name}{container="",id="/kubepods",${empty},${total}`,
    `${name}{container="",id="/kubepods/podu1",image="",name="",${POD},${total}`,
    `${name}{container="",id="/kubepods/podu1/s1",image="registry.k8s.io/pause:3.10",name="s1",${POD},${total}`,
    `${name}{container="app",id="/kubepods/podu1/c1",` +
    `image="docker.io/library/web:1",name="c1",${POD},${total}`,
  ]);
});

Deno.test("cadvisorFamilies() tells a pod's network on its sandbox alone", () => {
  const name = "container_network_receive_bytes_total";
  assert.deepEqual(lines(someFigures(), name), [
    `${name}{container="",id="/kubepods/podu1/s1",image="registry.k8s.io/pause:3.10",name="s1",${POD},` +
    `interface="eth0"} 10 ${AT_MS}`,
  ]);
});

Deno.test("cadvisorFamilies() tells of throttling only under a quota", () => {
  const name = "container_cpu_cfs_throttled_periods_total";
  assert.deepEqual(lines(someFigures(), name), []);
  const { cpu } = aUse(AT_MS);
  const whole = {
    ...aSample("/kubepods/podu1"),
    use: aUse(AT_MS, {
      ...cpu === undefined
        ? {}
        : { cpu: { ...cpu, quotaUs: 5n, periods: 7n, throttledPeriods: 3n } },
    }),
  };
  const pods = [aPodsFigures({ whole })];
  assert.equal(lines(someFigures({ pods }), name).length, 1);
});

Deno.test("cadvisorFamilies() names disks and stalls where there are some", () => {
  const line = { avg10: 0, avg60: 0, avg300: 0, totalUs: 1_500_000n };
  const node = aSample("/", {
    disks: [{
      major: 8,
      minor: 0,
      device: "/dev/sda",
      readBytes: 1n,
      writeBytes: 2n,
      reads: 3n,
      writes: 4n,
    }],
    pressure: { cpu: { some: line, full: line } },
  });
  const figures = someFigures({ node, pods: [], allPods: undefined });
  assert.match(
    lines(figures, "container_fs_writes_total").join("\n"),
    /device="\/dev\/sda"\} 4 \d+$/,
  );
  assert.match(
    lines(figures, "container_pressure_cpu_waiting_seconds_total").join("\n"),
    / 1\.5 \d+$/,
  );
  assert.deepEqual(
    lines(figures, "container_pressure_io_waiting_seconds_total"),
    [],
  );
});

Deno.test("cadvisorFamilies() tells of the machine's disks in place of its cgroup's", () => {
  const ofCgroup = {
    ...{ major: 8, minor: 0, device: "/dev/sda" },
    ...{ readBytes: 1n, writeBytes: 2n, reads: 3n, writes: 4n },
  };
  const nodeDisks = [{
    device: "/dev/sda1",
    capacityBytes: 1000n,
    usedBytes: 250n,
    inodes: 10n,
    inodesFree: 7n,
    activity: diskActivity({ writes: 44n, busyMs: 1_500n }),
  }, {
    device: "/dev/mapper/silent",
    ...{ capacityBytes: 5n, usedBytes: 1n, inodes: 0n, inodesFree: 0n },
  }];
  const node = aSample("/", { disks: [ofCgroup] });
  const figures = someFigures({ node, nodeDisks, pods: [] });
  const own = 'container="",id="/",image="",name="",namespace="",pod=""';
  const of = (name: string) => lines(figures, `container_fs_${name}`);
  assert.deepEqual(of("writes_total"), [
    `container_fs_writes_total{${own},device="/dev/sda1"} 44 ${AT_MS}`,
  ]);
  assert.deepEqual(of("writes_bytes_total"), [
    `container_fs_writes_bytes_total{${own},device="/dev/sda"} 2 ${AT_MS}`,
  ]);
  assert.match(of("io_time_seconds_total").join("\n"), / 1\.5 \d+$/);
  assert.equal(of("usage_bytes").length, 2);
  assert.match(of("inodes_free").join("\n"), /sda1"\} 7 /);
});

Deno.test("cadvisorFamilies() counts processes and threads apart, and knows when each began", () => {
  const whole = aSample("/kubepods/podu1", { processes: 30n, ownProcesses: 4 });
  const figures = someFigures({ pods: [aPodsFigures({ whole })] });
  const value = (name: string) =>
    lines(figures, name).find((line) => line.includes('id="/kubepods/podu1"'))
      ?.split("} ")[1]?.split(" ")[0];
  assert.equal(value("container_processes"), "4");
  assert.equal(value("container_threads"), "30");
  assert.equal(
    value("container_start_time_seconds"),
    String(AT_MS / 1000 - 65),
  );
  const node = lines(figures, "container_start_time_seconds")[0];
  assert.match(node ?? "", /id="\/",.*\} 5$/);
});

Deno.test("cadvisorFamilies() tells of the machine even when cgroups fail", () => {
  assert.deepEqual(lines(undefined, "container_scrape_error"), [
    "container_scrape_error 1",
  ]);
  assert.deepEqual(lines(undefined, "machine_cpu_cores"), [
    'machine_cpu_cores{boot_id="b",machine_id="m",system_uuid="s"} 2',
  ]);
});
