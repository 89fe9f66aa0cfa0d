/** Views for the tests of this folder: valid by default, nothing running. */
import { podUid, sandboxId } from "../api/id.ts";
import type {
  ContainerStatusJson,
  PodStatusJson,
  TerminatedState,
} from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { AgentView, PodView } from "./view.ts";

export const NOW = Date.parse("2026-07-31T10:02:21Z");
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;

/** RFC 3339, so long before now. */
export function ago(ms: number): string {
  return `${new Date(NOW - ms).toISOString().slice(0, 19)}Z`;
}

export function aPod(
  more: { name?: string; namespace?: string; containers?: string[] } = {},
): V1Pod {
  const { name = "web", namespace = "default", containers = ["app"] } = more;
  return {
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      annotations: { "kubernetes.io/config.source": "file" },
    },
    spec: {
      containers: containers.map((each) => ({
        name: each,
        image: `${each}:1`,
        env: [{ name: "PASSWORD", value: "hunter2" }],
        args: ["--token=hunter2"],
      })),
    },
  };
}

export function aContainer(
  more: Partial<ContainerStatusJson> = {},
): ContainerStatusJson {
  const name = more.name ?? "app";
  return {
    name,
    state: { running: { startedAt: ago(MINUTE) } },
    lastState: {},
    ready: more.state === undefined || more.state.running !== undefined,
    started: true,
    restartCount: 0,
    image: `${name}:1`,
    imageID: "sha256:1",
    containerID: `containerd://${name}-0`,
    ...more,
  };
}

export function ended(more: Partial<TerminatedState> = {}): TerminatedState {
  return {
    exitCode: 0,
    reason: "Completed",
    startedAt: ago(MINUTE),
    finishedAt: ago(8 * SECOND),
    containerID: "containerd://app-0",
    ...more,
  };
}

export function aStatus(more: Partial<PodStatusJson> = {}): PodStatusJson {
  return {
    phase: "Running",
    conditions: [{
      type: "Ready",
      status: "True",
      lastTransitionTime: ago(MINUTE),
    }],
    podIP: "10.88.0.7",
    startTime: ago(3 * MINUTE),
    qosClass: "BestEffort",
    containerStatuses: [aContainer()],
    ...more,
  };
}

export function aView(more: Partial<PodView> = {}): PodView {
  const pod = more.pod ?? aPod();
  return {
    uid: podUid(pod.metadata?.uid ?? ""),
    pod,
    status: aStatus(),
    state: { kind: "running", sandboxId: sandboxId("sandbox") },
    blockers: [],
    steps: [],
    logDirectory: "/var/log/pods/default_web_uid-web",
    ...more,
  };
}

/** A container that crashed and waits, with the words that say so. */
export function aCrashLoop(): PodView {
  const message = "back-off 40s restarting failed container=app " +
    "pod=web_default(uid-web)";
  return aView({
    status: aStatus({
      conditions: [],
      containerStatuses: [aContainer({
        state: { waiting: { reason: "CrashLoopBackOff", message } },
        lastState: { terminated: ended({ exitCode: 1, reason: "Error" }) },
        restartCount: 4,
      })],
    }),
    blockers: [{
      what: "CrashLoopBackOff",
      message,
      untilMs: NOW + 12 * SECOND,
      count: 5,
    }],
  });
}

export function anAgent(
  pods: readonly PodView[],
  more: Partial<AgentView> = {},
): AgentView {
  return {
    nodeName: "n1",
    version: "v1.36.3+denolet.0.1.0",
    pods: () => pods,
    problems: () => [],
    runtime: () => ({
      isReady: true,
      isNetworkReady: true,
      message: "",
      name: "containerd",
      cgroupDriver: "systemd",
      handlers: [],
    }),
    loops: () => [],
    ...more,
  };
}

/** A query as a request has it: `a=1&a=2`. */
export function queryOf(search: string): ReadonlyMap<string, string[]> {
  const query = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(search)) {
    query.set(name, [...query.get(name) ?? [], value]);
  }
  return query;
}
