/**
 * Pods with ids of their own, as the kernel maps them: who is root inside is
 * nobody outside, and owns the pod's volumes all the same.
 */
import assert from "node:assert/strict";
import { USER_NAMESPACE_HANDLER } from "../../deploy/world/config.ts";
import { findTools } from "../../deploy/world/containerd.ts";
import type { V1Pod } from "../../lib/api/types.ts";
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
import { PODS_DIR } from "./volume_world.ts";
import { TELL, viewOf } from "./view.ts";

const PIECE = 65_536;

/** Of the ids outside that this pod has; the agent's word for it. */
async function firstOf({ metadata }: V1Pod): Promise<number> {
  const file = `${PODS_DIR}/${metadata?.uid}/userns`;
  const { uidMappings, gidMappings } = JSON.parse(
    await Deno.readTextFile(file),
  );
  assert.deepEqual(uidMappings, gidMappings);
  const [{ hostId, containerId, length }] = uidMappings;
  assert.deepEqual([containerId, length], [0, PIECE]);
  return hostId;
}

function own(name: string, runtimeClassName: string) {
  return aPod(name, {
    hostUsers: false,
    runtimeClassName,
    securityContext: { fsGroup: 2000 },
    volumes: [{ name: "v", emptyDir: {} }],
    containers: [
      aContainer(`touch /data/made\n${TELL}`, {
        volumeMounts: [{ name: "v", mountPath: "/data" }],
      }),
    ],
  });
}

async function made(name: string, className: string) {
  await apply(own(name, className));
  const [pod] = await ready(`app=${name}`, 1);
  assert.ok(pod !== undefined);
  const view = await viewOf(pod);
  const map = view.get("ids")?.join("").trim().split(/\s+/).map(Number);
  return { pod, view, map };
}

memberTest("pods have ids of their own, also after a restart", async () => {
  const { userNamespaceRunc } = await findTools();
  if (userNamespaceRunc === undefined) {
    console.warn("SKIP: no user namespaces: deploy/prepare.sh found no runc");
    return;
  }
  const className = `${world.name}-userns`;
  await apply({
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name: className },
    handler: USER_NAMESPACE_HANDLER,
  });
  try {
    const first = await made("first", className);
    const hostId = await firstOf(first.pod);
    assert.ok(hostId >= PIECE && hostId % PIECE === 0, String(hostId));
    assert.deepEqual(first.map, [0, hostId, PIECE]);
    // Nobody had asked for classes before: it was waited for, not missed.
    assert.doesNotMatch(await eventsOf("first"), /FailedCreatePodSandBox/);
    // Seen from inside and from outside: the mount is mapped, not the files.
    const files = first.view.get("files") ?? [];
    assert.ok(files.includes("-rw-r--r-- 0 2000 /data/made"), files.join());
    const { uid: podUid } = first.pod.metadata ?? {};
    const file = `${PODS_DIR}/${podUid}/volumes/kubernetes.io~empty-dir/v/made`;
    const { uid, gid } = await Deno.stat(file);
    assert.deepEqual([uid, gid], [0, 2000]);
    await restartMember("kill");
    assert.equal(await firstOf(first.pod), hostId);
    const second = await made("second", className);
    assert.notEqual(await firstOf(second.pod), hostId);
  } finally {
    await kubectl("delete", "runtimeclass", className, "--ignore-not-found");
  }
});

memberTest("a runtime that cannot map ids starts nothing", async () => {
  await apply(aPod("unable", { hostUsers: false }));
  await until(
    "it to be told",
    async () =>
      /^FailedCreatePodSandBox - Failed to create pod sandbox: can't set `spec\.hostUsers: false`, runtime does not support user namespaces$/m
        .test(await eventsOf("unable")),
  );
});
