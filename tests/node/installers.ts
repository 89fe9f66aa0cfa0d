/**
 * What installers leave on a node, below the folder of a world: the flags as
 * their units expand them, and the files that these name. Facts: kubeadm 1.36,
 * nodeadm of EKS, AgentBaker of AKS, kOps, kubespray, cluster/gce.
 */
import type { ClusterFacts } from "../../deploy/cluster/facts.ts";

export interface Place {
  /** Everything an installer writes is below it. */
  readonly root: string;
  readonly cluster: ClusterFacts;
  readonly token: string;
  readonly hostRoot: string;
  readonly runtimeSocket: string;
  readonly cgroupRoot: string;
  readonly healthzPort: number;
  readonly caData: string;
}

export interface Installed {
  /** The words of ExecStart, expanded. */
  readonly words: readonly string[];
  readonly files: ReadonlyMap<string, string>;
  /** A kubeconfig with a client certificate of this subject. */
  readonly certified?: {
    readonly file: string;
    readonly commonName: string;
    readonly organization: string;
  };
  /** Programs it must be allowed to start. */
  readonly programs: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly providerId?: string;
}

export type Installer = (place: Place) => Installed;

/** As systemd splits an unquoted variable. */
function split(line: string): readonly string[] {
  return line.trim().split(/\s+/);
}

function kubeconfig({ cluster, caData }: Place, user: object): string {
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": "default" },
    clusters: [{
      name: "c",
      cluster: {
        server: cluster.server,
        "certificate-authority-data": caData,
      },
    }],
    users: [{ name: "u", user }],
    contexts: [{ name: "default", context: { cluster: "c", user: "u" } }],
  });
}

/** What every installer's configuration says, and what is this machine's. */
function fields({ cluster, runtimeSocket, cgroupRoot, ...place }: Place) {
  return {
    ...{ apiVersion: "kubelet.config.k8s.io/v1beta1" },
    kind: "KubeletConfiguration",
    address: cluster.nodeIp,
    port: cluster.ports.kubelet,
    healthzPort: place.healthzPort,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true, cacheTTL: "0s" },
      x509: { clientCAFile: `${place.root}/pki/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    ...{ cgroupRoot, cgroupDriver: "cgroupfs", failCgroupV1: false },
    clusterDNS: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    containerRuntimeEndpoint: `unix://${runtimeSocket}`,
    ...{ failSwapOn: false, rotateCertificates: true },
    syncFrequency: "0s",
  };
}

const COMMON = ({ hostRoot, cluster }: Place) => [
  `--host-root=${hostRoot}`,
  `--node-ip=${cluster.nodeIp}`,
];

/** A bootstrap token, and the flags file that kubeadm writes. */
export const kubeadm: Installer = (place) => ({
  words: [
    `--bootstrap-kubeconfig=${place.root}/bootstrap-kubelet.conf`,
    `--kubeconfig=${place.root}/kubelet.conf`,
    `--config=${place.root}/config.yaml`,
    ...split("--hostname-override=from-kubeadm --node-labels=tier=web"),
    ...split("--register-with-taints=dedicated=test:PreferNoSchedule"),
    ...COMMON(place),
  ],
  files: new Map([
    ["config.yaml", JSON.stringify(fields(place))],
    ["bootstrap-kubelet.conf", kubeconfig(place, { token: place.token })],
  ]),
  programs: [],
  labels: { tier: "web" },
});

/** Who it is, a program says; JSON and a drop-in; flags in any order. */
export const eks: Installer = (place) => ({
  words: [
    "--cloud-provider=external",
    `--config-dir=${place.root}/config.json.d`,
    `--kubeconfig=${place.root}/kubeconfig`,
    ...split("--node-labels=eks.amazonaws.com/nodegroup=a,pool=b"),
    "--hostname-override=from-eks",
    `--config=${place.root}/config.json`,
    "--runtime-cgroups=/runtime.slice/containerd.service",
    ...COMMON(place),
  ],
  files: new Map([
    [
      "config.json",
      JSON.stringify({
        ...fields(place),
        providerID: "aws:///eu-central-1a/i-0123456789abcdef0",
        featureGates: {
          RotateKubeletServerCertificate: true,
          DynamicResourceAllocation: true,
          NeverHeardOf: true,
        },
        tlsCipherSuites: [
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_RSA_WITH_AES_128_GCM_SHA256",
        ],
      }),
    ],
    [
      "config.json.d/40-nodeadm.conf",
      JSON.stringify({
        ...{ apiVersion: "kubelet.config.k8s.io/v1beta1" },
        ...{ kind: "KubeletConfiguration", maxPods: 29 },
      }),
    ],
    [
      "kubeconfig",
      kubeconfig(place, {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1beta1",
          command: `${place.root}/aws`,
          args: ["eks", "get-token", "--cluster-name", "test"],
        },
      }),
    ],
  ]),
  programs: [`${place.root}/aws`],
  labels: { pool: "b" },
  providerId: "aws:///eu-central-1a/i-0123456789abcdef0",
});

/** No configuration file: everything is a flag, values after a space too. */
export const aks: Installer = (place) => ({
  words: [
    "--enable-server",
    ...split(
      "--node-labels=agentpool=nodepool1,kubernetes.azure.com/mode=user",
    ),
    ...split("--v=2 --volume-plugin-dir=/etc/kubernetes/volumeplugins"),
    "--kubeconfig",
    `${place.root}/kubeconfig`,
    "--bootstrap-kubeconfig",
    `${place.root}/bootstrap-kubeconfig`,
    ...["--container-runtime-endpoint", `unix://${place.runtimeSocket}`],
    `--address=${place.cluster.nodeIp}`,
    `--port=${place.cluster.ports.kubelet}`,
    `--healthz-port=${place.healthzPort}`,
    ...split("--anonymous-auth=false --authentication-token-webhook=true"),
    ...split("--authorization-mode=Webhook --cgroups-per-qos=true"),
    `--client-ca-file=${place.root}/pki/ca.crt`,
    ...split("--cluster-dns=10.0.0.10 --cluster-domain=cluster.local"),
    ...split("--container-log-max-size=50M --enforce-node-allocatable=pods"),
    ...split("--event-qps=0 --image-gc-high-threshold=85"),
    "--eviction-hard=memory.available<100Mi,nodefs.available<10%," +
    "nodefs.inodesFree<5%",
    ...split(
      "--feature-gates=CSIMigration=true,LegacyServiceAccountTokenX=false",
    ),
    ...split("--kube-reserved=cpu=100m,memory=256Mi --max-pods=30"),
    ...split("--pod-max-pids=-1 --read-only-port=0 --rotate-certificates=true"),
    ...split("--streaming-connection-idle-timeout=4h --fail-swap-on=false"),
    ...split("--cgroup-driver=cgroupfs --fail-cgroupv1=false"),
    `--cgroup-root=${place.cgroupRoot}`,
    "--hostname-override=from-aks",
    ...COMMON(place),
  ],
  files: new Map([
    ["bootstrap-kubeconfig", kubeconfig(place, { token: place.token })],
  ]),
  programs: [],
  labels: { agentpool: "nodepool1" },
});

/** Where Container-Optimized OS lets things be written. */
const COS = ["", "home", "kubernetes"].join("/");

/**
 * A port without authentication, a metadata plugin that is not there; it asks
 * for its certificate with one that the machine was given.
 */
export const gke: Installer = (place) => ({
  words: [
    ...split("--v=2 --cloud-provider=external"),
    `--experimental-mounter-path=${COS}/mounter/mounter`,
    `--bootstrap-kubeconfig=${place.root}/bootstrap-kubeconfig`,
    `--kubeconfig=${place.root}/kubeconfig`,
    `--volume-plugin-dir=${COS}/flexvolume`,
    "--node-labels=cloud.google.com/gke-nodepool=default-pool",
    "--runtime-cgroups=/system.slice/containerd.service",
    ...["--config", `${place.root}/kubelet-config.yaml`],
    "--hostname-override=from-gke",
    ...COMMON(place),
  ],
  files: new Map([
    [
      "kubelet-config.yaml",
      JSON.stringify({ ...fields(place), readOnlyPort: 10255 }),
    ],
  ]),
  certified: {
    file: "bootstrap-kubeconfig",
    commonName: "kubelet",
    organization: "system:bootstrappers:kubeadm:default-node-token",
  },
  programs: [],
  labels: { "cloud.google.com/gke-nodepool": "default-pool" },
});

/** Unusual YAML, numbers in quotes. */
export const kubespray: Installer = (place) => ({
  words: [
    ...split("--v=2"),
    `--bootstrap-kubeconfig=${place.root}/bootstrap-kubelet.conf`,
    `--config=${place.root}/kubelet-config.yaml`,
    `--kubeconfig=${place.root}/kubelet.conf`,
    "--runtime-cgroups=/system.slice/containerd.service",
    "--hostname-override=from-kubespray",
    ...COMMON(place),
  ],
  files: new Map([
    [
      "kubelet-config.yaml",
      Object.entries(fields(place))
        .map(([name, value]) => `${name} : ${JSON.stringify(value)}\n`)
        .join("") + 'maxPods: 110\nnodeStatusUpdateFrequency: "10s"\n',
    ],
    ["bootstrap-kubelet.conf", kubeconfig(place, { token: place.token })],
  ]),
  programs: [],
});

/** A certificate that somebody issued: here the one that kubeadm's node got. */
export const kops: Installer = (place) => {
  const pair = `${place.root}/../kubeadm/pki/kubelet-client-current.pem`;
  return {
    words: [
      `--config=${place.root}/kubelet.conf`,
      `--kubeconfig=${place.root}/kubeconfig`,
      "--hostname-override=from-kubeadm",
      "--runtime-request-timeout=15m",
      ...COMMON(place),
    ],
    files: new Map([
      ["kubelet.conf", JSON.stringify(fields(place))],
      [
        "kubeconfig",
        kubeconfig(place, {
          "client-certificate": pair,
          "client-key": pair,
        }),
      ],
    ]),
    programs: [],
  };
};

export const INSTALLERS: ReadonlyMap<string, Installer> = new Map([
  ["kubeadm", kubeadm],
  ["kops", kops],
  ["eks", eks],
  ["aks", aks],
  ["gke", gke],
  ["kubespray", kubespray],
]);
