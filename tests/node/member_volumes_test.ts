/**
 * Volumes of every kind on a real node of a real cluster, as programs inside
 * of containers find them, and what is left of them on the machine.
 */
import assert from "node:assert/strict";
import { mountsBelow } from "../../deploy/world/teardown.ts";
import { get } from "../../deploy/cluster/request.ts";
import type { V1Pod, V1PodSpec, V1VolumeMount } from "../../lib/api/types.ts";
import { BUSYBOX, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  gone,
  inPhase,
  kubectl,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";

const PODS_DIR = `${world.root}/var/lib/kubelet/pods`;

/** Runs a script to its end; a line that fails ends it with its number. */
async function succeeds(
  name: string,
  lines: readonly string[],
  own: {
    readonly mounts: readonly V1VolumeMount[];
    readonly spec: Partial<V1PodSpec>;
  },
): Promise<V1Pod> {
  await apply(checking(name, lines, own));
  const found = await ended(name);
  const state = found.status?.containerStatuses?.[0]?.state?.terminated;
  const line = lines[(state?.exitCode ?? 0) - 1];
  assert.equal(state?.exitCode, 0, `${line ?? JSON.stringify(found.status)}`);
  return found;
}

function checking(
  name: string,
  lines: readonly string[],
  { mounts, spec }: Parameters<typeof succeeds>[2],
) {
  const script = lines.map((line, index) => `(${line}) || exit ${index + 1}`)
    .join("\n");
  return aPod(name, {
    restartPolicy: "Never",
    ...spec,
    containers: [
      aContainer(script, {
        volumeMounts: [...mounts],
        env: [{
          name: "POD",
          valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
        }],
        ...spec.containers?.[0],
      }),
    ],
  });
}

async function ended(name: string): Promise<V1Pod> {
  let found: V1Pod | undefined;
  await until(`the end of ${name}`, async () => {
    found = await pod(name);
    return found?.status?.phase === "Succeeded" ||
      found?.status?.phase === "Failed";
  });
  assert.ok(found);
  return found;
}

async function nothingIsLeft(name: string, uid: string): Promise<void> {
  await kubectl("delete", "pod", name, "--wait=false");
  await gone(name);
  assert.deepEqual(await mountsBelow(`${PODS_DIR}/${uid}`), []);
  await until(
    "its directory to go",
    () => Deno.stat(`${PODS_DIR}/${uid}`).then(() => false, () => true),
  );
}

async function events(name: string): Promise<readonly string[]> {
  const { items } = await get<{
    items: readonly { reason: string; message: string }[];
  }>(
    cluster,
    `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D${name}`,
  );
  return items.map(({ reason, message }) => `${reason}: ${message}`);
}

async function hostDirectory<T>(work: (path: string) => Promise<T>) {
  const path = `${world.root}/volumes-${crypto.randomUUID().slice(0, 8)}`;
  await Deno.mkdir(path);
  try {
    return await work(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

memberTest("containers mount paths inside of volumes", async () => {
  await apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "sub" },
    data: { key: "from the map" },
  });
  const mount = (mountPath: string, own: Partial<V1VolumeMount>) => ({
    name: "v",
    mountPath,
    ...own,
  });
  const found = await succeeds("sub", [
    "echo x > /a/file",
    'test "$(cat /whole/a/b/file)" = x',
    "test -d /whole/sub/named",
    "test $(stat -c %a /whole/a/b) = 2777",
    "echo y > /expr/file && test -f /whole/sub/named/file",
    'test "$(cat /one)" = "from the map"',
    "test $(stat -c %a /whole/sub) = 2777",
  ], {
    mounts: [
      mount("/a", { subPath: "a/b" }),
      mount("/expr", { subPathExpr: "$(POD)/named" }),
      mount("/whole", {}),
      { name: "map", mountPath: "/one", subPath: "key" },
    ],
    spec: {
      securityContext: { fsGroup: 4242 },
      volumes: [
        { name: "v", emptyDir: {} },
        { name: "map", configMap: { name: "sub" } },
      ],
    },
  });
  await nothingIsLeft("sub", found.metadata?.uid ?? "");
});

memberTest("S01 a path that leads out of a volume starts nothing", async () => {
  await hostDirectory(async (path) => {
    await Deno.symlink("/etc", `${path}/link`);
    await apply(checking("out", ["true"], {
      mounts: [{ name: "v", mountPath: "/v", subPath: "link/passwd" }],
      spec: { volumes: [{ name: "v", hostPath: { path } }] },
    }));
    const words =
      'failed to prepare subPath for volumeMount "v" of container ' +
      '"app"';
    await until("the container's waiting", async () => {
      const state = (await pod("out"))?.status?.containerStatuses?.[0]?.state;
      return state?.waiting?.reason === "CreateContainerConfigError" &&
        state.waiting.message === words;
    });
    await until(
      "its event",
      async () => (await events("out")).includes(`Failed: Error: ${words}`),
    );
    const uid = (await pod("out"))?.metadata?.uid ?? "";
    assert.deepEqual(
      (await mountsBelow(`${PODS_DIR}/${uid}`))
        .filter((each) => each.includes("subpaths")),
      [],
    );
    await nothingIsLeft("out", uid);
  });
});

memberTest("memory has the size that was asked for, and no disk", async () => {
  const found = await succeeds("memory", [
    "grep ' /m tmpfs ' /proc/mounts | grep -q size=8192k",
    "test $(stat -c %a /m) = 1777",
    "! dd if=/dev/zero of=/m/big bs=1M count=9 2>/dev/null",
  ], {
    mounts: [{ name: "m", mountPath: "/m" }],
    spec: {
      volumes: [{
        name: "m",
        emptyDir: { medium: "Memory", sizeLimit: "8Mi" },
      }],
    },
  });
  await nothingIsLeft("memory", found.metadata?.uid ?? "");
});

memberTest("an image is mounted as a volume", async () => {
  const mounts = [
    { name: "tool", mountPath: "/tool" },
    { name: "tool", mountPath: "/bin2", subPath: "bin" },
  ];
  const image = {
    reference: BUSYBOX,
    pullPolicy: "IfNotPresent",
  };
  const found = await succeeds("image", [
    "test -e /tool/bin/sh",
    "test -e /bin2/sh",
    "! touch /tool/x 2>/dev/null",
  ], { mounts, spec: { volumes: [{ name: "tool", image }] } });
  await nothingIsLeft("image", found.metadata?.uid ?? "");
  const absent = {
    ...image,
    reference: "example.invalid/none:1",
    pullPolicy: "Never",
  };
  await apply(checking("absent", ["true"], {
    mounts,
    spec: { volumes: [{ name: "tool", image: absent }] },
  }));
  await until(
    "the container's waiting",
    async () =>
      (await pod("absent"))?.status?.containerStatuses?.[0]?.state?.waiting
        ?.reason === "ErrImageNeverPull",
  );
});

memberTest("a claim of a local volume is bound, owned and kept", async () => {
  await hostDirectory(async (path) => {
    await Deno.mkdir(`${path}/deep`, { mode: 0o700 });
    await Deno.writeTextFile(`${path}/deep/file`, "kept", { mode: 0o600 });
    await localVolume("data", path, { "pv.beta.kubernetes.io/gid": "777" });
    const claimed = (readOnly: boolean) => ({
      name: "v",
      persistentVolumeClaim: { claimName: "data", readOnly },
    });
    const mounts = [{ name: "v", mountPath: "/v" }];
    const first = await succeeds("claimed", [
      'test "$(cat /v/deep/file)" = kept',
      "test $(stat -c %a:%g /v/deep) = 2770:4242",
      "test $(stat -c %a:%g /v/deep/file) = 660:4242",
      "echo new > /v/deep/new",
      "id -G | grep -qw 777",
      "id -G | grep -qw 4242",
    ], {
      mounts,
      spec: {
        volumes: [claimed(false)],
        securityContext: { fsGroup: 4242, runAsUser: 1000 },
      },
    });
    await nothingIsLeft("claimed", first.metadata?.uid ?? "");
    assert.equal(await Deno.readTextFile(`${path}/deep/new`), "new\n");
    const second = await succeeds("reader", [
      'test "$(cat /v/deep/new)" = new',
      "! touch /v/x 2>/dev/null",
    ], { mounts, spec: { volumes: [claimed(true)] } });
    await nothingIsLeft("reader", second.metadata?.uid ?? "");
    await kubectl("delete", "pvc/data", "pv/data", "--wait=false");
  });
});

memberTest("a claim that cannot be had says why", async () => {
  await apply(checking("nobody", ["true"], {
    mounts: [{ name: "v", mountPath: "/v" }],
    spec: {
      nodeName: world.name,
      volumes: [{ name: "v", persistentVolumeClaim: { claimName: "absent" } }],
    },
  }));
  await apply(checking("driver", ["true"], {
    mounts: [{ name: "v", mountPath: "/v" }],
    spec: {
      nodeName: world.name,
      volumes: [{ name: "v", csi: { driver: "none.example" } }],
    },
  }));
  await until("their events", async () => {
    const [claim, driver] = [await events("nobody"), await events("driver")];
    return claim.some((each) =>
      each.startsWith(
        "FailedMount: Unable to attach or mount volumes: unmounted volumes=" +
          "[v], unattached volumes=[], failed to process volumes=[v]: error " +
          "processing PVC default/absent: failed to fetch PVC",
      )
    ) && driver.some((each) =>
      each.includes("driver name none.example not found in the list")
    );
  });
});

memberTest("mounts spread as far as they are meant to", async () => {
  const path = `${world.root}/var/lib/kubelet/spread`;
  await Deno.mkdir(path, { recursive: true });
  const sharer = (name: string, mountPropagation: string, script: string) =>
    aPod(name, {
      volumes: [{ name: "v", hostPath: { path } }],
      containers: [
        aContainer(script, {
          volumeMounts: [{ name: "v", mountPath: "/v", mountPropagation }],
          securityContext: { privileged: mountPropagation === "Bidirectional" },
        }),
      ],
      restartPolicy: "Never",
    });
  const waits = "for i in $(seq 100); do test -e /v/m/seen && exit 0; " +
    "sleep 0.1; done; exit 1";
  const misses = "for i in $(seq 60); do test -e /v/m/seen && exit 1; " +
    "test -e /v/done && exit 0; sleep 0.1; done; exit 0";
  try {
    await apply(sharer("slave", "HostToContainer", waits));
    await apply(sharer("private", "None", misses));
    await ready("app=slave", 1);
    await ready("app=private", 1);
    const mounts = "mkdir -p /v/m && mount -t tmpfs none /v/m && " +
      "touch /v/m/seen && sleep 3; umount /v/m; touch /v/done";
    await apply(sharer("master", "Bidirectional", mounts));
    await inPhase("slave", "Succeeded");
    await inPhase("private", "Succeeded");
    await inPhase("master", "Succeeded");
    assert.deepEqual(await mountsBelow(`${path}/m`), []);
  } finally {
    for (const each of await mountsBelow(`${path}/m`)) {
      await new Deno.Command("umount", { args: [each] }).output();
    }
    await Deno.remove(path, { recursive: true });
  }
});

memberTest("read-only goes all the way where the runtime can", async () => {
  const { status } = await get<{
    status: {
      runtimeHandlers?: readonly {
        name: string;
        features?: { recursiveReadOnlyMounts?: boolean };
      }[];
    };
  }>(cluster, `/api/v1/nodes/${world.name}`);
  const can = status.runtimeHandlers?.some(({ name, features }) =>
    name === "" && features?.recursiveReadOnlyMounts === true
  );
  const own = (recursiveReadOnly: string) => ({
    mounts: [{
      name: "v",
      mountPath: "/v",
      readOnly: true,
      recursiveReadOnly,
    }],
    spec: { volumes: [{ name: "v", emptyDir: {} }] },
  });
  const found = await succeeds("maybe", [
    "! touch /v/x 2>/dev/null",
  ], own("IfPossible"));
  const mount = found.status?.containerStatuses?.[0]?.volumeMounts
    ?.find(({ name }) => name === "v");
  assert.equal(mount?.recursiveReadOnly, can ? "Enabled" : "Disabled");
  if (can === true) {
    await succeeds("whole", ["! touch /v/x 2>/dev/null"], own("Enabled"));
    return;
  }
  await apply(checking("whole", ["true"], own("Enabled")));
  await until("the container's waiting", async () => {
    const state = (await pod("whole"))?.status?.containerStatuses?.[0]?.state;
    return state?.waiting?.reason === "CreateContainerConfigError" &&
      state.waiting.message?.endsWith(
          "but it is not supported by the runtime",
        ) === true;
  });
});

/** A bound volume and claim of one name; no controller has to find them. */
async function localVolume(
  name: string,
  path: string,
  annotations: Record<string, string>,
): Promise<void> {
  const common = { apiVersion: "v1", metadata: { name } };
  const anyNode = {
    matchExpressions: [{ key: "kubernetes.io/hostname", operator: "Exists" }],
  };
  const claim = {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "",
    volumeName: name,
    resources: { requests: { storage: "1Mi" } },
  };
  await apply({
    ...common,
    kind: "PersistentVolume",
    metadata: { name, annotations },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Mi" },
      persistentVolumeReclaimPolicy: "Retain",
      local: { path },
      claimRef: { namespace: "default", name },
      nodeAffinity: { required: { nodeSelectorTerms: [anyNode] } },
    },
  });
  await apply({ ...common, kind: "PersistentVolumeClaim", spec: claim });
}
