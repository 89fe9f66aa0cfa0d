/** What pods get of cgroup v2, with either driver. */
import assert from "node:assert/strict";
import type { V1ContainerState, V1Pod } from "../../lib/api/types.ts";
import { aPod, create, podsOf, ready, removeAll, uidOf } from "./pods.ts";
import type { Rig } from "./rig.ts";

export type Driver = "systemd" | "cgroupfs";

const ROOT = "/sys/fs/cgroup";
const FILES = "cpu.weight cpu.max memory.max pids.max memory.oom.group " +
  "hugetlb.2MB.max";
const SMALL = { cpu: "100m", memory: "64Mi" };
const FREE = {
  "cpu.max": "max 100000",
  "memory.max": "max",
  "memory.oom.group": "0",
  "hugetlb.2MB.max": "0",
};
const PIDS = "1000";

const TRIO: readonly V1Pod[] = [
  aPod("sure", { resources: { requests: SMALL, limits: SMALL } }),
  aPod("some", { resources: { requests: SMALL } }),
  aPod("rest"),
];

/** Where the cgroup of a pod is; "" is the one above all, "burstable" a class. */
function pathOf(driver: Driver, tier: string, uid = ""): string {
  const parts = ["kubepods", ...tier === "" ? [] : [tier]];
  if (uid !== "") parts.push(`pod${uid}`);
  if (driver === "cgroupfs") return parts.join("/");
  const escaped = parts.map((part) => part.replaceAll("-", "_"));
  return escaped.map((_, at) => `${escaped.slice(0, at + 1).join("-")}.slice`)
    .join("/");
}

async function values(rig: Rig, path: string) {
  return Object.fromEntries(await rig.files(`${ROOT}/${path}`, FILES));
}

/** The cgroups of the trio and those above it, as they should be. */
async function expected(
  rig: Rig,
  driver: Driver,
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const uids = new Map(
    (await podsOf(rig)).map((pod) => [pod.metadata?.name, uidOf(pod)]),
  );
  const at = (tier: string, name: string) =>
    pathOf(driver, tier, uids.get(name));
  return new Map([
    [at("", "sure"), {
      ...FREE,
      "cpu.weight": "4",
      "cpu.max": "10000 100000",
      "memory.max": String(64 * 1024 ** 2),
      "pids.max": PIDS,
    }],
    [at("burstable", "some"), {
      ...FREE,
      "cpu.weight": "4",
      "pids.max": PIDS,
    }],
    [at("besteffort", "rest"), {
      ...FREE,
      "cpu.weight": "1",
      "pids.max": PIDS,
    }],
  ]);
}

/** The values of the trio, and of all above it. */
async function checkTrio(rig: Rig, driver: Driver): Promise<void> {
  for (const [path, wanted] of await expected(rig, driver)) {
    assert.deepEqual(await values(rig, path), wanted, path);
  }
  const classes = { burstable: "4", besteffort: "1" };
  for (const [tier, weight] of Object.entries(classes)) {
    const path = pathOf(driver, tier);
    assert.equal((await values(rig, path))["cpu.weight"], weight, path);
  }
  const top = await values(rig, pathOf(driver, ""));
  const total = BigInt(
    await rig.sh(
      "awk '/^MemTotal:/ { printf \"%d\", $2 * 1024 }' /proc/meminfo",
    ),
  );
  assert.equal(top["memory.max"], String(total));
  assert.equal(top["cpu.weight"], "79", "2 processors of 1024 shares");
}

/** Classes weigh their pods within a moment, and the audit mends the rest. */
export async function trioWithValues(
  rig: Rig,
  driver: Driver,
): Promise<string> {
  await startTrio(rig);
  const sinceMs = performance.now();
  await rig.passes(() => checkTrio(rig, driver));
  const lateMs = performance.now() - sinceMs;
  const groups = await containerGroups(rig, driver);
  return `all values within ${(lateMs / 1000).toFixed(1)} s of Ready; ` +
    `${groups} containers are killed as a whole`;
}

/** Unless they run already. */
async function startTrio(rig: Rig): Promise<void> {
  await create(rig, TRIO);
  await ready(rig, ["sure", "some", "rest"]);
}

/** Compat: kubelet 1.36: with v2, an app's processes are killed together. */
async function containerGroups(rig: Rig, driver: Driver): Promise<number> {
  const kinds = driver === "systemd"
    ? "cri-containerd-.*\\.scope"
    : "[0-9a-f]{64}";
  const text = await rig.sh(
    `cd ${ROOT} && find ${
      pathOf(driver, "")
    } -type d -regextype posix-extended ` +
      `-regex '.*/${kinds}' | ` +
      "while read -r path; do cat $path/memory.oom.group; done",
  );
  const flags = text.trim().split("\n");
  assert.equal(flags.length, 6, "a sandbox and a container of each pod");
  const count = flags.filter((flag) => flag === "1").length;
  assert.equal(count, 3, "each container, no sandbox");
  return count;
}

/** What systemd does to slices, and whether the values stand. */
export async function systemdInterferes(rig: Rig): Promise<string> {
  const timed = async (script: string) => {
    await rig.sh(script);
    const sinceMs = performance.now();
    await rig.passes(() => checkTrio(rig, "systemd"));
    return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
  };
  await startTrio(rig);
  const reload = await timed("systemctl daemon-reload");
  const reexec = await timed("systemctl daemon-reexec");
  const other = await timed(
    "systemctl set-property --runtime system.slice CPUWeight=50",
  );
  return `the values stand ${reload} after daemon-reload, ${reexec} after ` +
    `daemon-reexec, ${other} after a change of a neighbour`;
}

/** What changed while the agent was away is mended when it is back. */
export async function agentRestarts(rig: Rig): Promise<string> {
  await startTrio(rig);
  const [path] = (await expected(rig, "systemd")).keys();
  await rig.sh(
    `systemctl stop denolet && echo max >${ROOT}/${path}/pids.max && ` +
      "systemctl start denolet",
  );
  const sinceMs = performance.now();
  await rig.passes(() => checkTrio(rig, "systemd"), 120_000);
  const seconds = (performance.now() - sinceMs) / 1000;
  return `a limit is back ${seconds.toFixed(0)} s after the start`;
}

/** A child takes too much: the container ends, though its first process waits. */
export async function groupKill(rig: Rig): Promise<string> {
  const command = ["sh", "-c", "tail /dev/zero & sleep 100000"];
  const resources = { limits: { memory: "32Mi" } };
  await create(rig, [
    aPod("greedy", { command, resources }, { restartPolicy: "Never" }),
  ]);
  let end: V1ContainerState["terminated"];
  await rig.until("the end of greedy", async () => {
    const pod = (await podsOf(rig)).find(({ metadata }) =>
      metadata?.name === "greedy"
    );
    end = pod?.status?.containerStatuses?.[0]?.state?.terminated;
    return end !== undefined;
  }, 120_000);
  assert.equal(end?.exitCode, 137);
  await removeAll(rig);
  // On a slow machine the runtime hears of the shortage after the end.
  assert.match(end.reason ?? "", /^(OOMKilled|Error)$/);
  return `${end.reason} with ${end.exitCode}, as a whole`;
}

/** Nothing stays of pods that are gone: no directory, no unit of systemd. */
export async function trioGone(rig: Rig, driver: Driver): Promise<string> {
  await removeAll(rig);
  const top = pathOf(driver, "");
  await rig.until("the end of the pods' cgroups", async () => {
    const left = await rig.sh(
      `find ${ROOT}/${top} -type d -name '*pod????????[-_]*'`,
    );
    return left === "";
  });
  if (driver === "cgroupfs") return "no cgroup is left";
  await rig.until("the end of the pods' units", async () => {
    return (await podUnits(rig)).length === 0;
  });
  return "no cgroup and no unit is left";
}

async function podUnits(rig: Rig): Promise<string[]> {
  const text = await rig.sh(
    "systemctl list-units --all --plain --no-legend --type=slice,scope",
  );
  return text.split("\n").filter((line) =>
    /^(kubepods-.*pod[0-9a-f]{8}_|cri-containerd-)/.test(line)
  );
}

/** The runtime says which driver it has, and the agent follows. */
export async function changeDriver(rig: Rig): Promise<string> {
  await removeAll(rig);
  await rig.sh(
    "systemctl stop denolet && " +
      "sed -i 's/SystemdCgroup = true/SystemdCgroup = false/' " +
      "/etc/containerd/config.toml && " +
      "sed -i 's/^cgroupDriver: systemd/cgroupDriver: cgroupfs/' " +
      "/var/lib/kubelet/config.yaml && " +
      "systemctl restart containerd && systemctl start denolet",
  );
  await rig.nodeReady();
  return "SystemdCgroup is false, the agent follows";
}
