/**
 * A pod in a user namespace of its own. Debian's runc is too old for it, crun
 * is not: so it runs under a runtime class.
 */
import assert from "node:assert/strict";
import { apply } from "../../deploy/cluster/request.ts";
import { aPod, create, ready, removeAll, uidOf } from "./pods.ts";
import type { Rig } from "./rig.ts";

export async function userNamespace(rig: Rig): Promise<string> {
  await apply(rig.cluster, "runtimeclasses", {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name: "crun" },
    handler: "crun",
  });
  // Owned by its root inside, by nobody whom the machine knows outside.
  const mounts = [{ name: "own", mountPath: "/own" }];
  await create(rig, [
    aPod("apart", { volumeMounts: mounts }, {
      hostUsers: false,
      runtimeClassName: "crun",
      volumes: [{ name: "own", emptyDir: {} }],
    }),
  ]);
  const pods = await ready(rig, ["apart"]);
  const said = await rig.kubectl(
    ...["exec", "apart", "--", "sh", "-c"],
    "cat /proc/self/uid_map; touch /own/file; stat -c %u /own/file; id -u; " +
      "cat /var/run/secrets/kubernetes.io/serviceaccount/namespace",
  );
  const [map = "", ...rest] = said.trim().split("\n");
  const [inside, outside, count] = map.trim().split(/\s+/).map(Number);
  assert.equal(inside, 0);
  assert.ok(outside !== undefined && outside >= 65_536, `mapped to ${outside}`);
  assert.equal(count, 65_536);
  assert.deepEqual(rest, ["0", "0", "default"]);
  const uid = uidOf(pods.get("apart"));
  const file = `/var/lib/kubelet/pods/${uid}/volumes/` +
    "kubernetes.io~empty-dir/own/file";
  // The mount is mapped, so the file belongs to root on disk.
  assert.equal((await rig.sh(`stat -c %u ${file}`)).trim(), "0");
  await removeAll(rig);
  return `root of the pod is user ${outside} of the machine`;
}
