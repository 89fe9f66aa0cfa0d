/**
 * How each part of the control plane is told what to do. Pure. The settings
 * are those of a kubeadm cluster: Node authorizer, RBAC and NodeRestriction
 * are on, everything speaks TLS with client certificates.
 */
import {
  type ClusterFacts,
  type ClusterOptions,
  kubeconfigOf,
  type Part,
} from "./facts.ts";

export function flagsOf(
  part: Part,
  cluster: ClusterFacts,
  options: ClusterOptions,
): string[] {
  return [...FLAGS[part](cluster, options), ...(options.flags[part] ?? [])];
}

/** One argument that no other process on the machine has. */
export function markOf(part: Part, cluster: ClusterFacts): string {
  const marks = {
    "etcd": `--data-dir=${cluster.root}/etcd`,
    "kube-apiserver": `--audit-log-path=${cluster.auditLog}`,
    "kube-controller-manager": `--kubeconfig=${
      kubeconfigOf(cluster, "kube-controller-manager")
    }`,
    "kube-scheduler": `--kubeconfig=${kubeconfigOf(cluster, "kube-scheduler")}`,
  };
  return marks[part];
}

const FLAGS: Record<
  Part,
  (cluster: ClusterFacts, options: ClusterOptions) => string[]
> = {
  "etcd": etcd,
  "kube-apiserver": apiServer,
  "kube-controller-manager": controllerManager,
  "kube-scheduler": scheduler,
};

function etcd(cluster: ClusterFacts): string[] {
  const { ports, pki } = cluster;
  const client = `https://127.0.0.1:${ports.etcd}`;
  const peer = `https://127.0.0.1:${ports.etcdPeer}`;
  return [
    markOf("etcd", cluster),
    "--name=only",
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=only=${peer}`,
    `--cert-file=${pki}/etcd.crt`,
    `--key-file=${pki}/etcd.key`,
    `--trusted-ca-file=${pki}/etcd-ca.crt`,
    "--client-cert-auth",
    `--peer-cert-file=${pki}/etcd.crt`,
    `--peer-key-file=${pki}/etcd.key`,
    `--peer-trusted-ca-file=${pki}/etcd-ca.crt`,
    "--peer-client-cert-auth",
    // A scratch cluster does not outlive a power cut.
    "--unsafe-no-fsync",
    // The only member elects itself as soon as it may.
    "--heartbeat-interval=10",
    "--election-timeout=100",
    "--log-level=warn",
  ];
}

function apiServer(cluster: ClusterFacts, options: ClusterOptions): string[] {
  const { ports, pki, root } = cluster;
  return [
    markOf("kube-apiserver", cluster),
    `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
    `--etcd-cafile=${pki}/etcd-ca.crt`,
    `--etcd-certfile=${pki}/etcd-client.crt`,
    `--etcd-keyfile=${pki}/etcd-client.key`,
    `--bind-address=${options.bindAddress}`,
    // Must not be loopback, for the endpoints of the service `kubernetes`.
    `--advertise-address=${cluster.nodeIp}`,
    `--secure-port=${ports.apiServer}`,
    `--service-cluster-ip-range=${cluster.serviceCidr}`,
    `--tls-cert-file=${pki}/apiserver.crt`,
    `--tls-private-key-file=${pki}/apiserver.key`,
    `--cert-dir=${pki}`,
    `--client-ca-file=${cluster.ca.certificate}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--enable-bootstrap-token-auth=true",
    "--allow-privileged=true",
    `--kubelet-client-certificate=${pki}/kube-apiserver-kubelet-client.crt`,
    `--kubelet-client-key=${pki}/kube-apiserver-kubelet-client.key`,
    // Nodes prove who they are, too: an impostor gets no logs and no commands.
    `--kubelet-certificate-authority=${cluster.ca.certificate}`,
    "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
    "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    `--service-account-key-file=${pki}/sa.pub`,
    `--service-account-signing-key-file=${pki}/sa.key`,
    `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
    `--proxy-client-key-file=${pki}/front-proxy-client.key`,
    // There is no kube-proxy: aggregated servers are asked at their endpoints.
    "--enable-aggregator-routing=true",
    `--audit-policy-file=${root}/audit-policy.yaml`,
    // Without it, a polite end waits a minute for watches to go by themselves.
    "--shutdown-watch-termination-grace-period=1s",
    // One file whatever comes, or counts would miss what was rotated away.
    "--audit-log-maxsize=10000",
  ];
}

/** Only what nodes and would-be nodes ask is of interest. */
export const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    {
      level: "Metadata",
      userGroups: ["system:nodes", "system:bootstrappers"],
    },
    { level: "None" },
  ],
};

function controllerManager(cluster: ClusterFacts): string[] {
  const { ports, pki, ca } = cluster;
  return [
    ...delegated(cluster, "kube-controller-manager"),
    `--secure-port=${ports.controllerManager}`,
    "--controllers=*,bootstrapsigner,tokencleaner",
    "--use-service-account-credentials=true",
    `--root-ca-file=${ca.certificate}`,
    `--service-account-private-key-file=${pki}/sa.key`,
    `--cluster-signing-cert-file=${ca.certificate}`,
    `--cluster-signing-key-file=${ca.key}`,
    `--service-cluster-ip-range=${cluster.serviceCidr}`,
  ];
}

function scheduler(cluster: ClusterFacts): string[] {
  return [
    ...delegated(cluster, "kube-scheduler"),
    `--secure-port=${cluster.ports.scheduler}`,
  ];
}

/** What those two have in common: they ask the API server about callers. */
function delegated(cluster: ClusterFacts, part: Part): string[] {
  const kubeconfig = kubeconfigOf(cluster, part);
  return [
    markOf(part, cluster),
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--client-ca-file=${cluster.ca.certificate}`,
    `--requestheader-client-ca-file=${cluster.pki}/front-proxy-ca.crt`,
    `--tls-cert-file=${cluster.pki}/local.crt`,
    `--tls-private-key-file=${cluster.pki}/local.key`,
    "--bind-address=127.0.0.1",
    // There is only one, and an election takes seconds.
    "--leader-elect=false",
    // At the usual 20 a second, the controllers take 5 s for their own tokens.
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
  ];
}
