/**
 * Builders for tests: everything is valid by default, so a test names only
 * what matters to it. Pure; no test framework in here.
 */
import { containerId, podUid, sandboxId } from "../lib/api/id.ts";
import { allContainersOf, podNameOf, uidOf } from "../lib/api/pod.ts";
import type { V1Container, V1Pod, V1PodSpec } from "../lib/api/types.ts";
import type { ImageProgress } from "../lib/image/types.ts";
import type {
  Facts,
  Failure,
  ObservedContainer,
  PodSettings,
  RuntimeHealth,
} from "../lib/pod/facts.ts";
import {
  containerAnnotations,
  containerLabels,
  podAnnotations,
  podLabels,
} from "../lib/pod/labels.ts";
import { NO_RESIZE } from "../lib/pod/resize_facts.ts";
import { OPEN_GATES } from "../lib/pod/gates.ts";
import type { PodState } from "../lib/pod/state.ts";
import type { HostTraits } from "../lib/port/host.ts";
import type { SandboxStatus } from "../lib/port/runtime_status.ts";
import type { MountedVolume } from "../lib/volume/types.ts";

/** The moment at which tests play: 2026-01-02T03:04:05Z. */
export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A machine of today, without swap, huge pages and AppArmor. */
export const TRAITS: HostTraits = {
  cgroupVersion: 2,
  onlineCpus: "0-1",
  hasSwapLimits: true,
  swapBytes: 0n,
  hasNoSwapTmpfs: true,
  hugePageSizes: [],
  kernelVersion: "6.12.0",
  hasAppArmor: false,
  maskedPaths: [],
};

export const SETTINGS: PodSettings = {
  nodeName: "node-1",
  podLogsDir: "/var/log/pods",
  containerLogsDir: "/var/log/containers",
  podsDir: "/var/lib/kubelet/pods",
  clusterDns: ["10.96.0.10"],
  clusterDomain: "cluster.local",
  hostDns: {
    servers: ["192.0.2.1"],
    searches: ["example.org"],
    options: ["timeout:1"],
  },
  resolvConf: "/etc/resolv.conf",
  hostsPath: "/etc/hosts",
  nodeHosts: { kind: "text", text: "127.0.0.1\tlocalhost\n" },
  cgroupRoot: "/",
  cgroupDriver: "systemd",
  usesQosCgroups: true,
  cpuPeriodUs: 100_000n,
  podPidsLimit: -1n,
  firstRestartDelayMs: 10_000,
  longestRestartDelayMs: 300_000,
  gates: OPEN_GATES,
  fixesCpus: false,
  fixesMemory: false,
  isSeccompDefault: false,
  hasStopSignals: false,
  seccompDir: "/var/lib/kubelet/seccomp",
  memoryBytes: 8n * 1024n ** 3n,
  allocatableMemoryBytes: 8n * 1024n ** 3n,
  memoryQos: undefined,
  memoryReservePercent: undefined,
  machine: TRAITS,
  mayUseSwap: false,
  endsSingleProcess: false,
  allowedUnsafeSysctls: [],
};

export const HEALTHY: RuntimeHealth = {
  isReady: true,
  isNetworkReady: true,
  message: "",
  name: "containerd",
  cgroupDriver: "systemd",
  handlers: [],
};

/** A volume as the core sees it once it is ready. */
export function aMountedVolume(
  own: Partial<MountedVolume> = {},
): MountedVolume {
  return {
    path: "/pods/v",
    isReadOnly: false,
    isRelabelled: true,
    isDevice: false,
    specName: "v",
    group: "",
    ...own,
  };
}

export function aContainer(own: Partial<V1Container> = {}): V1Container {
  return {
    name: "web",
    image: "busybox:1",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    ...own,
  };
}

export interface PodParts {
  readonly uid?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly containers?: V1Container[];
  /** Anything else of the spec. */
  readonly spec?: Partial<V1PodSpec>;
}

export function aPod(parts: PodParts = {}): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: parts.name ?? "shop",
      namespace: parts.namespace ?? "prod",
      uid: parts.uid ?? "11111111-2222-3333-4444-555555555555",
      ...parts.labels === undefined ? {} : { labels: parts.labels },
      ...parts.annotations === undefined
        ? {}
        : { annotations: parts.annotations },
    },
    spec: {
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      ...parts.spec,
      containers: parts.containers ?? [aContainer()],
    },
  };
}

export interface SandboxParts extends Partial<Omit<SandboxStatus, "id">> {
  readonly id?: string;
  readonly pod?: V1Pod;
}

/** A ready sandbox with an address. */
export function aSandbox(parts: SandboxParts = {}): SandboxStatus {
  const { id = "s0", pod = aPod(), ...own } = parts;
  return {
    id: sandboxId(id),
    podName: pod.metadata?.name ?? "",
    podNamespace: pod.metadata?.namespace ?? "",
    podUid: uidOf(pod),
    attempt: 0,
    isReady: true,
    createdAtMs: NOW_MS - 60_000,
    labels: podLabels(pod),
    annotations: podAnnotations(pod),
    runtimeHandler: "",
    ips: pod.spec?.hostNetwork ? [] : ["10.0.0.5"],
    network: pod.spec?.hostNetwork ? "node" : "pod",
    ...own,
  };
}

export interface InstanceParts
  extends Partial<Omit<ObservedContainer, "id" | "sandboxId">> {
  readonly id?: string;
  readonly sandboxId?: string;
  readonly pod?: V1Pod;
  /** The container's name; its spec is taken from the pod. */
  readonly name?: string;
  /** What it was made from, when that is not what the pod says now. */
  readonly spec?: V1Container;
  readonly crashDelayMs?: number;
}

/** A running container, one minute old, made from what the pod says. */
export function anInstance(parts: InstanceParts = {}): ObservedContainer {
  const {
    id = "c0",
    sandboxId: sandbox = "s0",
    pod = aPod(),
    spec,
    crashDelayMs = 0,
    ...own
  } = parts;
  const name = parts.name ?? pod.spec?.containers[0]?.name ?? "web";
  const made = spec ?? allContainersOf(pod).find((c) => c.name === name) ??
    aContainer({ name });
  const attempt = parts.attempt ?? 0;
  const state = parts.state ?? "running";
  const startedAtMs = state === "created" ? 0 : NOW_MS - 59_000;
  return {
    id: containerId(id),
    sandboxId: sandboxId(sandbox),
    name,
    attempt,
    state,
    createdAtMs: NOW_MS - 60_000,
    startedAtMs,
    finishedAtMs: state === "exited" ? NOW_MS - 1_000 : 0,
    exitCode: 0,
    reason: state === "exited" ? "Completed" : "",
    message: "",
    image: `docker.io/library/${made.image}`,
    imageRef: "sha256:aaaa",
    imageId: "sha256:aaaa",
    labels: containerLabels(pod, made),
    annotations: containerAnnotations(pod, made, { attempt, crashDelayMs }),
    logPath: "",
    mounts: [],
    ...own,
  };
}

/** A container that ended with an error one second ago. */
export function aFailed(parts: InstanceParts = {}): ObservedContainer {
  return anInstance({
    state: "exited",
    exitCode: 1,
    reason: "Error",
    ...parts,
  });
}

export interface FactParts
  extends Partial<Omit<Facts, "observed" | "images" | "failures" | "pod">> {
  /** `undefined`: no source wants it. */
  readonly pod?: V1Pod | undefined;
  readonly sandboxes?: readonly SandboxStatus[];
  readonly containers?: readonly ObservedContainer[];
  readonly images?: Readonly<Record<string, ImageProgress>>;
  readonly failures?: Readonly<Record<string, Failure>>;
}

/** A pod that is wanted, of which the runtime has nothing yet. */
export function someFacts(parts: FactParts = {}): Facts {
  const { sandboxes = [], containers = [], images, failures, ...own } = parts;
  const pod = Object.hasOwn(parts, "pod") ? parts.pod : aPod();
  return {
    uid: pod === undefined
      ? podUid("11111111-2222-3333-4444-555555555555")
      : uidOf(pod),
    name: podNameOf(pod ?? aPod()),
    areSourcesReady: true,
    hasEnded: false,
    lost: new Set(),
    deadline: undefined,
    evicted: undefined,
    pressures: [],
    resize: NO_RESIZE,
    isRestartingAll: false,
    isAdmitted: true,
    node: undefined,
    others: [],
    hostIps: [],
    rival: undefined,
    volumes: undefined,
    references: new Map(),
    services: [],
    allocatable: new Map(),
    verdicts: new Map(),
    endedByProbe: new Set(),
    stops: new Map(),
    state: { kind: "waiting", for: "sources" },
    loggedAttempts: new Map(),
    runtime: HEALTHY,
    runtimeClasses: undefined,
    userIds: undefined,
    settings: SETTINGS,
    ...own,
    pod,
    observed: { sandboxes, containers, atMs: NOW_MS },
    images: new Map(
      Object.entries(images ?? {}).map(([name, progress]) => {
        const image = allContainersOf(pod ?? aPod())
          .find((container) => container.name === name)?.image ?? "";
        return [name, { image, ...progress }];
      }),
    ),
    failures: new Map(Object.entries(failures ?? {})),
  };
}

/** The image is there. */
export const PRESENT: ImageProgress = {
  kind: "present",
  ref: "sha256:aaaa",
  uid: 1000n,
  userName: "",
};

export function aFailure(own: Partial<Failure> = {}): Failure {
  return {
    reason: "CreateContainerError",
    message: "no space left on device",
    count: 1,
    failedAtMs: NOW_MS - 1_000,
    retryAtMs: NOW_MS + 5_000,
    ...own,
  };
}

export function running(id = "s0"): PodState {
  return { kind: "running", sandboxId: sandboxId(id) };
}
