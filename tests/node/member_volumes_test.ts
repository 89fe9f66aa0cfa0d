/**
 * Volumes of every kind on a real node of a real cluster, as programs inside
 * of containers find them, and what is left of them on the machine.
 */
import assert from "node:assert/strict";
import { mountsBelow } from "../../deploy/world/teardown.ts";
import { get } from "../../deploy/cluster/request.ts";
import type { V1VolumeMount } from "../../lib/api/types.ts";
import { BUSYBOX, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  inPhase,
  memberTest,
  pod,
  ready,
} from "./member_world.ts";
import {
  checking,
  events,
  hostDirectory,
  nothingIsLeft,
  PODS_DIR,
  succeeds,
} from "./volume_world.ts";

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
