/**
 * What the inside needs from a container runtime. The terms are ours, not
 * protobuf's; `lib/cri` translates. Every promise below is checked by
 * `tests/contract/runtime_contract.ts` on the fake and on a real containerd.
 *
 * General contract: a call rejects with an `AgentError` whose `next` tells what
 * to do; it rejects with the signal's reason when `signal` aborts; it never
 * hangs, because the adapter gives each call a deadline of its own.
 */
import type { ContainerId, PodUid, SandboxId } from "../api/id.ts";
import type {
  ContainerSpec,
  LinuxResources,
  SandboxSpec,
} from "./runtime_spec.ts";
import type {
  ContainerStateKind,
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  SandboxStatus,
  SandboxSummary,
} from "./runtime_status.ts";

export interface RuntimeVersion {
  /** `containerd`, `cri-o`, … */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
}

export interface RuntimeCondition {
  readonly isMet: boolean;
  readonly reason: string;
  readonly message: string;
}

export interface RuntimeHandler {
  /** Empty for the default handler. */
  readonly name: string;
  readonly hasRecursiveReadOnlyMounts: boolean;
  readonly hasUserNamespaces: boolean;
}

export interface RuntimeStatus {
  /** Condition `RuntimeReady`. */
  readonly runtime: RuntimeCondition;
  /** Condition `NetworkReady`. */
  readonly network: RuntimeCondition;
  readonly handlers: readonly RuntimeHandler[];
  readonly hasSupplementalGroupsPolicy: boolean;
}

/** Something happened to a pod. A hint to look, never a fact. */
export interface RuntimeEvent {
  readonly podUid: PodUid;
  readonly kind: "created" | "started" | "stopped" | "deleted";
  /** The sandbox's or a container's id. */
  readonly id: string;
  readonly atMs: number;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

export interface StreamRequest {
  readonly containerId: ContainerId;
  readonly command: readonly string[];
  readonly hasTty: boolean;
  readonly hasStdin: boolean;
  readonly hasStdout: boolean;
  readonly hasStderr: boolean;
}

/** Restricts a listing; absent fields match everything. */
export interface ListFilter {
  /** Matches what carries it as label `io.kubernetes.pod.uid`. */
  readonly podUid?: PodUid;
  readonly sandboxId?: SandboxId;
  /** Containers only. */
  readonly state?: ContainerStateKind;
}

export interface ContainerRuntime {
  version(signal: AbortSignal): Promise<RuntimeVersion>;
  status(signal: AbortSignal): Promise<RuntimeStatus>;
  /** Undefined when the runtime does not say. */
  cgroupDriver(
    signal: AbortSignal,
  ): Promise<"systemd" | "cgroupfs" | undefined>;
  setPodCidr(cidr: string, signal: AbortSignal): Promise<void>;

  listSandboxes(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly SandboxSummary[]>;
  /** Undefined when there is no such sandbox. */
  sandboxStatus(
    id: SandboxId,
    signal: AbortSignal,
  ): Promise<SandboxStatus | undefined>;
  /** What its process was started from, as people name it; or empty. */
  sandboxImage(id: SandboxId, signal: AbortSignal): Promise<string>;
  /** Creates and starts a sandbox, network included. */
  runSandbox(spec: SandboxSpec, signal: AbortSignal): Promise<SandboxId>;
  /** Kills what still runs in it and takes its network down. Idempotent. */
  stopSandbox(id: SandboxId, signal: AbortSignal): Promise<void>;
  /** Removes it with its containers. Gone already is success. */
  removeSandbox(id: SandboxId, signal: AbortSignal): Promise<void>;

  listContainers(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerSummary[]>;
  /** Undefined when there is no such container. */
  containerStatus(
    id: ContainerId,
    signal: AbortSignal,
  ): Promise<ContainerStatus | undefined>;
  createContainer(
    request: {
      readonly sandboxId: SandboxId;
      readonly sandbox: SandboxSpec;
      readonly container: ContainerSpec;
    },
    signal: AbortSignal,
  ): Promise<ContainerId>;
  startContainer(id: ContainerId, signal: AbortSignal): Promise<void>;
  /**
   * Sends the stop signal, then kills after `graceSeconds` (0: at once).
   * Resolves when the process is gone. Gone already is success. The adapter's
   * deadline is the grace plus its ordinary one.
   */
  stopContainer(
    id: ContainerId,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void>;
  /** Removes an exited or created container. Gone already is success. */
  removeContainer(id: ContainerId, signal: AbortSignal): Promise<void>;
  /** Tells the runtime that a log file was renamed away. */
  reopenLog(id: ContainerId, signal: AbortSignal): Promise<void>;
  /** Of a container that was created or runs; it goes on running. */
  updateResources(
    id: ContainerId,
    resources: LinuxResources,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Tells what the pod as a whole is about to have; its cgroup is not set by
   * it. A runtime that does not want to know has agreed.
   */
  updateSandbox(
    id: SandboxId,
    sandbox: Pick<SandboxSpec, "resources" | "overhead">,
    signal: AbortSignal,
  ): Promise<void>;

  /**
   * Runs a command to its end; `timeoutSeconds` 0 means no limit. Rejects with
   * `retry` and reason `CommandTimedOut` when the limit passed.
   */
  execSync(
    request: {
      readonly id: ContainerId;
      readonly command: readonly string[];
      readonly timeoutSeconds: number;
      /** Of either stream no more is kept; absent: all that there is. */
      readonly outputLimitBytes?: number;
    },
    signal: AbortSignal,
  ): Promise<ExecResult>;
  /** The runtime's streaming URL for `kubectl exec`. */
  execUrl(request: StreamRequest, signal: AbortSignal): Promise<string>;
  attachUrl(
    request: Omit<StreamRequest, "command">,
    signal: AbortSignal,
  ): Promise<string>;
  portForwardUrl(
    request: { readonly id: SandboxId; readonly ports: readonly number[] },
    signal: AbortSignal,
  ): Promise<string>;

  listContainerStats(
    filter: ListFilter,
    signal: AbortSignal,
  ): Promise<readonly ContainerStats[]>;

  /**
   * Events until `signal` aborts. Ends with an `AgentError`: `give-up` when
   * the runtime has no events, `retry` when the stream broke. There may be old
   * events at the beginning, and none for the end of a sandbox.
   */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}
