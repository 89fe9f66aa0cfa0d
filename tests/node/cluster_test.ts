/**
 * The scratch control plane keeps what it promises to tests: real authorizers,
 * counted requests, parts that stop and start, nothing left behind. The last
 * test has the real kubelet join it. Needs root and minutes for the first
 * build; DENOLET_CONTROL_PLANE=skip says no.
 */
import assert from "node:assert/strict";
import { countRequests } from "../../deploy/cluster/audit.ts";
import { DEFAULT_OPTIONS, PARTS } from "../../deploy/cluster/facts.ts";
import { flagsOf } from "../../deploy/cluster/flags.ts";
import { isThere } from "../../deploy/cluster/request.ts";
import {
  ask,
  auditCounts,
  CLIENT_SIGNER,
  clusterDown,
  type ClusterFacts,
  clusterFacts,
  clusterPids,
  clusterUp,
  get,
  kubectl,
  makeRequest,
  needPrograms,
  SERVING_SIGNER,
  startApiServer,
  startKubelet,
  stopApiServer,
  writeUserKubeconfig,
} from "../../deploy/cluster.ts";
import { down, up, worldFacts } from "../../deploy/world.ts";
import { until } from "../../deploy/world/command.ts";
import { findTools } from "../../deploy/world/containerd.ts";
import { processes } from "../../deploy/world/processes.ts";

const CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

const world = worldFacts("test-cluster");
const peer = worldFacts("test-peer");

/** Why the tests on a real cluster cannot be tried; says so loudly. */
async function obstacle(): Promise<string | undefined> {
  try {
    if (Deno.uid() !== 0) throw new Error("it takes root");
    await needPrograms("all");
    await findTools();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(`SKIPPED: no cluster is brought up, because ${reason}`);
    return reason;
  }
}
const ignore = await obstacle() !== undefined;

Deno.test("clusterFacts() gives each usual world ports of its own", () => {
  const names = ["quickstart", "test", "dev", "bench", world.name, peer.name];
  const ports = names.flatMap((name) =>
    Object.values(clusterFacts(worldFacts(name)).ports)
  );
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(ports.every((port) => port > 11_000 - 1 && port < 20_000));
});

Deno.test("flagsOf() names no file outside of the world", () => {
  const cluster = clusterFacts(world);
  for (const part of PARTS) {
    const outside = flagsOf(part, cluster, DEFAULT_OPTIONS)
      .filter((flag) =>
        /=\//.test(flag) && !flag.includes(`=${cluster.root}/`)
      );
    assert.deepEqual(outside, []);
  }
});

Deno.test("countRequests() counts a watch once, and one user's only", () => {
  const line = (id: string, rest: object) =>
    JSON.stringify({
      auditID: id,
      verb: "get",
      requestURI: "/api/v1/x?limit=1",
      requestReceivedTimestamp: "2026-01-01T00:00:10.000000Z",
      user: { username: "a" },
      ...rest,
    });
  const log = [
    line("1", { objectRef: { resource: "pods", subresource: "status" } }),
    line("2", { verb: "watch", objectRef: { resource: "pods" } }),
    line("2", { verb: "watch", objectRef: { resource: "pods" } }),
    line("3", { user: { username: "b" } }),
    line("4", { requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z" }),
    line("5", {}),
    '{"half',
  ].join("\n");
  const sinceMs = Date.parse("2026-01-01T00:00:05Z");
  assert.deepEqual(
    [...countRequests(log, sinceMs, "a")],
    [["get pods/status", 1], ["watch pods", 1], ["get /api/v1/x", 1]],
  );
});

Deno.test({
  name: "clusterUp() brings up a cluster with real authorizers",
  ignore,
  async fn(t) {
    await clusterDown(world);
    try {
      const cluster = await clusterUp(world, {
        approve: ["first", "renewal", "serving"],
      });
      await t.step("ready, and without a node", async () => {
        assert.ok(await isThere(cluster, "/readyz"));
        assert.equal(await kubectl(world, ["get", "nodes", "-o", "name"]), "");
      });
      await t.step(
        "a bootstrap token gets a certificate, and no more",
        () => tryBootstrapToken(cluster),
      );
      await t.step(
        "a node sees no secret that is not its pods'",
        () => tryNode(cluster),
      );
      await t.step("the audit log has what the node asked", async () => {
        const counts = await auditCounts(world, 0, "system:node:made-up");
        assert.equal(counts.get("get secrets"), 1);
        assert.equal(counts.get("list secrets"), 1);
        assert.equal(counts.get("create nodes"), 2);
      });
      await t.step(
        "serving certificates are approved on demand",
        () => tryServing(cluster),
      );
      await t.step(
        "the API server stops and starts alone",
        () => tryApiServer(cluster),
      );
      await t.step("a second run changes nothing", async () => {
        const pids = await clusterPids(world);
        await clusterUp(world);
        assert.deepEqual(await clusterPids(world), pids);
      });
    } finally {
      await clusterDown(world);
    }
    assert.deepEqual(await leftOf(clusterFacts(world)), []);
  },
});

async function tryBootstrapToken(cluster: ClusterFacts): Promise<void> {
  const kubeconfig = cluster.bootstrapKubeconfig;
  const secrets = await ask(cluster, "/api/v1/secrets", { kubeconfig });
  assert.equal(secrets.status, 403, secrets.text);
  const pods = await ask(cluster, "/api/v1/pods", { kubeconfig });
  assert.equal(pods.status, 403, pods.text);
  await requestCertificate(cluster, "first", {
    kubeconfig,
    signer: CLIENT_SIGNER,
    usages: ["digital signature", "client auth"],
  });
}

async function tryServing(cluster: ClusterFacts): Promise<void> {
  await requestCertificate(cluster, "serving", {
    kubeconfig: nodeKubeconfig(cluster),
    signer: SERVING_SIGNER,
    usages: ["digital signature", "server auth"],
    hosts: [cluster.nodeIp],
  });
}

/** Asks for a certificate of node `made-up` and waits until it is there. */
async function requestCertificate(
  cluster: ClusterFacts,
  name: string,
  wish: {
    readonly kubeconfig: string;
    readonly signer: string;
    readonly usages: readonly string[];
    readonly hosts?: readonly string[];
  },
): Promise<void> {
  const { request } = await makeRequest({
    commonName: "system:node:made-up",
    organization: "system:nodes",
    hosts: wish.hosts ?? [],
  });
  const { status, text } = await ask(cluster, CSRS, {
    method: "POST",
    kubeconfig: wish.kubeconfig,
    body: {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name },
      spec: {
        request: btoa(request),
        signerName: wish.signer,
        usages: wish.usages,
      },
    },
  });
  assert.equal(status, 201, text);
  await until(`the certificate of ${name}`, async () => {
    const made = await get<{ status: { certificate?: string } }>(
      cluster,
      `${CSRS}/${name}`,
    );
    return made.status.certificate !== undefined;
  });
}

function nodeKubeconfig(cluster: ClusterFacts): string {
  return `${cluster.root}/made-up.kubeconfig`;
}

async function tryNode(cluster: ClusterFacts): Promise<void> {
  const kubeconfig = nodeKubeconfig(cluster);
  await writeUserKubeconfig(cluster, kubeconfig, {
    commonName: "system:node:made-up",
    organization: "system:nodes",
  });
  const secrets = "/api/v1/namespaces/default/secrets";
  await get(cluster, secrets, {
    method: "POST",
    body: { metadata: { name: "others" }, stringData: { a: "b" } },
  });
  const one = await ask(cluster, `${secrets}/others`, { kubeconfig });
  assert.equal(one.status, 403, one.text);
  assert.match(one.text, /no relationship found between node 'made-up'/);
  const all = await ask(cluster, secrets, { kubeconfig });
  assert.equal(all.status, 403, all.text);
  for (const [name, status] of [["made-up", 201], ["another", 403]] as const) {
    const node = await ask(cluster, "/api/v1/nodes", {
      method: "POST",
      kubeconfig,
      body: { apiVersion: "v1", kind: "Node", metadata: { name } },
    });
    assert.equal(node.status, status, node.text);
  }
}

async function tryApiServer(cluster: ClusterFacts): Promise<void> {
  await stopApiServer(world);
  assert.equal(await isThere(cluster, "/readyz"), false);
  assert.equal((await clusterPids(world))["kube-apiserver"], undefined);
  await startApiServer(world);
  const nodes = await kubectl(world, ["get", "nodes", "-o", "name"]);
  assert.equal(nodes, "node/made-up\n");
}

Deno.test({
  name: "startKubelet() joins the real kubelet, which runs a pod",
  ignore,
  async fn(t) {
    await clusterDown(peer);
    await down(peer.name);
    try {
      const [cluster] = await Promise.all([clusterUp(peer), up(peer.name)]);
      const { nodeName } = await startKubelet(peer);
      await t.step("its node is Ready", async () => {
        const nodes = await kubectl(peer, ["get", "nodes", "--no-headers"]);
        assert.match(nodes, new RegExp(`^${nodeName} +Ready +.*v1\\.36`));
      });
      await t.step(
        "a pod runs, speaks and goes",
        () => tryPod(cluster, nodeName),
      );
      await t.step("its requests are counted", async () => {
        const counts = await auditCounts(peer, 0, `system:node:${nodeName}`);
        assert.ok((counts.get("patch pods/status") ?? 0) > 0);
      });
    } finally {
      await clusterDown(peer);
      await down(peer.name);
    }
    assert.deepEqual(await leftOf(clusterFacts(peer)), []);
    assert.deepEqual(await logLinks(), []);
  },
});

async function tryPod(cluster: ClusterFacts, nodeName: string): Promise<void> {
  const pods = "/api/v1/namespaces/default/pods";
  await get(cluster, pods, {
    method: "POST",
    body: {
      metadata: { name: "hello" },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 1,
        containers: [{
          name: "app",
          image: peer.images.busybox,
          imagePullPolicy: "IfNotPresent",
          command: ["sh", "-c", "echo hello; sleep 1000"],
        }],
      },
    },
  });
  await kubectl(peer, [
    ...["wait", "pod/hello", "--for=condition=Ready", "--timeout=60s"],
  ]);
  assert.equal(await kubectl(peer, ["logs", "hello"]), "hello\n");
  await kubectl(peer, ["delete", "pod", "hello", "--timeout=60s"]);
  assert.equal(await isThere(cluster, `${pods}/hello`), false);
}

/** Processes and files of a cluster. */
async function leftOf(cluster: ClusterFacts): Promise<string[]> {
  const found = (await processes())
    .filter(({ args }) => args.some((each) => each.includes(cluster.root)))
    .map(({ args }) => args.join(" "));
  const folders = [cluster.root, `/sys/class/net/${cluster.world.bridge}`];
  for (const path of folders) {
    const info = await Deno.lstat(path).catch(() => undefined);
    if (info !== undefined) found.push(path);
  }
  return found;
}

async function logLinks(): Promise<string[]> {
  const found: string[] = [];
  const folder = "/var/log/containers";
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name } of entries) {
    const target = await Deno.readLink(`${folder}/${name}`);
    if (target.startsWith(`${peer.root}/`)) found.push(name);
  }
  return found;
}
