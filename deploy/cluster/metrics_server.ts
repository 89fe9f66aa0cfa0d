/**
 * metrics-server beside a world's control plane, as a process of its own: it
 * checks the certificates of nodes, and the API server checks its own. What
 * `kubectl top` and horizontal autoscalers ask.
 */
import { issue } from "./certificates.ts";
import { type ClusterFacts, clusterFacts } from "./facts.ts";
import { endProgram, startProgram, untilReady } from "./process.ts";
import { findProgram, needPrograms } from "./programs.ts";
import { writeUserKubeconfig } from "./pki.ts";
import { apply, ask, get } from "./request.ts";
import type { WorldFacts } from "../world/facts.ts";

const USER = "system:metrics-server";
const NAMESPACE = "kube-system";
const NAME = "metrics-server";
const GROUP = "metrics.k8s.io";
const SERVED = `v1beta1.${GROUP}`;

const root = (cluster: ClusterFacts) => `${cluster.root}/${NAME}`;
const kubeconfig = (cluster: ClusterFacts) =>
  `${root(cluster)}/metrics-server.kubeconfig`;
const mark = (cluster: ClusterFacts) => `--kubeconfig=${kubeconfig(cluster)}`;

/** Starts it unless it runs, and waits until the API server passes on to it. */
export async function startMetricsServer(world: WorldFacts): Promise<number> {
  const cluster = clusterFacts(world);
  await needPrograms("metrics");
  await Deno.mkdir(root(cluster), { recursive: true, mode: 0o700 });
  await writeUserKubeconfig(cluster, kubeconfig(cluster), { commonName: USER });
  await writePair(cluster);
  for (const [plural, object] of await objects(cluster)) {
    await apply(cluster, plural, object);
  }
  const log = `${root(cluster)}/log`;
  const pid = await startProgram({
    path: await findProgram(NAME),
    args: flags(cluster),
    mark: mark(cluster),
    log,
  });
  const known = { mark: mark(cluster), log };
  await untilReady(known, pid, async () => {
    const answer = await ask(cluster, `/apis/${GROUP}/v1beta1/nodes`);
    return answer.status === 200;
  });
  return pid;
}

export async function stopMetricsServer(world: WorldFacts): Promise<void> {
  const cluster = clusterFacts(world);
  await endProgram(mark(cluster), "kill");
}

/** Else the namespace controller waits for an API that is not there. */
export async function forgetMetricsServer(world: WorldFacts): Promise<void> {
  await stopMetricsServer(world);
  const path = `/apis/apiregistration.k8s.io/v1/apiservices/${SERVED}`;
  await get(clusterFacts(world), path, { method: "DELETE" });
}

function flags(cluster: ClusterFacts): string[] {
  return [
    mark(cluster),
    `--authentication-kubeconfig=${kubeconfig(cluster)}`,
    `--authorization-kubeconfig=${kubeconfig(cluster)}`,
    `--bind-address=${cluster.nodeIp}`,
    `--secure-port=${cluster.ports.metricsServer}`,
    `--tls-cert-file=${root(cluster)}/server.crt`,
    `--tls-private-key-file=${root(cluster)}/server.key`,
    `--kubelet-certificate-authority=${cluster.ca.certificate}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--kubelet-use-node-status-port",
    // The shortest that it takes.
    "--metric-resolution=10s",
    "--kubelet-request-timeout=5s",
  ];
}

async function writePair(cluster: ClusterFacts): Promise<void> {
  const ca = {
    certificate: await Deno.readTextFile(cluster.ca.certificate),
    key: await Deno.readTextFile(cluster.ca.key),
  };
  const { certificate, key } = await issue(ca, {
    commonName: NAME,
    use: "server",
    hosts: [`${NAME}.${NAMESPACE}.svc`, cluster.nodeIp],
  });
  const write = (name: string, text: string) =>
    Deno.writeTextFile(`${root(cluster)}/${name}`, text, { mode: 0o600 });
  await write("server.crt", certificate);
  await write("server.key", key);
}

type Applied = readonly [string, Parameters<typeof apply>[2]];

/** As its own manifests have them, but for a user instead of an account. */
async function objects(cluster: ClusterFacts): Promise<Applied[]> {
  const caBundle = btoa(await Deno.readTextFile(cluster.ca.certificate));
  const metadata = { name: NAME, namespace: NAMESPACE };
  const labels = { "kubernetes.io/service-name": NAME };
  const ofService = { ...metadata, labels };
  const port = cluster.ports.metricsServer;
  return [
    ...roles(),
    ["services", {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { ports: [{ name: "https", port: 443, targetPort: port }] },
    }],
    ["endpointslices", {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: ofService,
      addressType: "IPv4",
      ports: [{ name: "https", port, protocol: "TCP" }],
      endpoints: [{ addresses: [cluster.nodeIp], conditions: { ready: true } }],
    }],
    ["apiservices", {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: SERVED },
      spec: {
        service: { name: NAME, namespace: NAMESPACE, port: 443 },
        group: GROUP,
        version: "v1beta1",
        caBundle,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    }],
  ];
}

function roles(): Applied[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const rule = (resources: readonly string[], verbs: readonly string[]) => ({
    apiGroups: [""],
    resources,
    verbs,
  });
  return [
    ["clusterroles", {
      apiVersion,
      kind: "ClusterRole",
      metadata: { name: USER },
      rules: [
        rule(["nodes/metrics"], ["get"]),
        rule(["pods", "nodes"], ["get", "list", "watch"]),
      ],
    }],
    binding("ClusterRoleBinding", USER, ["ClusterRole", USER]),
    binding("ClusterRoleBinding", `${NAME}:auth-delegator`, [
      "ClusterRole",
      "system:auth-delegator",
    ]),
    binding("RoleBinding", `${NAME}-auth-reader`, [
      "Role",
      "extension-apiserver-authentication-reader",
    ]),
  ];
}

function binding(
  kind: "ClusterRoleBinding" | "RoleBinding",
  name: string,
  [role, roleName]: readonly [string, string],
): Applied {
  const apiGroup = "rbac.authorization.k8s.io";
  const namespace = kind === "RoleBinding" ? { namespace: NAMESPACE } : {};
  return [`${kind.toLowerCase()}s`, {
    apiVersion: `${apiGroup}/v1`,
    kind,
    metadata: { name, ...namespace },
    roleRef: { apiGroup, kind: role, name: roleName },
    subjects: [{ apiGroup, kind: "User", name: USER }],
  }];
}
