import assert from "node:assert/strict";
import { aContainer } from "../../tests/build.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Volume,
} from "../api/types.ts";
import { podWith } from "./fixture_test.ts";
import { mountOptions, planPersistent } from "./persistent.ts";
import type { ClaimVolume, Ground } from "./plan_storage.ts";
import { UID, World } from "./world_test.ts";

const VOLUME: V1Volume = {
  name: "v",
  persistentVolumeClaim: { claimName: "data" },
};

function claimOf(
  own: Partial<V1PersistentVolumeClaim> = {},
): V1PersistentVolumeClaim {
  return {
    metadata: { name: "data", namespace: "prod", uid: "claim-1" },
    spec: { volumeName: "pv-1" },
    status: { phase: "Bound" },
    ...own,
  };
}

function volumeOf(
  spec: NonNullable<V1PersistentVolume["spec"]>,
  annotations: Record<string, string> = {},
): V1PersistentVolume {
  return {
    metadata: { name: "pv-1", annotations },
    spec: { claimRef: { uid: "claim-1" }, ...spec },
  };
}

const LOCAL = volumeOf({ local: { path: "/disk" } });

/** A node with a claim, and what becomes of a pod that has it. */
async function withClaim(
  claim: V1PersistentVolumeClaim | undefined,
  volume: V1PersistentVolume | undefined,
  own: { readonly pod?: ReturnType<typeof podWith> } = {},
) {
  const world = World.usual();
  world.hostPaths.kinds.set("/disk", "directory");
  world.hostPaths.kinds.set("/dev/sdz", "block-device");
  await world.files.makeDirectory("/disk/old", 0o755);
  if (claim !== undefined) world.cluster.claims.set("prod/data", claim);
  if (volume !== undefined) world.cluster.persistentVolumes.set("pv-1", volume);
  const pod = own.pod ?? podWith([VOLUME], { namespace: "prod" });
  const state = await world.after(0, pod);
  return { world, pod, state };
}

const UNKNOWN = "Unable to attach or mount volumes: unmounted volumes=[v], " +
  "unattached volumes=[], failed to process volumes=[v]: error processing " +
  "PVC prod/data: ";

Deno.test("a claim is refused for what upstream refuses it, in its words", async () => {
  const table: [
    V1PersistentVolumeClaim | undefined,
    V1PersistentVolume | undefined,
    string,
  ][] = [
    [
      undefined,
      undefined,
      `${UNKNOWN}failed to fetch PVC from API server: ` +
      'persistentvolumeclaims "data" not found',
    ],
    [claimOf({ status: {} }), LOCAL, `${UNKNOWN}PVC is not bound`],
    [
      claimOf({ spec: {} }),
      LOCAL,
      `${UNKNOWN}PVC has empty pvc.Spec.VolumeName`,
    ],
    [
      claimOf({
        metadata: { uid: "claim-1", deletionTimestamp: new Date(0) },
      }),
      LOCAL,
      `${UNKNOWN}PVC is being deleted`,
    ],
    [
      claimOf(),
      undefined,
      `${UNKNOWN}failed to fetch PV pv-1 from API server: ` +
      'persistentvolumes "pv-1" not found',
    ],
    [
      claimOf(),
      { metadata: { name: "pv-1" }, spec: {} },
      `${UNKNOWN}found PV object pv-1 but it has a nil pv.Spec.ClaimRef ` +
      "indicating it is not yet bound to the claim",
    ],
    [
      claimOf(),
      volumeOf({ claimRef: { uid: "other" } }),
      `${UNKNOWN}found PV object pv-1 but its pv.Spec.ClaimRef.UID other ` +
      "does not point to claim.UID claim-1",
    ],
    [
      claimOf(),
      volumeOf({ volumeMode: "Block", local: { path: "/dev/sdz" } }),
      `${UNKNOWN}volume v has volumeMode Block, but is specified in ` +
      "volumeMounts",
    ],
    [
      claimOf(),
      volumeOf({ hostPath: { path: "/disk" }, mountOptions: ["noatime"] }),
      'MountVolume.MountOptionSupport check failed for volume "pv-1" : ' +
      "mount options are not supported for this volume type",
    ],
    [
      claimOf(),
      volumeOf({ local: { path: "/absent" } }),
      'MountVolume.SetUp failed for volume "pv-1" : path "/absent" does not ' +
      "exist",
    ],
    [
      claimOf(),
      volumeOf({ csi: { driver: "d.example", volumeHandle: "h" } }),
      'MountVolume.SetUp failed for volume "pv-1" : kubernetes.io/csi: ' +
      "mounter.SetUpAt failed to get CSI client: driver name d.example not " +
      "found in the list of registered CSI drivers",
    ],
    [
      claimOf(),
      volumeOf({ awsElasticBlockStore: { volumeID: "x" } }),
      'MountVolume.SetUp failed for volume "pv-1" : kubernetes.io/csi: ' +
      "mounter.SetUpAt failed to get CSI client: driver name " +
      "ebs.csi.aws.com not found in the list of registered CSI drivers",
    ],
  ];
  for (const [claim, volume, words] of table) {
    const { world, state } = await withClaim(claim, volume);
    assert.equal(state?.kind, "failed", words);
    assert.equal(state?.kind === "failed" && state.message, words);
    assert.deepEqual(world.steps.map(({ reason }) => reason), ["FailedMount"]);
    await world.end();
  }
});

Deno.test("a claim that is protected may go on being used", async () => {
  const metadata = {
    uid: "claim-1",
    deletionTimestamp: new Date(0),
    finalizers: ["kubernetes.io/pvc-protection"],
  };
  const { world, state } = await withClaim(claimOf({ metadata }), LOCAL);
  assert.equal(state?.kind, "ready");
  await world.end();
});

Deno.test("a claim is tried again until it is bound", async () => {
  const { world, pod, state } = await withClaim(
    claimOf({ status: {} }),
    LOCAL,
  );
  assert.equal(state?.kind, "failed");
  world.cluster.claims.set("prod/data", claimOf());
  assert.equal((await world.after(0, pod))?.kind, "failed");
  await world.after(500, pod);
  assert.equal((await world.after(0, pod))?.kind, "ready");
  await world.end();
});

Deno.test("a local volume is bound below the pod and given to its group once", async () => {
  const volume = volumeOf({ local: { path: "/disk" } }, {
    "pv.beta.kubernetes.io/gid": "777",
  });
  const pod = podWith([VOLUME], {
    namespace: "prod",
    spec: { securityContext: { fsGroup: 42 } },
  });
  const { world, state } = await withClaim(claimOf(), volume, { pod });
  assert.ok(state?.kind === "ready", JSON.stringify(state));
  const path = "/pods/u1/volumes/kubernetes.io~local-volume/pv-1";
  assert.deepEqual(state.mounted?.get("v"), {
    path,
    isReadOnly: false,
    isRelabelled: true,
    isDevice: false,
    specName: "pv-1",
    group: "777",
  });
  assert.equal(world.mounts.bound.get(path), "/disk");
  assert.equal((await world.files.stat(path))?.gid, 42);
  // Another life finds it done and leaves alone what the pod made of it.
  await world.files.own(path, { mode: 0o700, gid: 7 });
  await world.end();
  const next = new World(world);
  next.hostPaths.kinds.set("/disk", "directory");
  assert.equal((await next.after(0, pod))?.kind, "ready");
  assert.equal((await next.files.stat(path))?.gid, 7);
  await next.runner.release(UID, new AbortController().signal);
  assert.deepEqual([...next.mounts.bound], []);
  await next.end();
});

Deno.test("a local volume that another pod has keeps its group, with a warning", async () => {
  const pod = podWith([VOLUME], {
    namespace: "prod",
    spec: { securityContext: { fsGroup: 42 } },
  });
  const world = World.usual();
  world.hostPaths.kinds.set("/disk", "directory");
  world.cluster.claims.set("prod/data", claimOf());
  world.cluster.persistentVolumes.set("pv-1", LOCAL);
  world.mounts.bound.set("/pods/u0/volumes/x/pv-1", "/disk");
  assert.equal((await world.after(0, pod))?.kind, "ready");
  assert.deepEqual(
    world.steps.map(({ reason, message }) => [reason, message]),
    [
      [
        "AlreadyMountedVolume",
        "The requested fsGroup is 42, but the volume pv-1 has GID 0. The volume " +
        "may not be shareable.",
      ],
    ],
  );
  await world.end();
});

Deno.test("a block volume is a link that containers are told", async () => {
  const pod = podWith([VOLUME], {
    namespace: "prod",
    containers: [
      aContainer({ volumeDevices: [{ name: "v", devicePath: "/dev/x" }] }),
    ],
  });
  const volume = volumeOf({ volumeMode: "Block", local: { path: "/dev/sdz" } });
  const { world, state } = await withClaim(claimOf(), volume, { pod });
  assert.ok(state?.kind === "ready", JSON.stringify(state));
  const mounted = state.mounted?.get("v");
  const path = "/pods/u1/volumeDevices/kubernetes.io~local-volume/pv-1";
  assert.deepEqual([mounted?.isDevice, mounted?.path], [true, path]);
  assert.equal(await world.files.readLink(path), "/dev/sdz");
  await world.end();
});

interface Owned {
  readonly uid: string;
  readonly controller: boolean;
}

Deno.test("an ephemeral claim must be the pod's own", async () => {
  const pod = podWith([{ name: "v", ephemeral: {} }], {
    namespace: "prod",
    name: "web",
  });
  const owner = ({ uid, controller }: Owned) => ({
    apiVersion: "v1",
    kind: "Pod",
    name: "web",
    uid,
    controller,
  });
  const table: (Owned & { readonly fault?: string })[] = [
    { uid: "u1", controller: true },
    { uid: "u1", controller: false, fault: "not owner" },
    { uid: "u2", controller: true, fault: "not owner" },
  ];
  for (const { uid, controller, fault } of table) {
    const world = World.usual();
    world.hostPaths.kinds.set("/disk", "directory");
    world.cluster.claims.set(
      "prod/web-v",
      claimOf({
        metadata: {
          name: "web-v",
          uid: "claim-1",
          ownerReferences: [owner({ uid, controller })],
        },
      }),
    );
    world.cluster.persistentVolumes.set("pv-1", LOCAL);
    const state = await world.after(0, pod);
    assert.equal(state?.kind, fault === undefined ? "ready" : "failed");
    if (state?.kind === "failed") {
      assert.match(state.message, /PVC prod\/web-v was not created for pod/);
    }
    await world.end();
  }
});

Deno.test("mountOptions() prefers the annotation, and says each once", () => {
  const spec = { nfs: { server: "s", path: "/" }, mountOptions: ["soft"] };
  assert.deepEqual(mountOptions(volumeOf(spec)), ["soft"]);
  const key = "volume.beta.kubernetes.io/mount-options";
  const annotated = volumeOf(spec, { [key]: "hard,ro,hard" });
  assert.deepEqual(mountOptions(annotated), ["hard", "ro"]);
});

Deno.test("planPersistent() knows every kind of volume, or says so", () => {
  const claim: ClaimVolume = {
    kind: "claim",
    name: "v",
    claim: "data",
    isReadOnly: true,
    isEphemeral: false,
    usedAs: new Set(["mount"]),
  };
  const ground: Ground = {
    pod: podWith([]),
    directory: "/pods/u1",
    pluginsDir: "/plugins",
    memoryBytes: 0n,
    owner: { gid: 1 },
  };
  const plan = (spec: NonNullable<V1PersistentVolume["spec"]>) =>
    planPersistent(ground, claim, volumeOf(spec));
  const host = plan({ hostPath: { path: "/x", type: "Directory" } });
  assert.deepEqual(host, {
    kind: "host-path",
    name: "pv-1",
    path: "/x",
    type: "Directory",
    isReadOnly: true,
  });
  const nfs = plan({ nfs: { server: "s", path: "/e" } });
  assert.deepEqual(nfs, {
    kind: "nfs",
    name: "pv-1",
    path: "/pods/u1/volumes/kubernetes.io~nfs/pv-1",
    server: "s",
    exported: "/e",
    options: [],
    isReadOnly: true,
  });
  const refused = plan({ local: { path: "/a/../b" } });
  assert.equal(refused.kind, "refused");
  assert.equal(
    plan({ iscsi: { targetPortal: "t", iqn: "i", lun: 0 } }).kind,
    "refused",
  );
});
