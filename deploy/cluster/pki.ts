/**
 * The certificates, keys and kubeconfigs of a cluster: who has which, as
 * kubeadm hands them out. Written once; a second run keeps what is there, so
 * that nodes and tests may hold on to it.
 */
import { stringify } from "yaml";
import { readIfThere } from "../world/command.ts";
import {
  issue,
  makeAuthority,
  makeSigningKey,
  type Pair,
  type Wish,
} from "./certificates.ts";
import { type ClusterFacts, kubeconfigOf } from "./facts.ts";

/** The name by which a kubelet's server knows the API server. */
export const KUBELET_CLIENT = "kube-apiserver-kubelet-client";

export async function writePki(cluster: ClusterFacts): Promise<void> {
  const done = `${cluster.pki}/complete`;
  if (await readIfThere(done) !== undefined) return;
  await Deno.mkdir(cluster.pki, { recursive: true, mode: 0o700 });
  const ca = await authority(cluster, "ca", "kubernetes");
  await Promise.all([
    writeServer(cluster, ca),
    writeEtcd(cluster),
    writeFrontProxy(cluster),
    writeServiceAccountKey(cluster),
    writeKubeconfigs(cluster, ca),
  ]);
  await write(done, "");
}

async function writeServer(cluster: ClusterFacts, ca: Pair): Promise<void> {
  await certificate(cluster, "apiserver", ca, {
    commonName: "kube-apiserver",
    use: "server",
    hosts: [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
      "localhost",
      "127.0.0.1",
      // The host, as seen from a virtual machine of qemu's user network.
      "10.0.2.2",
      cluster.nodeIp,
      cluster.serviceIp,
    ],
  });
  await certificate(cluster, KUBELET_CLIENT, ca, {
    commonName: KUBELET_CLIENT,
    use: "client",
  });
  // For the metrics of the two that nobody calls: it saves them the making.
  await certificate(cluster, "local", ca, {
    commonName: "localhost",
    use: "server",
    hosts: ["localhost", "127.0.0.1"],
  });
}

async function writeEtcd(cluster: ClusterFacts): Promise<void> {
  const ca = await authority(cluster, "etcd-ca", "etcd-ca");
  await certificate(cluster, "etcd", ca, {
    commonName: "etcd",
    use: "both",
    hosts: ["localhost", "127.0.0.1"],
  });
  await certificate(cluster, "etcd-client", ca, {
    commonName: "kube-apiserver-etcd-client",
    use: "client",
  });
}

/** What the API server shows to aggregated API servers. */
async function writeFrontProxy(cluster: ClusterFacts): Promise<void> {
  const ca = await authority(cluster, "front-proxy-ca", "front-proxy-ca");
  await certificate(cluster, "front-proxy-client", ca, {
    commonName: "front-proxy-client",
    use: "client",
  });
}

async function writeServiceAccountKey(cluster: ClusterFacts): Promise<void> {
  const { publicKey, key } = await makeSigningKey();
  await write(`${cluster.pki}/sa.pub`, publicKey);
  await write(`${cluster.pki}/sa.key`, key);
}

async function writeKubeconfigs(
  cluster: ClusterFacts,
  ca: Pair,
): Promise<void> {
  const users = [
    {
      path: cluster.adminKubeconfig,
      commonName: "kubernetes-admin",
      organization: "system:masters",
    },
    {
      path: kubeconfigOf(cluster, "kube-controller-manager"),
      commonName: "system:kube-controller-manager",
    },
    {
      path: kubeconfigOf(cluster, "kube-scheduler"),
      commonName: "system:kube-scheduler",
    },
  ];
  for (const { path, ...names } of users) {
    const user = await issue(ca, { ...names, use: "client" });
    await write(path, kubeconfig(cluster, ca.certificate, certified(user)));
  }
  const token = `${hex(3)}.${hex(8)}`;
  await write(`${cluster.pki}/bootstrap-token`, token);
  await write(
    cluster.bootstrapKubeconfig,
    kubeconfig(cluster, ca.certificate, { token }),
  );
}

/** `id.secret`, as in the bootstrap kubeconfig. */
export function readBootstrapToken(cluster: ClusterFacts): Promise<string> {
  return Deno.readTextFile(`${cluster.pki}/bootstrap-token`);
}

/**
 * A kubeconfig for anybody: signed by the cluster's CA here and now, past all
 * asking. For tests that need a certain node, or one with an odd certificate.
 */
export async function writeUserKubeconfig(
  cluster: ClusterFacts,
  path: string,
  wish: Omit<Wish, "use">,
): Promise<void> {
  const ca = {
    certificate: await Deno.readTextFile(cluster.ca.certificate),
    key: await Deno.readTextFile(cluster.ca.key),
  };
  const user = await issue(ca, { ...wish, use: "client" });
  await write(path, kubeconfig(cluster, ca.certificate, certified(user)));
}

async function authority(
  cluster: ClusterFacts,
  file: string,
  commonName: string,
): Promise<Pair> {
  const made = await makeAuthority(commonName);
  await writePair(cluster, file, made);
  return made;
}

async function certificate(
  cluster: ClusterFacts,
  ...[file, ca, wish]: [string, Pair, Wish]
): Promise<void> {
  await writePair(cluster, file, await issue(ca, wish));
}

async function writePair(
  cluster: ClusterFacts,
  file: string,
  made: Pair,
): Promise<void> {
  await write(`${cluster.pki}/${file}.crt`, made.certificate);
  await write(`${cluster.pki}/${file}.key`, made.key);
}

function write(path: string, text: string): Promise<void> {
  return Deno.writeTextFile(path, text, { mode: 0o600 });
}

function certified(user: Pair): Record<string, string> {
  return {
    "client-certificate-data": btoa(user.certificate),
    "client-key-data": btoa(user.key),
  };
}

function kubeconfig(
  cluster: ClusterFacts,
  ca: string,
  user: Record<string, string>,
): string {
  const name = cluster.world.name;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{
      name,
      cluster: {
        server: cluster.server,
        "certificate-authority-data": btoa(ca),
      },
    }],
    users: [{ name: "user", user }],
    contexts: [{ name, context: { cluster: name, user: "user" } }],
    "current-context": name,
  }, { lineWidth: 0 });
}

function hex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
