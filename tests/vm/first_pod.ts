/** A node that joined by itself, and its first pod. */
import assert from "node:assert/strict";
import { aPod, create, ready, removeAll } from "./pods.ts";
import type { Rig } from "./rig.ts";

interface NodeInfo {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly status: {
    readonly nodeInfo: Readonly<Record<string, string>>;
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
    }[];
  };
}

/** What the machine is, as the node tells; it must be of the kind wanted. */
export async function joined(rig: Rig): Promise<string> {
  await rig.nodeReady();
  const kind = (await rig.sh("stat -f -c %T /sys/fs/cgroup")).trim();
  assert.equal(kind, "cgroup2fs");
  const init = (await rig.sh("cat /proc/1/comm")).trim();
  assert.equal(init, "systemd");
  // Debian's own are others.
  const settings = "vm.overcommit_memory kernel.panic kernel.panic_on_oops";
  assert.equal(await rig.sh(`sysctl -n ${settings}`), "1\n10\n1\n");
  const { metadata, status } = await rig.get<NodeInfo>(
    `/api/v1/nodes/${rig.machine.name}`,
  );
  assert.equal(metadata.labels["machine"], "virtual", "by FLAGS of user-data");
  const { osImage, kernelVersion, containerRuntimeVersion } = status.nodeInfo;
  return `${osImage}, ${kernelVersion}, ${containerRuntimeVersion}`;
}

/** `kubectl logs` and `exec` go through the API server to port 10250. */
export async function firstPod(rig: Rig): Promise<string> {
  await create(rig, [aPod("first")]);
  await ready(rig, ["first"]);
  let log = "";
  // Until then the node has no serving certificate that anybody signed.
  await rig.until("its log", async () => {
    log = await rig.kubectl("logs", "first").catch(() => "");
    return log !== "";
  });
  assert.equal(log, "here\n");
  const said = await rig.kubectl(
    ...["exec", "first", "--", "sh", "-c", "cat /proc/1/cgroup; hostname"],
  );
  assert.match(said, /^0::\/.*\nfirst\n$/);
  await removeAll(rig);
  return "its log is read, a command runs in it";
}
