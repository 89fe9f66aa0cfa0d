/** What every `ClusterObjects` promises; part of the cluster's contract. */
import assert from "node:assert/strict";
import { podUid } from "../../lib/api/id.ts";
import type { ApiObject, Cluster } from "../../lib/port/cluster.ts";
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
        | "PersistentVolumeClaim"
        | "PersistentVolume",
      name: string,
      content?: ApiObject,
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

export async function issuesTokens(
  { cluster, harness, signal, name }: ObjectsCase,
): Promise<void> {
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
  const ask = {
    namespace: NAMESPACE,
    serviceAccount: name,
    expirationSeconds: 3600,
    pod: { name, uid },
  };
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
