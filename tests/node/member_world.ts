/**
 * What the tests of a node in a real cluster share: the agent as a member of
 * the control plane of its world, and the cluster as an admin sees it. Every
 * test starts with a Ready node and an empty namespace, and leaves neither a
 * pod nor an agent behind.
 */
import assert from "node:assert/strict";
import {
  auditCounts,
  clusterFacts,
  clusterPids,
  kubectl as runKubectl,
} from "../../deploy/cluster.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { ask, get } from "../../deploy/cluster/request.ts";
import { stopAgent } from "../../deploy/world.ts";
import { containerdPid } from "../../deploy/world/containerd.ts";
import type { V1Container, V1Pod, V1PodSpec } from "../../lib/api/types.ts";
import { BUSYBOX, OBEDIENT, until, world } from "./agent_world.ts";

export const cluster = clusterFacts(world);
export const NODE_USER = `system:node:${world.name}`;
const PODS = "/api/v1/namespaces/default/pods";

/** Why there is nothing to try; says so loudly. */
async function obstacle(): Promise<string | undefined> {
  const pids = await clusterPids(world);
  const reason = Deno.uid() !== 0
    ? "it takes root"
    : await containerdPid(world) === undefined ||
        pids["kube-apiserver"] === undefined
    ? `no cluster runs in world ${world.name}: deno run -A deploy/world.ts ` +
      `up ${world.name} && deno task cluster up ${world.name}`
    : undefined;
  if (reason !== undefined) {
    console.warn(`SKIP: no test on a real cluster, because ${reason}`);
  }
  return reason;
}
export const hasNoCluster = await obstacle() !== undefined;

export function memberTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `member: ${name}`,
    ignore: hasNoCluster,
    async fn() {
      try {
        await startMember(world);
        await fn();
      } finally {
        try {
          await startMember(world);
          await clear();
        } finally {
          await stopAgent(world);
        }
      }
    },
  });
}

const WORKLOADS = [
  "cronjobs,jobs,deployments,daemonsets,statefulsets,replicasets",
  "pods,services",
];

async function clear(): Promise<void> {
  // The API server makes its own service again, but not at once.
  const selector = "--field-selector=metadata.name!=kubernetes";
  const now = ["--wait=false", "--grace-period=1"];
  for (const kinds of WORKLOADS) {
    await kubectl("delete", kinds, selector, ...now);
  }
  await until("an empty namespace", async () => {
    const left = await pods();
    return left.length === 0;
  }, 60_000);
}

export function kubectl(...args: string[]): Promise<string> {
  return runKubectl(world, args);
}

export async function apply(object: object): Promise<void> {
  await applyText(JSON.stringify(object));
}

/** For numbers that only text can hold. */
export async function applyText(json: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, json);
    await kubectl("apply", "-f", file);
  } finally {
    await Deno.remove(file);
  }
}

export async function pods(selector = ""): Promise<readonly V1Pod[]> {
  const query = new URLSearchParams({ labelSelector: selector });
  const { items } = await get<{ items: readonly V1Pod[] }>(
    cluster,
    `${PODS}?${query}`,
  );
  return items;
}

export async function pod(name: string): Promise<V1Pod | undefined> {
  const answer = await ask(cluster, `${PODS}/${name}`);
  return answer.status === 404 ? undefined : JSON.parse(answer.text);
}

/** Waits until exactly `count` pods are Ready; gives them. */
export async function ready(
  selector: string,
  count: number,
  timeoutMs = 60_000,
): Promise<readonly V1Pod[]> {
  let found: readonly V1Pod[] = [];
  await until(`${count} Ready pods ${selector}`, async () => {
    found = (await pods(selector)).filter((each) =>
      isReady(each) && each.metadata?.deletionTimestamp === undefined
    );
    return found.length === count;
  }, timeoutMs);
  return found;
}

export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  ) ?? false;
}

/** Of the pod's first container. */
export function restarts(found: V1Pod | undefined): number {
  return found?.status?.containerStatuses?.[0]?.restartCount ?? 0;
}

/** Waits until the pod has the phase; gives it. */
export async function inPhase(name: string, phase: string): Promise<V1Pod> {
  let found: V1Pod | undefined;
  await until(`pod ${name} to be ${phase}`, async () => {
    found = await pod(name);
    return found?.status?.phase === phase;
  });
  assert.ok(found);
  return found;
}

export async function gone(name: string): Promise<void> {
  await until(`the end of ${name}`, async () => await pod(name) === undefined);
}

interface Told {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly fieldPath?: string };
}

/**
 * Of each event of a pod: its reason, the part it is about, its message. Of the
 * pod that has the name now, not of those that had it before.
 */
export async function eventsOf(name: string): Promise<string> {
  const uid = (await pod(name))?.metadata?.uid;
  const ofUid = uid === undefined ? "" : `,involvedObject.uid=${uid}`;
  const query = new URLSearchParams({
    fieldSelector: `involvedObject.name=${name}${ofUid}`,
  });
  const { items } = await get<{ items: readonly Told[] }>(
    cluster,
    `/api/v1/namespaces/default/events?${query}`,
  );
  return items.map(({ reason, message, involvedObject }) =>
    `${reason} ${involvedObject.fieldPath ?? "-"} ${message}\n`
  ).join("");
}

/** Another agent in the place of the one that runs; the node is Ready again. */
export async function restartMember(
  how: "terminate" | "kill" = "terminate",
  flags: readonly string[] = [],
): Promise<void> {
  await stopAgent(world, how);
  await startMember(world, flags);
}

/** Requests of the node since then, without watches. */
export async function requests(sinceMs: number): Promise<Map<string, number>> {
  const counts = await auditCounts(world, sinceMs, NODE_USER);
  return new Map([...counts].filter(([name]) => !name.startsWith("watch ")));
}

export function aPod(name: string, spec: Partial<V1PodSpec> = {}): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 5,
      containers: [aContainer()],
      ...spec,
    },
  };
}

export function aContainer(
  script: string = OBEDIENT,
  own: Partial<V1Container> = {},
): V1Container {
  return {
    name: "app",
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", script],
    ...own,
  };
}

/** What every controller of pods makes them from. */
export function template(app: string, spec: Partial<V1PodSpec> = {}) {
  const { metadata, spec: whole } = aPod(app, spec);
  return { metadata: { labels: metadata?.labels }, spec: whole };
}
