/**
 * Claims and what is behind them on a real node of a real cluster: directories
 * and devices of the machine, and those that cannot be had.
 */
import assert from "node:assert/strict";
import { run } from "../../deploy/world/command.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { mountsBelow } from "../../deploy/world/teardown.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  kubectl,
  memberTest,
  ready,
  restartMember,
} from "./member_world.ts";
import {
  checking,
  ended,
  events,
  hostDirectory,
  localVolume,
  nothingIsLeft,
  succeeds,
} from "./volume_world.ts";

memberTest("a claim of a local volume is bound, owned and kept", async () => {
  await hostDirectory(async (path) => {
    await Deno.mkdir(`${path}/deep`, { mode: 0o700 });
    await Deno.writeTextFile(`${path}/deep/file`, "kept", { mode: 0o600 });
    await localVolume("data", path, {
      annotations: { "pv.beta.kubernetes.io/gid": "777" },
    });
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

/** What the agent must be allowed to run for the file systems of devices. */
const PROGRAMS = ["blkid", "fsck", "mkfs.ext4"]
  .map((name) => `/usr/sbin/${name}`);
const DEVICE_MOUNTS = `${world.root}/var/lib/kubelet/plugins/kubernetes.io/` +
  "local-volume/mounts";
const MOUNTS = [{ name: "v", mountPath: "/v" }];
const claimed = (claimName: string) => ({
  nodeName: world.name,
  volumes: [{ name: "v", persistentVolumeClaim: { claimName } }],
});

/** A disk of its own for `work`; undefined: this machine has none to give. */
async function withDisk(work: (device: string) => Promise<void>) {
  const file = `${world.root}/disk-${crypto.randomUUID().slice(0, 8)}`;
  await Deno.writeTextFile(file, "");
  await Deno.truncate(file, 32 * 1024 ** 2);
  let device: string;
  try {
    device = (await run("losetup", ["--find", "--show", file])).trim();
  } catch (error) {
    console.warn(`SKIP: no test of devices, because of losetup: ${error}`);
    await Deno.remove(file);
    return;
  }
  try {
    await work(device);
  } finally {
    await run("losetup", ["--detach", device]);
    await Deno.remove(file);
  }
}

memberTest("a device gets a file system once, and keeps it", async () => {
  await withDisk(async (device) => {
    await localVolume("disk", device, { mountOptions: ["noatime"] });
    const spec = claimed("disk");
    // Without the permission nothing is looked at, and it is said.
    await apply(checking("early", ["true"], { mounts: MOUNTS, spec }));
    await until(
      "the missing permission to be told",
      async () =>
        (await eventsOf("early")).includes(
          'FailedMount - MountVolume.MountDevice failed for volume "disk" : ' +
            `local: failed to mount device ${device} at ${DEVICE_MOUNTS}/disk ` +
            "(fstype: ext4), error Cannot run blkid",
        ),
    );
    await kubectl("delete", "pod", "early", "--grace-period=0", "--force");
    await stopAgent(world);
    await startMember(world, [], PROGRAMS);
    await succeeds("maker", [
      "grep -q ' /v ext4 .*noatime' /proc/mounts",
      "echo kept > /v/file",
    ], { mounts: MOUNTS, spec });
    await apply(aPod("keeper", {
      ...spec,
      containers: [aContainer(undefined, { volumeMounts: MOUNTS })],
    }));
    await ready("app=keeper", 1);
    const found = await succeeds("second", [
      'test "$(cat /v/file)" = kept',
    ], { mounts: MOUNTS, spec });
    await nothingIsLeft("second", found.metadata?.uid ?? "");
    assert.deepEqual(await mountsBelow(DEVICE_MOUNTS), [
      `${DEVICE_MOUNTS}/disk`,
    ]);
    await stopAgent(world);
    await startMember(world, [], PROGRAMS);
    await kubectl("delete", "pods", "--all", "--grace-period=1");
    await until(
      "the device to be let go",
      async () => (await mountsBelow(DEVICE_MOUNTS)).length === 0,
    );
    await kubectl("delete", "pvc/disk", "pv/disk", "--wait=false");
  });
});

memberTest("a device is given as it is", async () => {
  await withDisk(async (device) => {
    await localVolume("raw", device, { volumeMode: "Block" });
    const container = aContainer(
      [
        "test -b /dev/raw || exit 1",
        "echo written | dd of=/dev/raw bs=512 count=1 conv=sync || exit 2",
      ].join("\n"),
      {
        volumeDevices: [{ name: "v", devicePath: "/dev/raw" }],
      },
    );
    await apply(aPod("raw", {
      ...claimed("raw"),
      restartPolicy: "Never",
      containers: [container],
    }));
    const { status } = await ended("raw");
    assert.equal(status?.phase, "Succeeded", JSON.stringify(status));
    using file = await Deno.open(device);
    const bytes = new Uint8Array(8);
    await file.read(bytes);
    assert.equal(new TextDecoder().decode(bytes), "written\n");
    assert.match(
      await eventsOf("raw"),
      /^SuccessfulMountVolume - MapVolume\.MapPodDevice succeeded for volume "raw" volumeMapPath/m,
    );
    await kubectl("delete", "pod/raw", "--grace-period=1");
    await kubectl("delete", "pvc/raw", "pv/raw", "--wait=false");
  });
});

memberTest("volumes of other nodes and servers say why they wait", async () => {
  await localVolume("far", "/", { key: "example.com/none" });
  const mounts = MOUNTS;
  await apply(checking("far", ["true"], { mounts, spec: claimed("far") }));
  await apply(checking("nfs", ["true"], {
    mounts,
    spec: {
      nodeName: world.name,
      volumes: [{ name: "v", nfs: { server: "127.0.0.1", path: "/none" } }],
    },
  }));
  await until("their events", async () => {
    const [far, nfs] = [await events("far"), await events("nfs")];
    return far.some((each) =>
      each === "FailedMount: MountVolume.NodeAffinity check failed for " +
          'volume "far" : no matching NodeSelectorTerms'
    ) && nfs.some((each) =>
      each.startsWith(
        'FailedMount: MountVolume.SetUp failed for volume "v" : Cannot mount ' +
          "127.0.0.1:/none at ",
      )
    );
  });
  await kubectl("delete", "pvc/far", "pv/far", "--wait=false");
});

const PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";

memberTest("huge pages are counted, mounted and limited", async () => {
  const before = (await Deno.readTextFile(PAGES).catch(() => "")).trim();
  const wanted = String(Number(before) + 8);
  if (before !== "") await Deno.writeTextFile(PAGES, wanted);
  const now = before === "" ? "" : (await Deno.readTextFile(PAGES)).trim();
  try {
    if (before === "" || now !== wanted) {
      console.warn("SKIP: no test of huge pages: the kernel gives none");
      return;
    }
    await restartMember();
    const bytes = Number(now) * 2;
    await until("the node to have them", async () => {
      const path = "jsonpath={.status.capacity.hugepages-2Mi}";
      return await kubectl("get", "node", world.name, "-o", path) ===
        `${bytes}Mi`;
    });
    await succeeds("pages", [
      "grep -q ' /v hugetlbfs .*pagesize=2M' /proc/mounts",
      // A file on it grows by whole pages only, and no further than its limit.
      "truncate -s 4194304 /v/file",
      "f=/sys/fs/cgroup/hugetlb/hugetlb.2MB.limit_in_bytes; " +
      "[ -e $f ] || f=/sys/fs/cgroup/hugetlb.2MB.max; " +
      "[ $(cat $f) = 4194304 ]",
    ], {
      mounts: MOUNTS,
      spec: {
        nodeName: world.name,
        volumes: [{ name: "v", emptyDir: { medium: "HugePages" } }],
        containers: [{
          name: "app",
          resources: {
            requests: { memory: "32Mi", "hugepages-2Mi": "4Mi" },
            limits: { memory: "32Mi", "hugepages-2Mi": "4Mi" },
          },
        }],
      },
    });
  } finally {
    if (before !== "") await Deno.writeTextFile(PAGES, before);
  }
});
