/** The smallest sandbox and container that a runtime accepts. Pure. */
import type { PodUid } from "../../lib/api/id.ts";
import type {
  ContainerSpec,
  LinuxResources,
  Namespaces,
  SandboxSpec,
} from "../../lib/port/runtime_spec.ts";

export const NAMESPACES: Namespaces = {
  network: "pod",
  pid: "container",
  ipc: "pod",
};

export const NO_LIMITS: LinuxResources = {
  cpuPeriodUs: 0n,
  cpuQuotaUs: 0n,
  cpuShares: 0n,
  memoryLimitBytes: 0n,
  oomScoreAdj: 0n,
  cpusetCpus: "",
  cpusetMems: "",
  hugepageLimits: [],
  unified: new Map(),
  memorySwapLimitBytes: 0n,
};

export function aSandboxSpec(
  uid: PodUid,
  own: Partial<SandboxSpec> = {},
): SandboxSpec {
  return {
    podName: `pod-${uid.slice(0, 8)}`,
    podNamespace: "contract",
    podUid: uid,
    attempt: 0,
    hostname: "contract",
    logDirectory: `/tmp/${uid}`,
    dns: { servers: ["192.0.2.1"], searches: ["example.org"], options: [] },
    portMappings: [],
    labels: labelsOf(uid),
    annotations: new Map([["note/sandbox", "two\nlines"]]),
    // Empty: the runtime makes a cgroup of its own and removes it, too.
    cgroupParent: "",
    sysctls: new Map(),
    security: {
      namespaces: NAMESPACES,
      isPrivileged: false,
      isRootReadOnly: false,
      supplementalGroups: [],
      supplementalGroupsPolicy: "merge",
      seccomp: { kind: "runtime-default" },
    },
    runtimeHandler: "",
    ...own,
  };
}

export function aContainerSpec(
  uid: PodUid,
  own: Partial<ContainerSpec> & Pick<ContainerSpec, "imageRef">,
): ContainerSpec {
  const name = own.name ?? "app";
  return {
    name,
    attempt: 0,
    userImage: own.imageRef,
    runtimeHandler: "",
    command: [],
    args: [],
    workingDir: "",
    env: [{ name: "GREETING", value: "grüß dich = \"'$" }],
    mounts: [],
    devices: [],
    cdiDevices: [],
    labels: labelsOf(uid),
    annotations: new Map([["note/container", "1"]]),
    logPath: `${name}/0.log`,
    hasStdin: false,
    isStdinOnce: false,
    hasTty: false,
    resources: NO_LIMITS,
    security: {
      namespaces: NAMESPACES,
      isPrivileged: false,
      isRootReadOnly: false,
      hasNoNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      supplementalGroups: [],
      supplementalGroupsPolicy: "merge",
      seccomp: { kind: "runtime-default" },
      maskedPaths: [],
      readonlyPaths: [],
    },
    ...own,
  };
}

function labelsOf(uid: PodUid): ReadonlyMap<string, string> {
  return new Map([["io.kubernetes.pod.uid", uid], ["app", "contract"]]);
}
