/** Pods of the virtual machine, and what the API server and the kernel say. */
import type { V1Container, V1Pod, V1PodSpec } from "../../lib/api/types.ts";
import { apply } from "../../deploy/cluster/request.ts";
import { IMAGES, reference } from "../../deploy/world/facts.ts";
import type { Rig } from "./rig.ts";

/** Runs until it is told to end, and ends at once then. */
export const OBEDIENT = "echo here; trap 'exit 0' TERM; sleep 100000 & wait";
const PODS = "/api/v1/namespaces/default/pods";
/** Twenty at once, on a translated processor. */
const START_MS = 240_000;

export function aPod(
  name: string,
  container: Partial<V1Container> = {},
  spec: Partial<V1PodSpec> = {},
): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 3,
      containers: [{
        name: "app",
        image: reference(IMAGES.busybox),
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", OBEDIENT],
        ...container,
      }],
      ...spec,
    },
  };
}

export async function create(
  rig: Rig,
  pods: readonly V1Pod[],
): Promise<void> {
  await Promise.all(pods.map((pod) =>
    apply(rig.cluster, "pods", {
      ...pod,
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...pod.metadata, name: pod.metadata?.name ?? "" },
    })
  ));
}

export async function podsOf(rig: Rig): Promise<readonly V1Pod[]> {
  return (await rig.get<{ items: readonly V1Pod[] }>(PODS)).items;
}

export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  ) ?? false;
}

/** Waits until exactly these are Ready; gives them by name. */
export async function ready(
  rig: Rig,
  names: readonly string[],
): Promise<ReadonlyMap<string, V1Pod>> {
  const found = new Map<string, V1Pod>();
  await rig.until(`Ready pods ${names.join(" ")}`, async () => {
    for (const pod of await podsOf(rig)) {
      const name = pod.metadata?.name ?? "";
      if (isReady(pod)) found.set(name, pod);
      else found.delete(name);
    }
    return names.every((name) => found.has(name));
  }, START_MS);
  return found;
}

export async function removeAll(rig: Rig): Promise<void> {
  await rig.get(PODS, { method: "DELETE" });
  await rig.until("an empty namespace", async () => {
    return (await podsOf(rig)).length === 0;
  }, START_MS);
}

export function uidOf(pod: V1Pod | undefined): string {
  return pod?.metadata?.uid ?? "";
}

export function restartsOf({ status }: V1Pod): number {
  return status?.containerStatuses?.[0]?.restartCount ?? -1;
}

/**
 * How many cgroups with processes each pod has, as the kernel knows it: one of
 * its sandbox and one of each container. By uid; asks neither the agent nor
 * the runtime, and both drivers' names are known.
 */
export async function groupsByPod(
  rig: Rig,
): Promise<ReadonlyMap<string, number>> {
  const text = await rig.sh(
    "cd /sys/fs/cgroup && find kubepods* -name cgroup.events | " +
      "xargs -r grep -H 'populated 1' || true",
  );
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    // …/kubepods-besteffort-pod<uid>.slice/<container>/cgroup.events:…
    const found = /[/-]pod([0-9a-f_-]{36})(?:\.slice)?\/[^/]+\/cgroup\.events:/
      .exec(line);
    const uid = found?.[1]?.replaceAll("_", "-");
    if (uid !== undefined) counts.set(uid, (counts.get(uid) ?? 0) + 1);
  }
  return counts;
}
