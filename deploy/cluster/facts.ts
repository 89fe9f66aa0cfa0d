/**
 * What a world's control plane consists of: pure derivations from the world.
 * Everything is below one folder of the world and on ports of its own, so that
 * the control planes of several worlds stand side by side.
 */
import type { WorldFacts } from "../world/facts.ts";

export const PARTS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
] as const;
export type Part = typeof PARTS[number];

export interface ClusterFacts {
  readonly world: WorldFacts;
  /** Everything of the control plane is below this folder. */
  readonly root: string;
  /** `https://127.0.0.1:PORT` of the API server. */
  readonly server: string;
  readonly ports: {
    readonly etcd: number;
    readonly etcdPeer: number;
    readonly apiServer: number;
    readonly controllerManager: number;
    readonly scheduler: number;
    readonly kubelet: number;
    readonly kubeletHealthz: number;
    readonly metricsServer: number;
  };
  /** Address of the world's bridge: what a node of this world says it has. */
  readonly nodeIp: string;
  readonly serviceCidr: string;
  /** Of the service `kubernetes`. */
  readonly serviceIp: string;
  /** Folder of certificates and keys. */
  readonly pki: string;
  /** The cluster's CA: signs clients, nodes and the API server. */
  readonly ca: { readonly certificate: string; readonly key: string };
  readonly adminKubeconfig: string;
  /** Holds a bootstrap token, which may only ask for a node's certificate. */
  readonly bootstrapKubeconfig: string;
  readonly auditLog: string;
  /** The options that the cluster was brought up with. */
  readonly options: string;
}

/** Blocks of ten ports from 11000 on: below any usual ephemeral range. */
const FIRST_PORT = 11_000;
const BLOCKS = 900;
/** Upstream's suite asks nodes at their usual port, wherever they say. */
const SUITE = { world: "conformance", port: 10_250 };

export function clusterFacts(world: WorldFacts): ClusterFacts {
  const root = `${world.root}/cluster`;
  // The healthz port is the one number that a world derives from its name.
  const block = FIRST_PORT + world.healthzPort % BLOCKS * 10;
  return {
    world,
    root,
    server: `https://127.0.0.1:${block + 2}`,
    ports: {
      etcd: block,
      etcdPeer: block + 1,
      apiServer: block + 2,
      controllerManager: block + 3,
      scheduler: block + 4,
      kubelet: world.name === SUITE.world ? SUITE.port : block + 5,
      kubeletHealthz: block + 6,
      metricsServer: block + 7,
    },
    nodeIp: world.subnet.replace(/\.0\/24$/, ".1"),
    serviceCidr: "10.96.0.0/16",
    serviceIp: "10.96.0.1",
    pki: `${root}/pki`,
    ca: {
      certificate: `${root}/pki/ca.crt`,
      key: `${root}/pki/ca.key`,
    },
    adminKubeconfig: `${root}/admin.kubeconfig`,
    bootstrapKubeconfig: `${root}/bootstrap.kubeconfig`,
    auditLog: `${root}/audit.log`,
    options: `${root}/options.json`,
  };
}

export function kubeconfigOf(cluster: ClusterFacts, part: Part): string {
  return `${cluster.root}/${part}.kubeconfig`;
}

export function logOf(cluster: ClusterFacts, part: Part): string {
  return `${cluster.root}/${part}.log`;
}

/** What a test or a benchmark may want otherwise. */
export interface ClusterOptions {
  /**
   * Which certificates are given without being asked twice: a node's first
   * one, its renewals (both by the controller manager, as kubeadm sets it up)
   * and serving certificates (by a process of ours, as nobody else does).
   */
  readonly approve: readonly ("first" | "renewal" | "serving")[];
  /** Where the API server listens; 0.0.0.0 lets pods reach it. */
  readonly bindAddress: string;
  /** Flags that come last, for instance `--cluster-signing-duration=10m`. */
  readonly flags: Partial<Record<Part, readonly string[]>>;
}

export const DEFAULT_OPTIONS: ClusterOptions = {
  approve: ["first", "renewal", "serving"],
  bindAddress: "127.0.0.1",
  flags: {},
};
