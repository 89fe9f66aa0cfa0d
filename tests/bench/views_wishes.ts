/**
 * What a pod of the side-by-side look wishes for, and the wishes that are
 * about users, names, networks and resources. Pure.
 */
import type {
  V1Container,
  V1ObjectMeta,
  V1PodSpec,
  V1SecurityContext,
} from "../../lib/api/types.ts";

export interface Wish {
  /** Of the container that tells. */
  readonly own?: Partial<V1Container>;
  /** Its `containers` are those beside it. */
  readonly spec?: Partial<V1PodSpec>;
  readonly metadata?: V1ObjectMeta;
}

const secured = (
  securityContext: V1SecurityContext,
  spec: Partial<V1PodSpec> = {},
): Wish => ({ own: { securityContext }, spec });
export const mounted = (
  volumes: V1PodSpec["volumes"],
  volumeMounts: V1Container["volumeMounts"],
  spec: Partial<V1PodSpec> = {},
): Wish => ({
  own: volumeMounts === undefined ? {} : { volumeMounts },
  spec: { ...volumes === undefined ? {} : { volumes }, ...spec },
});
const sized = (
  requests: Record<string, string>,
  limits: Record<string, string> = {},
): Wish => ({ own: { resources: { requests, limits } } });

/** Of the world's runtime that maps ids. */
export const OWN_IDS_CLASS = "view-own-ids";
const OWN_IDS = { hostUsers: false, runtimeClassName: OWN_IDS_CLASS };

export const SECURITY: Readonly<Record<string, Wish>> = {
  plain: {},
  "user-only": secured({ runAsUser: 1000 }),
  groups: {
    spec: {
      securityContext: {
        runAsUser: 1000,
        fsGroup: 2000,
        supplementalGroups: [4000, 5000],
      },
    },
  },
  "strict-groups": {
    spec: {
      securityContext: {
        runAsUser: 1000,
        supplementalGroups: [4000],
        supplementalGroupsPolicy: "Strict",
      },
    },
  },
  privileged: secured({ privileged: true }),
  "no-capability": secured({ capabilities: { drop: ["ALL"] } }),
  "some-capability": secured({
    capabilities: { drop: ["CHOWN"], add: ["NET_ADMIN", "SYS_TIME"] },
  }),
  "no-escalation": secured({ allowPrivilegeEscalation: false }),
  "read-only": secured({ readOnlyRootFilesystem: true }),
  seccomp: secured({ seccompProfile: { type: "RuntimeDefault" } }),
  hostname: { spec: { hostname: "till", subdomain: "sub" } },
  fqdn: {
    spec: { hostname: "till", subdomain: "sub", setHostnameAsFQDN: true },
  },
  override: { spec: { hostnameOverride: "other.example" } },
  aliases: {
    spec: { hostAliases: [{ ip: "192.0.2.9", hostnames: ["a", "b"] }] },
  },
  "host-network": { spec: { hostNetwork: true } },
  "host-pid": { spec: { hostIPC: true } },
  "shared-processes": { spec: { shareProcessNamespace: true } },
  dns: {
    spec: {
      dnsPolicy: "None",
      dnsConfig: {
        nameservers: ["192.0.2.53"],
        searches: ["a.example"],
        options: [{ name: "ndots", value: "3" }],
      },
    },
  },
  "dns-default": { spec: { dnsPolicy: "Default" } },
  "dns-more": { spec: { dnsConfig: { searches: ["more.example"] } } },
  sysctl: {
    spec: {
      securityContext: {
        sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "80" }],
      },
    },
  },
  burstable: sized(
    { cpu: "100m", memory: "64Mi" },
    { cpu: "500m", memory: "128Mi" },
  ),
  guaranteed: sized(
    { cpu: "100m", memory: "64Mi" },
    { cpu: "100m", memory: "64Mi" },
  ),
  requested: sized({ cpu: "250m", memory: "1Gi" }),
  "pod-level": {
    spec: {
      resources: {
        requests: { cpu: "100m", memory: "64Mi" },
        limits: { cpu: "200m", memory: "96Mi" },
      },
    },
  },
  "non-root": secured({ runAsUser: 1000, runAsNonRoot: true }),
  "is-root": secured({ runAsNonRoot: true }),
  "own-ids": { spec: OWN_IDS },
  "unmasked-proc": secured({ procMount: "Unmasked" }, OWN_IDS),
  unconfined: secured({ seccompProfile: { type: "Unconfined" } }),
  "pod-seccomp": {
    spec: { securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
  },
  "lost-profile": secured({
    seccompProfile: { type: "Localhost", localhostProfile: "view/none.json" },
  }),
  "all-capabilities": secured({ capabilities: { add: ["ALL"] } }),
  "group-of-image": secured({ runAsUser: 1 }),
  "host-ipc-pid": { spec: { hostIPC: true, hostPID: true } },
  "host-network-dns": {
    spec: { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
  },
  "host-aliases-network": {
    spec: {
      hostNetwork: true,
      hostAliases: [{ ip: "192.0.2.9", hostnames: ["a", "b"] }],
    },
  },
  "subdomain-only": { spec: { subdomain: "sub" } },
  "hostname-only": { spec: { hostname: "till" } },
  "long-name-of-a-pod-that-is-longer-than-what-a-host-name-may-be-1": {},
  "dns-all": {
    spec: {
      dnsPolicy: "Default",
      dnsConfig: {
        nameservers: ["192.0.2.53", "192.0.2.54", "192.0.2.55"],
        searches: ["a.example", "b.example"],
        options: [{ name: "edns0" }, { name: "timeout", value: "2" }],
      },
    },
  },
  "sysctls-many": {
    spec: {
      securityContext: {
        sysctls: [
          { name: "kernel.shm_rmid_forced", value: "1" },
          { name: "net.ipv4.ping_group_range", value: "10 20" },
        ],
      },
    },
  },
  "sysctl-refused": {
    spec: {
      securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] },
    },
  },
  "limit-only": sized({}, { memory: "64Mi" }),
  "storage-limit": sized(
    { "ephemeral-storage": "10Mi" },
    { "ephemeral-storage": "100Mi" },
  ),
  "tiny-cpu": sized({ cpu: "1m" }, { cpu: "1m" }),
  "too-much": sized({ cpu: "1000" }),
  "port-of-host": {
    own: { ports: [{ containerPort: 80, hostPort: 18080 }] },
  },
  priority: { spec: { priorityClassName: "system-node-critical" } },
  user: secured({ runAsUser: 1000, runAsGroup: 3000 }),
};
