import assert from "node:assert/strict";
import { aContainer } from "../../tests/build.ts";
import type { FakeDisk } from "../../tests/fakes/fake_disks.ts";
import { formatIn } from "./block.ts";
import { podWith } from "./fixture_test.ts";
import { UID, World } from "./world_test.ts";

const DEVICE = "/dev/sdz";
const SHARED = "/plugins/kubernetes.io/local-volume/mounts/pv-1";
const OWN = "/pods/u1/volumes/kubernetes.io~local-volume/pv-1";
const POD = podWith([
  { name: "v", persistentVolumeClaim: { claimName: "data" } },
], { namespace: "prod" });

interface Wish {
  readonly fsType?: string;
  readonly mountOptions?: string[];
  readonly readOnly?: boolean;
}

function worldWith(disk: FakeDisk, { readOnly, ...wish }: Wish = {}): World {
  const world = World.usual();
  world.hostPaths.kinds.set(DEVICE, "block-device");
  world.disks.disks.set(DEVICE, disk);
  world.cluster.claims.set("prod/data", {
    metadata: { name: "data", namespace: "prod", uid: "claim-1" },
    spec: { volumeName: "pv-1" },
    status: { phase: "Bound" },
  });
  const { fsType, mountOptions = [] } = wish;
  world.cluster.persistentVolumes.set("pv-1", {
    metadata: { name: "pv-1" },
    spec: {
      claimRef: { uid: "claim-1" },
      local: { path: DEVICE, ...fsType === undefined ? {} : { fsType } },
      mountOptions: readOnly ? [...mountOptions, "ro"] : mountOptions,
    },
  });
  return world;
}

Deno.test("an empty device gets a file system, a full one is checked", async () => {
  for (const type of [undefined, "ext4"]) {
    const disk: FakeDisk = type === undefined ? {} : { type };
    const world = worldWith(disk, { mountOptions: ["noatime"] });
    assert.equal((await world.after(0, POD))?.kind, "ready");
    assert.equal(disk.type, "ext4");
    assert.equal(disk.checks ?? 0, type === undefined ? 0 : 1);
    assert.deepEqual(world.mounts.devices.get(SHARED), {
      device: DEVICE,
      type: "ext4",
      options: ["noatime"],
      isReadOnly: false,
    });
    assert.equal(world.mounts.bound.get(OWN), SHARED);
    await world.end();
  }
});

Deno.test("a device stays mounted while another pod has it", async () => {
  const world = worldWith({ type: "ext4" });
  await world.after(0, POD);
  world.mounts.bound.set("/pods/u2/volumes/x/pv-1", SHARED);
  const never = new AbortController().signal;
  await world.runner.release(UID, never);
  assert.ok(world.mounts.devices.has(SHARED));
  world.mounts.bound.delete("/pods/u2/volumes/x/pv-1");
  await world.runner.release(UID, never);
  assert.ok(!world.mounts.devices.has(SHARED));
  assert.equal(await world.files.stat(SHARED), undefined);
  await world.end();
});

Deno.test("a device that cannot be had is told of in upstream's words", async () => {
  const table: [FakeDisk, Wish, RegExp][] = [
    [{}, { readOnly: true }, /cannot mount unformatted disk \/dev\/sdz as we/],
    [{ type: "ext4", isBroken: true }, {}, /'fsck' found errors on device/],
    [{ isBroken: true }, { fsType: "xfs" }, /format of disk "\/dev\/sdz" fail/],
  ];
  for (const [disk, wish, expected] of table) {
    const before = disk.type;
    const world = worldWith(disk, wish);
    const state = await world.after(0, POD);
    assert.ok(state?.kind === "failed", JSON.stringify(state));
    assert.match(
      state.message,
      /^MountVolume.MountDevice failed for volume "p/,
    );
    assert.match(state.message, expected);
    assert.equal(world.mounts.devices.size, 0);
    assert.equal(disk.type, before);
    await world.end();
  }
});

Deno.test("a device is not touched without the permission to look at it", async () => {
  const disk: FakeDisk = {};
  const world = worldWith(disk);
  world.disks.refused.set("blkid", "NotAllowed");
  const state = await world.after(0, POD);
  assert.ok(state?.kind === "failed");
  assert.match(state.message, /Cannot run blkid/);
  assert.equal(disk.type, undefined);
  await world.end();
});

Deno.test("a device is mounted unchecked where there is no fsck", async () => {
  const world = worldWith({ type: "ext4" });
  world.disks.refused.set("fsck", "NotFound");
  assert.equal((await world.after(0, POD))?.kind, "ready");
  assert.match(world.lines.join("\n"), /unchecked/);
  await world.end();
});

Deno.test("a block volume that is none says so by its own reason", async () => {
  const pod = podWith([
    { name: "v", persistentVolumeClaim: { claimName: "data" } },
  ], {
    namespace: "prod",
    containers: [
      aContainer({ volumeDevices: [{ name: "v", devicePath: "/dev/x" }] }),
    ],
  });
  for (const kind of ["directory", "block-device"] as const) {
    const world = worldWith({});
    const volume = world.cluster.persistentVolumes.get("pv-1");
    world.cluster.persistentVolumes.set("pv-1", {
      ...volume,
      spec: { ...volume?.spec, volumeMode: "Block" },
    });
    world.hostPaths.kinds.set(DEVICE, kind);
    await world.after(0, pod);
    const [step] = world.steps;
    assert.deepEqual(
      [step?.type, step?.reason],
      kind === "directory"
        ? ["Warning", "FailedMapVolume"]
        : ["Normal", "SuccessfulMountVolume"],
    );
    await world.end();
  }
});

Deno.test("formatIn() never takes partitions for an empty device", () => {
  const of = (code: number, stdout = "") =>
    formatIn({ code, stdout, stderr: "" });
  assert.equal(of(2), "");
  assert.equal(of(0, "DEVNAME=/dev/sdz\nTYPE=xfs\n"), "xfs");
  assert.equal(
    of(0, "DEVNAME=/dev/sdz\nPTTYPE=dos\n"),
    "unknown data, probably partitions",
  );
  assert.equal(of(4), undefined);
});
