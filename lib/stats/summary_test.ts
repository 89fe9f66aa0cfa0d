import assert from "node:assert/strict";
import { jsonText } from "./json_text.ts";
import {
  aMeasuredPod,
  aPodsFigures,
  APP,
  aSample,
  AT_MS,
  DISK,
  someDisks,
  someFigures,
} from "./fixture_test.ts";
import { summaryTexts } from "./summary.ts";
import type { DiskFigures, Figures } from "./types.ts";

const NODE = {
  nodeName: "node-1",
  startedAtMs: 0,
  system: [{ name: "kubelet", sample: aSample("/own") }],
  memoryBytes: 5_000_000n,
  swapBytes: 700n,
};

function read(figures: Figures, disks?: DiskFigures): unknown {
  return JSON.parse([...summaryTexts(NODE, figures, disks)].join(""));
}

/** Where `path` leads, `pods.0.cpu`; undefined when nowhere. */
function at(root: unknown, path: string): unknown {
  let value = root;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = new Map(Object.entries(value)).get(part);
  }
  return value;
}

Deno.test("jsonText() keeps whole numbers exact and leaves out nothing's", () => {
  const value = { a: 1n << 63n, b: undefined, c: ['"', 0.5, true] };
  assert.equal(
    jsonText(value),
    '{"a":9223372036854775808,"c":["\\"",0.5,true]}',
  );
});

Deno.test("summaryTexts() tells of node, system and pods", () => {
  const found = read(someFigures(), someDisks());
  const expected = {
    "node.systemContainers.0.name": "kubelet",
    "node.systemContainers.1.name": "pods",
    "node.memory.availableBytes": 4_000_000,
    "node.swap.swapAvailableBytes": 700,
    "node.fs.capacityBytes": 1000,
    "node.rlimit": {
      time: "2026-01-02T03:04:05Z",
      maxpid: 1000,
      curproc: 10,
    },
    "pods.0.podRef": { name: "web", namespace: "default", uid: "u1" },
    "pods.0.network.name": "eth0",
    "pods.0.containers.0.cpu.usageNanoCores": 1_000_000,
    "pods.0.containers.0.startTime": "2026-01-02T03:03:04Z",
  };
  for (const [path, value] of Object.entries(expected)) {
    assert.deepEqual(at(found, path), value, path);
  }
});

Deno.test("summaryTexts() without disks tells processor and memory only", () => {
  const found = read(someFigures());
  assert.deepEqual(Object.keys(at(found, "node") ?? {}).sort(), [
    "cpu",
    "memory",
    "nodeName",
    "startTime",
    "swap",
    "systemContainers",
  ]);
  assert.equal(at(found, "pods.0.network"), undefined);
  assert.equal(at(found, "pods.0.ephemeral-storage"), undefined);
});

Deno.test("summaryTexts() counts what goes with the pod, memory not", () => {
  const volume = { measuredBy: "walk", isEphemeral: true } as const;
  const claimed = { measuredBy: "file-system", isEphemeral: false } as const;
  const pod = aMeasuredPod({
    volumes: [
      { ...volume, name: "d", path: "/d", medium: "disk" },
      { ...volume, name: "m", path: "/m", medium: "memory" },
      { ...claimed, name: "p", path: "/p", medium: "disk", claim: "data" },
    ],
  });
  const taken = { usedBytes: 5n, inodes: 2n, atMs: AT_MS, whole: DISK };
  const all = new Map([["d", taken], ["m", taken], ["p", taken]]);
  const layer = { atMs: AT_MS, mountpoint: "/", usedBytes: 100n };
  const disks = someDisks({
    volumes: new Map([[pod.uid, all]]),
    logs: new Map([[APP.id, taken]]),
    layers: new Map([[APP.id, { ...layer, inodesUsed: 10n }]]),
  });
  const found = read(someFigures({ pods: [aPodsFigures({ pod })] }), disks);
  const expected = {
    "pods.0.ephemeral-storage.usedBytes": 110,
    "pods.0.ephemeral-storage.inodesUsed": 14,
    "pods.0.volume.2.pvcRef": { name: "data", namespace: "default" },
    "pods.0.volume.0.usedBytes": 5,
    "pods.0.containers.0.rootfs.usedBytes": 100,
  };
  for (const [path, value] of Object.entries(expected)) {
    assert.deepEqual(at(found, path), value, path);
  }
});
