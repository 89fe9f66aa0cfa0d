/** What the tests of this folder share: one machine, one small API server. */
import { AgentError } from "../base/errors.ts";
import { parseQuantity } from "../api/quantity.ts";
import type { Step } from "../api/step.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { Image, Images } from "../port/images.ts";
import type { Machine, MachineFacts, NetworkFacts } from "../port/machine.ts";
import type { RuntimeStatus } from "../port/runtime.ts";
import { parseNode } from "./parse.ts";
import {
  type KnownNode,
  NO_DEVICES,
  NO_PRESSURE,
  type NodeFacts,
  type NodeSettings,
  type Observation,
} from "./types.ts";

export const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
export const NOW = "2026-01-02T03:04:05Z";
export const GIB = 1024n ** 3n;

export const quantity = (text: string) => parseQuantity(text) ?? 0n;

export const SETTINGS: NodeSettings = {
  nodeName: "node-1",
  nodeIps: [],
  isCloudExternal: false,
  mayRegister: true,
  labels: new Map(),
  taints: [],
  providerId: "",
  leavesAttachToController: true,
  maxPods: 110,
  podsPerCore: 0,
  reservation: { system: new Map(), kube: new Map(), eviction: new Map() },
  isStorageIsolated: true,
  rootDir: "/var/lib/kubelet",
  maxImages: 50,
  port: 10250,
  kubeletVersion: "v1.36.3",
  statusUpdateMs: 10_000,
  statusReportMs: 300_000,
  leaseDurationSeconds: 40,
  heartbeatMs: 10_000,
};

export const MACHINE: MachineFacts = {
  cpuCount: 2,
  memoryBytes: 8n * GIB,
  swapBytes: 0n,
  hugePages: [{ sizeBytes: 2n * 1024n * 1024n, count: 0n }],
  machineId: "machine",
  systemUuid: "uuid",
  bootId: "boot-1",
  kernelVersion: "6.18.0",
  osImage: "Debian GNU/Linux 12 (bookworm)",
  architecture: "amd64",
};

export const NETWORK: NetworkFacts = {
  interfaces: [
    { name: "lo", isLoopback: true, addresses: ["127.0.0.1", "::1"] },
    {
      name: "eth0",
      isLoopback: false,
      addresses: ["192.0.2.10", "2001:db8::10", "fe80::1"],
    },
  ],
  defaultRoutes: [
    { family: "IPv4", interfaceName: "eth0" },
    { family: "IPv6", interfaceName: "eth0" },
  ],
};

export const RUNTIME: RuntimeStatus = {
  runtime: { isMet: true, reason: "", message: "" },
  network: { isMet: true, reason: "", message: "" },
  handlers: [
    {
      name: "runc",
      hasRecursiveReadOnlyMounts: true,
      hasUserNamespaces: true,
    },
    { name: "", hasRecursiveReadOnlyMounts: true, hasUserNamespaces: false },
  ],
  hasSupplementalGroupsPolicy: true,
};

export const VERSION = {
  name: "containerd",
  version: "v2.4.2",
  apiVersion: "v1",
};

export const SEEN: Observation = {
  machine: MACHINE,
  network: NETWORK,
  resolved: [],
  rootBytes: 100n * GIB,
  runtimeVersion: VERSION,
  runtimeStatus: RUNTIME,
  runtimeSilentSinceMs: undefined,
  images: [],
};

export function facts(change: Partial<NodeFacts> = {}): NodeFacts {
  return {
    settings: SETTINGS,
    seen: SEEN,
    pressure: NO_PRESSURE,
    devices: NO_DEVICES,
    isShuttingDown: false,
    problems: [],
    declaredFeatures: [],
    nowMs: NOW_MS,
    monotonicMs: 0,
    ...change,
  };
}

export function anImage(change: Partial<Image> = {}): Image {
  return {
    id: "sha256:1",
    tags: ["a:1"],
    digests: ["a@sha256:1"],
    sizeBytes: 1n,
    isPinned: false,
    userName: "",
    ...change,
  };
}

/** A node as the API server has it. */
export function known(object: ApiObject): KnownNode {
  return parseNode(object);
}

/** A machine that answers, or fails when told to. */
export class FakeMachine implements Machine {
  machine: MachineFacts = MACHINE;
  readonly resolved = new Map<string, readonly string[]>();

  facts(): Promise<MachineFacts> {
    return Promise.resolve(this.machine);
  }

  network(): Promise<NetworkFacts> {
    return Promise.resolve(NETWORK);
  }

  filesystemBytes(): Promise<bigint> {
    return Promise.resolve(100n * GIB);
  }

  lookup(name: string): Promise<readonly string[]> {
    return Promise.resolve(this.resolved.get(name) ?? []);
  }
}

/** A runtime with images; `mood` says how it answers. */
export class FakeEngine implements Pick<Images, "list"> {
  mood: "fine" | "gone" | "hung" = "fine";
  current: RuntimeStatus = RUNTIME;
  images: readonly Image[] = [];
  readonly cidrs: string[] = [];

  status(signal: AbortSignal): Promise<RuntimeStatus> {
    return this.#answer(signal, () => this.current);
  }

  version(signal: AbortSignal) {
    return this.#answer(signal, () => VERSION);
  }

  list(signal: AbortSignal): Promise<readonly Image[]> {
    return this.#answer(signal, () => this.images);
  }

  setPodCidr(cidr: string, signal: AbortSignal): Promise<void> {
    return this.#answer(signal, () => {
      this.cidrs.push(cidr);
    });
  }

  #answer<T>(signal: AbortSignal, value: () => T): Promise<T> {
    if (this.mood === "gone") {
      return Promise.reject(new AgentError("No runtime", { next: "retry" }));
    }
    return this.mood === "fine" ? Promise.resolve(value()) : forever(signal);
  }
}

/** Never answers, as a hung peer; ends with the signal. */
export function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
    })
  );
}

export class FakeRecorder {
  readonly steps: Step[] = [];

  record(step: Step): void {
    this.steps.push(step);
  }

  get reasons(): readonly string[] {
    return this.steps.map(({ reason }) => reason);
  }
}
