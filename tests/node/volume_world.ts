/**
 * What the tests of volumes on a real node share: scripts that look at a
 * volume from inside of a container, and what must be left of it afterwards.
 */
import assert from "node:assert/strict";
import { mountsBelow } from "../../deploy/world/teardown.ts";
import { get } from "../../deploy/cluster/request.ts";
import type {
  V1PersistentVolume,
  V1Pod,
  V1PodSpec,
  V1VolumeMount,
} from "../../lib/api/types.ts";
import { until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  gone,
  kubectl,
  pod,
} from "./member_world.ts";

export const PODS_DIR = `${world.root}/var/lib/kubelet/pods`;

/** Runs a script to its end; a line that fails ends it with its number. */
export async function succeeds(
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

export function checking(
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

export async function ended(name: string): Promise<V1Pod> {
  let found: V1Pod | undefined;
  await until(`the end of ${name}`, async () => {
    found = await pod(name);
    return found?.status?.phase === "Succeeded" ||
      found?.status?.phase === "Failed";
  });
  assert.ok(found);
  return found;
}

export async function nothingIsLeft(name: string, uid: string): Promise<void> {
  await kubectl("delete", "pod", name, "--wait=false");
  await gone(name);
  assert.deepEqual(await mountsBelow(`${PODS_DIR}/${uid}`), []);
  await until(
    "its directory to go",
    () => Deno.stat(`${PODS_DIR}/${uid}`).then(() => false, () => true),
  );
}

export async function events(name: string): Promise<readonly string[]> {
  const { items } = await get<{
    items: readonly { reason: string; message: string }[];
  }>(
    cluster,
    `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D${name}`,
  );
  return items.map(({ reason, message }) => `${reason}: ${message}`);
}

export async function hostDirectory<T>(work: (path: string) => Promise<T>) {
  const path = `${world.root}/volumes-${crypto.randomUUID().slice(0, 8)}`;
  await Deno.mkdir(path);
  try {
    return await work(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** A bound volume and claim of one name; no controller has to find them. */
export async function localVolume(
  name: string,
  path: string,
  { annotations = {}, key = "kubernetes.io/hostname", ...spec }:
    & V1PersistentVolume["spec"]
    & {
      readonly annotations?: Record<string, string>;
      /** The label of the nodes that it is for. */
      readonly key?: string;
    } = {},
): Promise<void> {
  const common = { apiVersion: "v1", metadata: { name } };
  const anyNode = {
    matchExpressions: [{ key, operator: "Exists" }],
  };
  const claim = {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "",
    ...spec.volumeMode === undefined ? {} : { volumeMode: spec.volumeMode },
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
      ...spec,
      claimRef: { namespace: "default", name },
      nodeAffinity: { required: { nodeSelectorTerms: [anyNode] } },
    },
  });
  await apply({ ...common, kind: "PersistentVolumeClaim", spec: claim });
}
