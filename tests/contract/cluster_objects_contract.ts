/** What every `ClusterObjects` promises; part of the cluster's contract. */
import assert from "node:assert/strict";
import { podUid } from "../../lib/api/id.ts";
import type { ApiObject, Cluster } from "../../lib/port/cluster.ts";
import { iterate } from "./cluster_iterate.ts";
import { failure } from "./harness.ts";

export interface ObjectsCase {
  readonly cluster: Cluster;
  readonly harness: {
    /** Stores an object of the default namespace past the port. */
    place(
      kind:
        | "Secret"
        | "ConfigMap"
        | "ServiceAccount"
        | "Service"
        | "PersistentVolumeClaim"
        | "PersistentVolume",
      name: string,
      content?: ApiObject,
    ): Promise<void>;
    /** Gives a placed object of the default namespace other content. */
    change(
      kind: "Secret" | "ConfigMap",
      name: string,
      content: ApiObject,
    ): Promise<void>;
    /** Removes a placed object. */
    take(
      kind: "Secret" | "ConfigMap" | "Service",
      name: string,
    ): Promise<void>;
  };
  readonly signal: AbortSignal;
  readonly name: string;
}

const NAMESPACE = "default";

export async function getsObjects(
  { cluster: { objects }, harness, signal, name }: ObjectsCase,
): Promise<void> {
  const ref = { namespace: NAMESPACE, name };
  assert.equal(await objects.secret(ref, signal), undefined);
  assert.equal(await objects.configMap(ref, signal), undefined);
  await harness.place("Secret", name, { data: { key: btoa("hidden") } });
  await harness.place("ConfigMap", name, {
    data: { key: "open", ["__proto__"]: "plain" },
    binaryData: { raw: "/wA=" },
  });
  const secret = await objects.secret(ref, signal);
  assert.deepEqual(secret?.data, { key: btoa("hidden") });
  const map = await objects.configMap(ref, signal);
  assert.deepEqual(Object.entries(Object(map?.data)).sort(), [
    ["__proto__", "plain"],
    ["key", "open"],
  ]);
  assert.deepEqual(map?.binaryData, { raw: "/wA=" });
}

export async function getsClaims(
  { cluster: { objects }, harness, signal, name }: ObjectsCase,
): Promise<void> {
  const ref = { namespace: NAMESPACE, name };
  assert.equal(await objects.claim(ref, signal), undefined);
  assert.equal(await objects.persistentVolume(name, signal), undefined);
  const common = {
    accessModes: ["ReadWriteOnce"],
    storageClassName: "none",
  };
  await harness.place("PersistentVolume", name, {
    spec: {
      ...common,
      capacity: { storage: "1Mi" },
      hostPath: { path: "/tmp/none" },
    },
  });
  await harness.place("PersistentVolumeClaim", name, {
    spec: { ...common, resources: { requests: { storage: "1Mi" } } },
  });
  const claim = await objects.claim(ref, signal);
  assert.equal(claim?.metadata?.name, name);
  assert.deepEqual(claim?.spec?.accessModes, ["ReadWriteOnce"]);
  const volume = await objects.persistentVolume(name, signal);
  assert.equal(volume?.spec?.hostPath?.path, "/tmp/none");
}

export async function followsObjects(
  { cluster: { objects }, harness, signal, name }: ObjectsCase,
): Promise<void> {
  const ref = { namespace: NAMESPACE, name };
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const news = iterate(objects.watch("configmap", ref, both));
  const others = iterate(objects.watch("secret", ref, both));
  const is = async (from: typeof news) => {
    const found = await from.until(({ kind }) => kind === "is");
    return found.kind === "is" ? Object(found.object).data : undefined;
  };
  assert.equal(await is(news), undefined);
  await harness.place("ConfigMap", name, { data: { a: "1" } });
  assert.deepEqual(await is(news), { a: "1" });
  // Of another name: nobody hears of it here.
  await harness.place("ConfigMap", `${name}-other`, { data: { a: "no" } });
  await harness.change("ConfigMap", name, { data: { a: "2" } });
  assert.deepEqual(await is(news), { a: "2" });
  await harness.take("ConfigMap", name);
  assert.equal(await is(news), undefined);
  assert.equal(await is(others), undefined);
  await harness.place("Secret", name, { data: { k: btoa("x") } });
  assert.deepEqual(await is(others), { k: btoa("x") });
  stop.abort(new DOMException("Enough", "AbortError"));
  await assert.rejects(news.next(), { message: "Enough" });
}

/** Of a node with many pods; more than one connection may carry. */
export async function followsMany(
  { cluster: { objects }, harness, signal, name }: ObjectsCase,
): Promise<void> {
  await harness.place("ConfigMap", name, { data: { a: "1" } });
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const watches = Array.from({ length: 120 }, () =>
    iterate(
      objects.watch("configmap", { namespace: NAMESPACE, name }, both),
    ));
  const next = async () => {
    const all = await Promise.all(watches.map((each) => each.next()));
    return new Set(
      all.map((news) => news.kind === "is" && Object(news.object).data.a),
    );
  };
  assert.deepEqual(await next(), new Set(["1"]));
  await harness.change("ConfigMap", name, { data: { a: "2" } });
  assert.deepEqual(await next(), new Set(["2"]));
  stop.abort(new DOMException("Enough", "AbortError"));
  for (const each of watches) await assert.rejects(each.next());
}

export async function followsServices(
  { cluster: { objects }, harness, signal, name }: ObjectsCase,
): Promise<void> {
  const spec = { ports: [{ port: 80 }], clusterIP: "None" };
  await harness.place("Service", name, { spec });
  const news = iterate(objects.watchServices(signal));
  const first = await news.next();
  assert.ok(first.kind === "listed");
  assert.ok(first.services.some((each) => nameOf(each) === name));
  await harness.place("Service", `${name}-b`, { spec });
  const made = await news.until((each) =>
    each.kind === "changed" && nameOf(each.service) === `${name}-b`
  );
  assert.deepEqual(
    made.kind === "changed" && Object(made.service.spec).ports[0].port,
    80,
  );
  await harness.take("Service", `${name}-b`);
  await news.until((each) =>
    each.kind === "deleted" && nameOf(each.service) === `${name}-b`
  );
  await news.close();
}

function nameOf(object: ApiObject): string {
  return Object(object.metadata).name;
}

/** A pod with an account of its own, and the question for its token. */
export async function podWithAccount(
  { cluster, harness, signal, name }: ObjectsCase,
) {
  await harness.place("ServiceAccount", name);
  const made = await cluster.pods.create({
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: name,
      serviceAccountName: name,
      containers: [{ name: "only", image: "none" }],
    },
  }, signal);
  const uid = podUid(made.metadata?.uid ?? "");
  return {
    namespace: NAMESPACE,
    serviceAccount: name,
    expirationSeconds: 3600,
    pod: { name, uid },
  };
}

export async function issuesTokens(at: ObjectsCase): Promise<void> {
  const { cluster, signal, name } = at;
  const ask = await podWithAccount(at);
  const { uid } = ask.pod;
  const issued = await cluster.objects.createToken(ask, signal);
  const claims = claimsOf(issued.token);
  const bound = Object(claims["kubernetes.io"]);
  assert.deepEqual(bound.pod, { name, uid });
  assert.equal(bound.serviceaccount.name, name);
  const leftMs = issued.expiresAtMs - Date.now();
  assert.ok(Math.abs(leftMs - 3_600_000) < 60_000, `${leftMs} ms are left`);
  const audience = { ...ask, audience: "vault" };
  const other = await cluster.objects.createToken(audience, signal);
  assert.deepEqual(claimsOf(other.token).aud, ["vault"]);
  const stale = { ...ask, pod: { name, uid: podUid("1-2-3") } };
  await failure(cluster.objects.createToken(stale, signal), "give-up");
  const nobody = { ...ask, serviceAccount: `${name}-not` };
  await failure(cluster.objects.createToken(nobody, signal), "give-up");
  await cluster.pods.remove({ namespace: NAMESPACE, name, uid }, signal);
}

function claimsOf(token: string): Record<string, unknown> {
  const bytes = Uint8Array.fromBase64(token.split(".")[1] ?? "", {
    alphabet: "base64url",
  });
  return JSON.parse(new TextDecoder().decode(bytes));
}
