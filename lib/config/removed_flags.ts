/**
 * Flags that older kubelets had and 1.36 has not. Nodes in the field still pass
 * them, so they are accepted with a warning that says what to do instead. The
 * second column tells whether the flag is followed by a value.
 */

export interface RemovedFlag {
  readonly takes: "value" | "nothing";
  /** What replaces it, to follow "was removed: ". */
  readonly instead: string;
}

const RUNTIME = "the container runtime does this now";
const CNI = "the container runtime sets up the network; configure CNI there";
const DOCKER = "Docker support is gone; use --container-runtime-endpoint";
const CLOUD = "use --cloud-provider=external and a cloud controller manager";
const LOGS = "logs go to stderr; redirect them or let the journal keep them";
const PULL = "use --image-credential-provider-config";

const ROWS: readonly (readonly [string, RemovedFlag["takes"], string])[] = [
  ["container-runtime", "value", "use --container-runtime-endpoint"],
  ["remote-runtime-endpoint", "value", "use --container-runtime-endpoint"],
  ["remote-image-endpoint", "value", "use --image-service-endpoint"],
  ["pod-infra-container-image", "value", `${RUNTIME} (its sandbox image)`],
  ["image-pull-progress-deadline", "value", RUNTIME],
  ["network-plugin", "value", CNI],
  ["network-plugin-mtu", "value", CNI],
  ["cni-bin-dir", "value", CNI],
  ["cni-conf-dir", "value", CNI],
  ["cni-cache-dir", "value", CNI],
  ["non-masquerade-cidr", "value", CNI],
  ["configure-cbr0", "nothing", CNI],
  ["docker", "value", DOCKER],
  ["docker-endpoint", "value", DOCKER],
  ["docker-env-metadata-whitelist", "value", DOCKER],
  ["docker-only", "nothing", DOCKER],
  ["docker-root", "value", DOCKER],
  ["docker-tls", "nothing", DOCKER],
  ["docker-tls-ca", "value", DOCKER],
  ["docker-tls-cert", "value", DOCKER],
  ["docker-tls-key", "value", DOCKER],
  ["docker-exec-handler", "value", DOCKER],
  ["docker-disable-shared-pid", "nothing", DOCKER],
  ["experimental-dockershim", "nothing", DOCKER],
  ["experimental-dockershim-root-directory", "value", DOCKER],
  ["env-metadata-whitelist", "value", "metrics carry no environment"],
  ["cloud-config", "value", CLOUD],
  ["azure-container-registry-config", "value", PULL],
  ["keep-terminated-pod-volumes", "nothing", "volumes are always unmounted"],
  ["dynamic-config-dir", "value", "use --config and --config-dir"],
  ["init-config-dir", "value", "use --config and --config-dir"],
  ["allow-privileged", "nothing", "use pod security admission"],
  ["host-network-sources", "value", "use pod security admission"],
  ["host-pid-sources", "value", "use pod security admission"],
  ["host-ipc-sources", "value", "use pod security admission"],
  ["register-schedulable", "nothing", "use --register-with-taints"],
  ["require-kubeconfig", "nothing", "--kubeconfig alone decides"],
  ["api-servers", "value", "use --kubeconfig"],
  ["really-crash-for-testing", "nothing", "it has no successor"],
  ["chaos-chance", "value", "it has no successor"],
  ["enable-cadvisor-json-endpoints", "nothing", "use /stats/summary"],
  ["cadvisor-port", "value", "use /metrics/cadvisor"],
  ["redirect-container-streaming", "nothing", "streams are always proxied"],
  ["experimental-bootstrap-kubeconfig", "value", "use --bootstrap-kubeconfig"],
  [
    "experimental-kernel-memcg-notification",
    "nothing",
    "use --kernel-memcg-notification",
  ],
  [
    "experimental-check-node-capabilities-before-mount",
    "nothing",
    "it has no successor",
  ],
  ["experimental-fail-swap-on", "nothing", "use --fail-swap-on"],
  ["experimental-qos-reserved", "value", "use --qos-reserved"],
  [
    "experimental-allowed-unsafe-sysctls",
    "value",
    "use --allowed-unsafe-sysctls",
  ],
  ["master-service-namespace", "value", "the namespace is always default"],
  ["iptables-masquerade-bit", "value", "it has no effect any more"],
  ["iptables-drop-bit", "value", "it has no effect any more"],
  ["logtostderr", "nothing", LOGS],
  ["alsologtostderr", "nothing", LOGS],
  ["log-file", "value", LOGS],
  ["log-file-max-size", "value", LOGS],
  ["log-dir", "value", LOGS],
  ["log-backtrace-at", "value", LOGS],
  ["add-dir-header", "nothing", LOGS],
  ["one-output", "nothing", LOGS],
  ["skip-headers", "nothing", LOGS],
  ["skip-log-headers", "nothing", LOGS],
  ["stderrthreshold", "value", LOGS],
  ["experimental-logging-sanitization", "nothing", LOGS],
];

export const REMOVED_FLAGS: ReadonlyMap<string, RemovedFlag> = new Map(
  ROWS.map(([name, takes, instead]) => [name, { takes, instead }]),
);
