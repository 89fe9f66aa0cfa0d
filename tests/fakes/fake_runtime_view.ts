/** What the fake runtime tells about its world, in the port's terms. Pure. */
import type { ExecResult, ListFilter } from "../../lib/port/runtime.ts";
import type {
  ContainerStats,
  ContainerStatus,
  ContainerSummary,
  SandboxStatus,
} from "../../lib/port/runtime_status.ts";
import {
  type FakeContainer,
  type FakeSandbox,
  logPathOf,
  type Usage,
} from "./fake_runtime_world.ts";

const POD_UID_LABEL = "io.kubernetes.pod.uid";

export function sandboxStatus(sandbox: FakeSandbox): SandboxStatus {
  const { spec } = sandbox;
  const { user } = spec.security.namespaces;
  return {
    id: sandbox.id,
    podName: spec.podName,
    podNamespace: spec.podNamespace,
    podUid: spec.podUid,
    attempt: spec.attempt,
    isReady: sandbox.isReady,
    createdAtMs: sandbox.createdAtMs,
    labels: spec.labels,
    annotations: spec.annotations,
    runtimeHandler: spec.runtimeHandler,
    ips: sandbox.isReady ? sandbox.ips : [],
    network: spec.security.namespaces.network,
    ...user === undefined ? {} : { user },
  };
}

export function containerSummary(container: FakeContainer): ContainerSummary {
  const { spec } = container;
  return {
    id: container.id,
    sandboxId: container.sandbox.id,
    name: spec.name,
    attempt: spec.attempt,
    imageRef: spec.imageRef,
    state: container.state,
    createdAtMs: container.createdAtMs,
    labels: spec.labels,
    annotations: spec.annotations,
  };
}

export function containerStatus(container: FakeContainer): ContainerStatus {
  const { spec } = container;
  return {
    id: container.id,
    name: spec.name,
    attempt: spec.attempt,
    state: container.state,
    createdAtMs: container.createdAtMs,
    startedAtMs: container.startedAtMs,
    finishedAtMs: container.finishedAtMs,
    exitCode: container.exitCode,
    reason: container.reason,
    message: container.message,
    image: spec.userImage,
    imageRef: spec.imageRef,
    imageId: spec.imageRef,
    labels: spec.labels,
    annotations: spec.annotations,
    logPath: logPathOf(container),
    mounts: spec.mounts,
    resources: container.resources,
    ...(spec.stopSignal === undefined ? {} : { stopSignal: spec.stopSignal }),
  };
}

export function containerStats(
  container: FakeContainer,
  usage: Usage | undefined,
  atMs: number,
): ContainerStats {
  const { spec } = container.sandbox;
  const basic = {
    id: container.id,
    name: container.spec.name,
    podUid: spec.podUid,
  };
  return usage === undefined ? basic : {
    ...basic,
    cpu: { atMs, coreNanoseconds: usage.coreNanoseconds },
    memory: {
      atMs,
      workingSetBytes: usage.workingSetBytes,
      usageBytes: usage.workingSetBytes,
      rssBytes: usage.workingSetBytes,
    },
    writableLayer: {
      atMs,
      mountpoint: "/",
      usedBytes: usage.writableBytes,
      inodesUsed: 1n,
    },
  };
}

export function matchesSandbox(
  sandbox: FakeSandbox,
  filter: ListFilter,
): boolean {
  return matches(sandbox, sandbox.spec.labels, filter);
}

export function matchesContainer(
  container: FakeContainer,
  filter: ListFilter,
): boolean {
  return matches(container.sandbox, container.spec.labels, filter) &&
    (filter.state === undefined || container.state === filter.state);
}

function matches(
  sandbox: FakeSandbox,
  labels: ReadonlyMap<string, string>,
  filter: ListFilter,
): boolean {
  return (filter.sandboxId === undefined || sandbox.id === filter.sandboxId) &&
    (filter.podUid === undefined ||
      labels.get(POD_UID_LABEL) === filter.podUid);
}

/** What a few well-known commands answer; any other succeeds silently. */
export function execResult(command: readonly string[]): ExecResult {
  const [program, ...words] = command;
  const utf8 = new TextEncoder();
  const [stdout, exitCode] = program === "echo"
    ? [`${words.join(" ")}\n`, 0]
    : program === "false"
    ? ["", 1]
    : ["", 0];
  return { stdout: utf8.encode(stdout), stderr: utf8.encode(""), exitCode };
}
