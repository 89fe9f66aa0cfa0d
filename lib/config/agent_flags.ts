/**
 * The flags that have no field in the configuration file: where things are on
 * this node, who it is, and what only older kubelets acted on.
 */
import { field, fieldsOf, type ValuesOf } from "./field.ts";
import { bool, duration, int32, oneOf, text } from "./kind.ts";
import { labelMap } from "./kind_collection.ts";
import { isCleanAbsolutePath } from "./text_rules.ts";

const PLACES = {
  config: field(text, "", {
    help: "Configuration file (YAML or JSON)",
    flag: "config",
  }),
  configDir: field(text, "", {
    help: "Directory of *.conf files laid over the configuration file",
    flag: "config-dir",
  }),
  kubeconfig: field(text, "", {
    help: "How to reach the API server; empty: standalone",
    flag: "kubeconfig",
  }),
  bootstrapKubeconfig: field(text, "", {
    help: "How to reach the API server for a first certificate",
    flag: "bootstrap-kubeconfig",
  }),
  certDir: field(text, "/var/lib/kubelet/pki", {
    help: "Directory of the agent's certificates",
    flag: "cert-dir",
    isHostPath: true,
  }),
  rootDir: field(text, "/var/lib/kubelet", {
    help: "Directory of pod files",
    flag: "root-dir",
    isHostPath: true,
  }),
  lockFile: field(text, "", {
    help: "File locked while the agent runs",
    flag: "lock-file",
  }),
  exitOnLockContention: field(bool, false, {
    help: "Exit when somebody else opens the lock file",
    flag: "exit-on-lock-contention",
  }),
  hostRoot: field(text, "/", {
    help: "Where the host's file system is; put before default host paths",
    flag: "host-root",
    allowed: "an absolute path without . or .. or //",
    isAllowed: isCleanAbsolutePath,
  }),
  strictStreamingVerb: field(bool, true, {
    help: "Ask for create before a command is run; false: as the kubelet",
    flag: "strict-streaming-verb",
    keepsZero: true,
  }),
  strictFlags: field(bool, false, {
    help: "Fail on unknown flags, fields and feature gates",
    flag: "strict-flags",
  }),
} as const;

const IDENTITY = {
  hostnameOverride: field(text, "", {
    help: "Name of the node; empty: the host name",
    flag: "hostname-override",
  }),
  nodeIp: field(text, "", {
    help: "Address of the node, or an IPv4,IPv6 pair; :: prefers IPv6",
    flag: "node-ip",
  }),
  nodeLabels: field(labelMap, new Map(), {
    help: "Labels of a newly registered node",
    flag: "node-labels",
  }),
  cloudProvider: field(oneOf(["", "external"]), "", {
    help: "external: leave addresses and taints to a cloud controller",
    flag: "cloud-provider",
  }),
  seccompDefault: field(bool, false, {
    help: "Turn the field seccompDefault on",
    flag: "seccomp-default",
  }),
  runtimeCgroups: field(text, "", {
    help: "Cgroup of the container runtime",
    flag: "runtime-cgroups",
  }),
  imageCredentialProviderConfig: field(text, "", {
    help: "Configuration of image credential plugins",
    flag: "image-credential-provider-config",
  }),
  imageCredentialProviderBinDir: field(text, "", {
    help: "Directory of image credential plugins",
    flag: "image-credential-provider-bin-dir",
  }),
} as const;

const OLD = {
  minimumContainerTtl: field(duration, 0, {
    help: "Age a finished container is kept for",
    flag: "minimum-container-ttl-duration",
  }),
  maxDeadContainersPerContainer: field(int32, 1, {
    help: "Finished instances kept per container; negative: no limit",
    flag: "maximum-dead-containers-per-container",
  }),
  maxDeadContainers: field(int32, -1, {
    help: "Finished instances kept on the node; negative: no limit",
    flag: "maximum-dead-containers",
  }),
  experimentalMounterPath: field(text, "", {
    help: "Program that mounts volumes",
    flag: "experimental-mounter-path",
  }),
  experimentalAllocatableIgnoreEviction: field(bool, false, {
    help: "Leave eviction thresholds out of allocatable",
    flag: "experimental-allocatable-ignore-eviction",
  }),
} as const;

function ignored<V extends string>(flag: V) {
  return { help: "Has no effect here", flag };
}

/** cAdvisor's and Windows' flags: read, then ignored. */
const WITHOUT_EFFECT = {
  housekeepingInterval: field(
    duration,
    10_000,
    ignored("housekeeping-interval"),
  ),
  globalHousekeepingInterval: field(
    duration,
    60_000,
    ignored("global-housekeeping-interval"),
  ),
  applicationMetricsCountLimit: field(
    int32,
    100,
    ignored("application-metrics-count-limit"),
  ),
  bootIdFile: field(
    text,
    "/proc/sys/kernel/random/boot_id",
    ignored("boot-id-file"),
  ),
  machineIdFile: field(
    text,
    "/etc/machine-id,/var/lib/dbus/machine-id",
    ignored("machine-id-file"),
  ),
  containerHints: field(
    text,
    "/etc/cadvisor/container_hints.json",
    ignored("container-hints"),
  ),
  containerd: field(
    text,
    "/run/containerd/containerd.sock",
    ignored("containerd"),
  ),
  containerdNamespace: field(text, "k8s.io", ignored("containerd-namespace")),
  enableLoadReader: field(bool, false, ignored("enable-load-reader")),
  eventStorageAgeLimit: field(
    text,
    "default=0",
    ignored("event-storage-age-limit"),
  ),
  eventStorageEventLimit: field(
    text,
    "default=0",
    ignored("event-storage-event-limit"),
  ),
  logCadvisorUsage: field(bool, false, ignored("log-cadvisor-usage")),
  storageDriverUser: field(text, "root", ignored("storage-driver-user")),
  storageDriverPassword: field(text, "root", {
    ...ignored("storage-driver-password"),
    isSecret: true,
  }),
  storageDriverHost: field(
    text,
    "localhost:8086",
    ignored("storage-driver-host"),
  ),
  storageDriverDb: field(text, "cadvisor", ignored("storage-driver-db")),
  storageDriverTable: field(text, "stats", ignored("storage-driver-table")),
  storageDriverSecure: field(bool, false, ignored("storage-driver-secure")),
  storageDriverBufferDuration: field(
    duration,
    60_000,
    ignored("storage-driver-buffer-duration"),
  ),
  windowsService: field(bool, false, ignored("windows-service")),
  windowsPriorityClass: field(
    text,
    "NORMAL_PRIORITY_CLASS",
    ignored("windows-priorityclass"),
  ),
} as const;

export const AGENT_SHAPE = {
  ...PLACES,
  ...IDENTITY,
  ...OLD,
  ...WITHOUT_EFFECT,
} as const;

/** The values of the flags above, each with its default. */
export type AgentFlags = ValuesOf<typeof AGENT_SHAPE>;

export const AGENT_FIELDS = fieldsOf(AGENT_SHAPE);

/** Properties of `AgentFlags` that nothing reads. */
export const IGNORED_FLAGS: ReadonlySet<string> = new Set(
  Object.keys(WITHOUT_EFFECT),
);

/**
 * Properties of `AgentFlags` that are read, checked and reported, and nothing
 * more. Shrinks the warning of `loadConfig` as it shrinks.
 */
export const IDLE_FLAGS: ReadonlySet<string> = new Set(
  [
    "lockFile",
    "exitOnLockContention",
    "experimentalMounterPath",
  ] satisfies (keyof AgentFlags)[],
);

/** Groups of the help text. */
export const AGENT_GROUPS = [
  { title: "Places", shape: PLACES },
  { title: "The node", shape: IDENTITY },
  { title: "Old ways of keeping dead containers and mounting", shape: OLD },
  { title: "Accepted without effect", shape: WITHOUT_EFFECT },
] as const;
