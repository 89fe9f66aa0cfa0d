/** Pods whose containers are looked at under both agents. Pure. */
import type {
  V1Container,
  V1Pod,
  V1PodSpec,
  V1SecurityContext,
} from "../../lib/api/types.ts";
import { BUSYBOX } from "../node/agent_world.ts";
import { TELL } from "../node/view.ts";

interface Wish {
  readonly own?: Partial<V1Container>;
  readonly spec?: Partial<V1PodSpec>;
}

const secured = (securityContext: V1SecurityContext): Wish => ({
  own: { securityContext },
});
const mounted = (
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

const fieldRef = (name: string, fieldPath: string) => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

const WISHES: Readonly<Record<string, Wish>> = {
  plain: {},
  user: secured({ runAsUser: 1000, runAsGroup: 3000 }),
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
  "empty-dir": mounted(
    [{ name: "v", emptyDir: {} }],
    [{ name: "v", mountPath: "/data" }],
    { securityContext: { fsGroup: 2000 } },
  ),
  memory: mounted(
    [{ name: "v", emptyDir: { medium: "Memory", sizeLimit: "8Mi" } }],
    [{ name: "v", mountPath: "/data", readOnly: true }],
  ),
  objects: mounted([
    { name: "s", secret: { secretName: "view", defaultMode: 0o400 } },
    { name: "c", configMap: { name: "view" } },
    {
      name: "d",
      downwardAPI: {
        items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }],
      },
    },
  ], [
    { name: "s", mountPath: "/secret", readOnly: true },
    { name: "c", mountPath: "/config" },
    { name: "d", mountPath: "/info" },
  ], { securityContext: { runAsUser: 1000, fsGroup: 2000 } }),
  environment: {
    own: {
      workingDir: "/tmp",
      env: [
        { name: "PLAIN", value: "a b" },
        { name: "EXPANDED", value: "$(PLAIN)-$$(X)" },
        fieldRef("NAME", "metadata.name"),
        fieldRef("SPACE", "metadata.namespace"),
        fieldRef("ACCOUNT", "spec.serviceAccountName"),
        fieldRef("IP", "status.podIP"),
      ],
      envFrom: [{ configMapRef: { name: "view" }, prefix: "C_" }],
    },
  },
  "own-hosts": mounted(
    [{ name: "c", configMap: { name: "view" } }],
    [{ name: "c", mountPath: "/etc/hosts", subPath: "key" }],
  ),
};

/** What the pods refer to. */
export const OBJECTS = [
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "view" },
    data: { key: btoa("hidden") },
  },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "view" },
    data: { key: "192.0.2.8\town\n" },
  },
];

export function podsFor(nodeName: string): V1Pod[] {
  return Object.entries(WISHES).map(([name, { own = {}, spec = {} }]) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "view" } },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 1,
      ...spec,
      containers: [{
        name: "app",
        image: BUSYBOX,
        imagePullPolicy: "IfNotPresent",
        command: ["sh", "-c", TELL],
        ...own,
      }],
    },
  }));
}
