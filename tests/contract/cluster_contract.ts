/**
 * What every `Cluster` promises. One harness stands for one API server; names
 * are fresh for each promise, so that they do not meet.
 */
import assert from "node:assert/strict";
import { podUid } from "../../lib/api/id.ts";
import type { ApiObject, CsrState } from "../../lib/port/cluster.ts";
import {
  aPod,
  type Case,
  type ClusterHarness,
  nameOf,
  refOf,
} from "./cluster_case.ts";
import { dropsEnded, keepsDeleted } from "./cluster_deletion.ts";
import { reviewsAccess, reviewsTokens } from "./cluster_reviews_contract.ts";
import { iterate } from "./cluster_iterate.ts";
import {
  followsMany,
  followsObjects,
  followsServices,
  getsClaims,
  getsObjects,
  issuesTokens,
} from "./cluster_objects_contract.ts";
import { followsRuntimeClasses } from "./cluster_classes_contract.ts";
import { failure } from "./harness.ts";

const NOW = "2026-01-02T03:04:05Z";
const SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
/** Nothing answers for this one: not even a controller manager. */
const NOBODY = "example.com/nobody";
const USAGES = ["digital signature", "client auth"];

export function clusterContract(
  title: string,
  open: () => Promise<ClusterHarness>,
  options: { readonly ignore: boolean },
): void {
  for (const { name, check } of PROMISES) {
    Deno.test({
      name: `Cluster of ${title} ${name}`,
      ignore: options.ignore,
      fn: async () => {
        const harness = await open();
        const signal = AbortSignal.timeout(30_000);
        const own = `t-${crypto.randomUUID().slice(0, 13)}`;
        const { cluster } = harness;
        try {
          await check({ cluster, harness, signal, name: own });
        } finally {
          await harness.close();
        }
      },
    });
  }
}

const PROMISES: readonly {
  readonly name: string;
  readonly check: (on: Case) => Promise<void>;
}[] = [
  { name: "lists pods, then tells each change", check: tellsPods },
  { name: "creates a pod once and gets it", check: createsOnce },
  { name: "merges a status and leaves others' conditions", check: merges },
  { name: "takes away what a status has no more", check: takesAway },
  { name: "writes no status to another pod", check: refusesOther },
  { name: "removes the pod that is meant, and no other", check: removes },
  { name: "keeps a deleted pod until its node lets go", check: keepsDeleted },
  { name: "keeps no deleted pod that has ended", check: dropsEnded },
  { name: "ends calls and watches with the signal's reason", check: aborts },
  { name: "registers a node once and follows it", check: registers },
  { name: "renews a lease unless it has changed", check: renews },
  { name: "records an event and counts it", check: records },
  { name: "asks for a certificate and hears of it", check: asks },
  { name: "hears of a denial", check: hearsDenial },
  { name: "hears that a request was swept away", check: hearsRemoval },
  { name: "gets secrets and config maps", check: getsObjects },
  { name: "gets claims and persistent volumes", check: getsClaims },
  { name: "follows one secret or config map", check: followsObjects },
  { name: "follows many objects at once", check: followsMany },
  { name: "follows services", check: followsServices },
  { name: "issues tokens bound to a pod", check: issuesTokens },
  { name: "knows whose token it is", check: reviewsTokens },
  { name: "says what a caller may do", check: reviewsAccess },
  { name: "follows the runtime classes", check: followsRuntimeClasses },
  { name: "is healthy and knows the time", check: isHealthy },
];

async function tellsPods({ cluster, signal, name }: Case): Promise<void> {
  const there = await cluster.pods.create(aPod(name, "there"), signal);
  const news = iterate(cluster.pods.watch(name, signal));
  const first = await news.next();
  assert.equal(first.kind, "listed");
  assert.deepEqual(first.kind === "listed" && first.pods.map(nameOf), [
    nameOf(there),
  ]);
  const added = await cluster.pods.create(aPod(name, "new"), signal);
  await news.until((each) =>
    each.kind === "changed" && nameOf(each.pod) === nameOf(added)
  );
  await cluster.pods.patchStatus(
    refOf(added),
    { phase: "Running" },
    signal,
  );
  await news.until((each) =>
    each.kind === "changed" && each.pod.status?.phase === "Running"
  );
  await cluster.pods.remove(refOf(there), signal);
  await news.until((each) =>
    each.kind === "deleted" && nameOf(each.pod) === nameOf(there)
  );
  await cluster.pods.remove(refOf(added), signal);
  await news.close();
}

async function createsOnce({ cluster, signal, name }: Case): Promise<void> {
  const where = { namespace: "default", name: `${name}-a` };
  assert.equal(await cluster.pods.get(where, signal), undefined);
  const made = await cluster.pods.create(aPod(name, "a"), signal);
  assert.ok(made.metadata?.uid);
  const again = cluster.pods.create(aPod(name, "a"), signal);
  await failure(again, "already-so");
  const found = await cluster.pods.get(where, signal);
  assert.equal(found?.metadata?.uid, made.metadata.uid);
  await cluster.pods.remove(refOf(made), signal);
}

async function merges(
  { cluster, harness, signal, name }: Case,
): Promise<void> {
  const ref = refOf(await cluster.pods.create(aPod(name, "a"), signal));
  await harness.condition(ref, "example.com/Gate");
  for (const ip of ["10.1.2.3", "10.1.2.4"]) {
    await cluster.pods.patchStatus(ref, {
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: NOW }],
    }, signal);
  }
  const status = (await cluster.pods.get(ref, signal))?.status;
  assert.equal(status?.phase, "Running");
  assert.deepEqual(status?.podIPs, [{ ip: "10.1.2.4" }]);
  const types = status?.conditions?.map(({ type }) => type) ?? [];
  assert.ok(types.includes("Ready") && types.includes("example.com/Gate"));
  await cluster.pods.remove(ref, signal);
}

/** Null is what a strategic merge patch says of a field that is gone. */
async function takesAway(
  { cluster, harness, signal, name }: Case,
): Promise<void> {
  const ref = refOf(await cluster.pods.create(aPod(name, "a"), signal));
  await harness.condition(ref, "example.com/Gate");
  const own = { lastTransitionTime: NOW, status: "True" } as const;
  const stored = await cluster.pods.patchStatus(ref, {
    reason: "Evicted",
    message: "too much",
    podIP: "10.1.2.3",
    podIPs: [{ ip: "10.1.2.3" }],
    resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2" } },
    conditions: [
      { ...own, type: "Ready", reason: "Because", message: "of it" },
      { ...own, type: "Initialized", reason: "Stays" },
    ],
  }, signal);
  assert.equal(stored.status?.reason, "Evicted");
  const { status } = await cluster.pods.patchStatus(ref, {
    reason: null,
    message: null,
    podIP: null,
    podIPs: null,
    resources: { requests: { cpu: null, memory: "2Gi" }, limits: null },
    conditions: [{ ...own, type: "Ready", reason: null, message: null }],
    conditionsGone: ["ContainersReady"],
  }, signal);
  const { conditions = [], ...rest } = status ?? {};
  for (const key of ["reason", "message", "podIP", "podIPs"]) {
    assert.ok(!Object.hasOwn(rest, key), key);
  }
  const resources = { ...status }["resources"];
  assert.deepEqual(resources, { requests: { memory: "2Gi" } });
  const reasons = conditions.map(({ type, reason, message }) =>
    [type, reason, message] as const
  ).sort();
  assert.deepEqual(reasons, [
    ["Initialized", "Stays", undefined],
    ["Ready", undefined, undefined],
    ["example.com/Gate", undefined, undefined],
  ]);
  const last = await cluster.pods.patchStatus(ref, {
    conditionsGone: ["Ready"],
  }, signal);
  const types = last.status?.conditions?.map(({ type }) => type).sort();
  assert.deepEqual(types, ["Initialized", "example.com/Gate"]);
  await cluster.pods.remove(ref, signal);
}

async function refusesOther({ cluster, signal, name }: Case): Promise<void> {
  const ref = refOf(await cluster.pods.create(aPod(name, "a"), signal));
  const other = { ...ref, uid: podUid("11111111-0000-4000-8000-000000000000") };
  const status = { phase: "Failed" } as const;
  await failure(cluster.pods.patchStatus(other, status, signal), "give-up");
  const found = await cluster.pods.get(ref, signal);
  assert.notEqual(found?.status?.phase, "Failed");
  await cluster.pods.remove(ref, signal);
  await failure(cluster.pods.patchStatus(ref, status, signal), "give-up");
}

async function removes({ cluster, signal, name }: Case): Promise<void> {
  const ref = refOf(await cluster.pods.create(aPod(name, "a"), signal));
  const other = { ...ref, uid: podUid("11111111-0000-4000-8000-000000000000") };
  await failure(cluster.pods.remove(other, signal), "already-so");
  assert.ok(await cluster.pods.get(ref, signal));
  await cluster.pods.remove(ref, signal);
  assert.equal(await cluster.pods.get(ref, signal), undefined);
  await failure(cluster.pods.remove(ref, signal), "already-so");
}

async function aborts({ cluster, name }: Case): Promise<void> {
  const reason = new DOMException("Enough", "AbortError");
  const before = cluster.nodes.get(name, AbortSignal.abort(reason));
  await assert.rejects(before, (error) => error === reason);
  const controller = new AbortController();
  const news = cluster.pods.watch(name, controller.signal)
    [Symbol.asyncIterator]();
  assert.equal((await news.next()).value.kind, "listed");
  const waiting = news.next();
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
}

async function registers(
  { cluster, harness, signal, name }: Case,
): Promise<void> {
  const seen = iterate(cluster.nodes.watch(name, signal));
  assert.equal((await seen.next()).node, undefined);
  assert.equal(await cluster.nodes.get(name, signal), undefined);
  const node = { apiVersion: "v1", kind: "Node", metadata: { name } };
  await cluster.nodes.create(node, signal);
  await failure(cluster.nodes.create(node, signal), "already-so");
  const condition = { type: "Ready", status: "True", reason: "KubeletReady" };
  await cluster.nodes.patchStatus(
    name,
    { status: { conditions: [condition] } },
    signal,
  );
  await seen.until(({ node }) =>
    JSON.stringify(node?.status ?? {}).includes("KubeletReady")
  );
  await harness.removeNode(name);
  await seen.until(({ node }) => node === undefined);
  await seen.close();
}

async function renews({ cluster, signal, name }: Case): Promise<void> {
  assert.equal(await cluster.nodes.getLease(name, signal), undefined);
  const made = await cluster.nodes.createLease({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease" },
    spec: { holderIdentity: name, leaseDurationSeconds: 40 },
  }, signal);
  const next = { ...made, spec: { ...Object(made.spec), holderIdentity: "b" } };
  const renewed = await cluster.nodes.updateLease(next, signal);
  assert.equal(Object(renewed.spec).holderIdentity, "b");
  await failure(cluster.nodes.updateLease(next, signal), "retry");
}

async function records({ cluster, signal, name }: Case): Promise<void> {
  const event: ApiObject = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace: "default" },
    involvedObject: { kind: "Node", name, namespace: "" },
    reason: "Tested",
    type: "Normal",
    count: 1,
  };
  await cluster.events.create(event, signal);
  const where = { namespace: "default", name };
  const counted = await cluster.events.patch(where, { count: 2 }, signal);
  assert.equal(counted.count, 2);
}

async function asks({ cluster, harness, signal, name }: Case): Promise<void> {
  const pem = await harness.request(name);
  const request = { name, pem, signerName: SIGNER, usages: USAGES };
  const made = await cluster.certificates.create(request, signal);
  assert.deepEqual(stateOf(made), ["open", undefined]);
  const again = await cluster.certificates.create(request, signal);
  assert.equal(again.name, name);
  const other = { ...request, signerName: "example.com/other" };
  await failure(cluster.certificates.create(other, signal), "give-up");
  const states = iterate(cluster.certificates.watch(name, signal));
  assert.equal((await states.next())?.name, name);
  await harness.approve(name);
  const issued = await states.until((each) => each?.certificate !== undefined);
  assert.equal(issued?.isApproved, true);
  assert.match(issued?.certificate ?? "", /BEGIN CERTIFICATE/);
  await states.close();
}

/** What is heard of a request that nobody signs. */
async function unanswered({ cluster, harness, signal, name }: Case) {
  const pem = await harness.request(name);
  const request = { name, pem, signerName: NOBODY, usages: USAGES };
  await cluster.certificates.create(request, signal);
  return iterate(cluster.certificates.watch(name, signal));
}

async function hearsDenial(at: Case): Promise<void> {
  const states = await unanswered(at);
  await at.harness.deny(at.name);
  const denied = await states.until((each) => each?.refusal !== undefined);
  assert.match(denied?.refusal ?? "", /Denied/);
  await states.close();
}

async function hearsRemoval(at: Case): Promise<void> {
  const states = await unanswered(at);
  assert.ok(await states.next());
  await at.harness.removeRequest(at.name);
  await states.until((each) => each === undefined);
  await states.close();
}

async function isHealthy({ cluster, signal }: Case): Promise<void> {
  assert.equal(await cluster.isHealthy(signal), true);
  const serverMs = cluster.serverTimeMs();
  assert.ok(serverMs !== undefined);
  assert.ok(Math.abs(serverMs - Date.now()) < 5000);
}

function stateOf(state: CsrState): readonly [string, string | undefined] {
  return [state.isApproved ? "approved" : "open", state.refusal];
}
