/** The phase of pods with init containers and sidecars, case by case. */
import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { ContainerState, ContainerStatusJson } from "../api/status.ts";
import { phase } from "./phase.ts";

const RUNS: ContainerState = { running: {} };
const WAITS: ContainerState = { waiting: { reason: "PodInitializing" } };
const exit = (exitCode: number, reason = ""): ContainerState => ({
  terminated: { exitCode, reason },
});

type Seen = readonly [ContainerState, ContainerState?, "started"?];

function status(name: string, seen: Seen): ContainerStatusJson {
  const [state, lastState = {}, started] = seen;
  return {
    name,
    state,
    lastState,
    ready: false,
    started: started === "started",
    restartCount: 0,
    image: "",
    imageID: "",
  };
}

interface Case {
  readonly policy: string;
  /** Of the init container; undefined: none was made yet. */
  readonly init?: Seen;
  readonly own?: { readonly restartPolicy: string };
  readonly app?: Seen;
  readonly now?: "initialized" | "ended";
  readonly is: string;
}

function phaseOf({ policy, init, own, app, now }: Case): string {
  const pod = aPod({
    spec: {
      restartPolicy: policy,
      initContainers: [aContainer({ name: "i", ...own })],
    },
    containers: [aContainer({ name: "app" })],
  });
  const statuses = [
    ...init === undefined ? [] : [status("i", init)],
    ...app === undefined ? [] : [status("app", app)],
  ];
  return phase(pod, statuses, {
    isEnded: now === "ended",
    hasInitialized: now !== undefined,
    isRestartingAll: false,
  });
}

const SIDECAR = { restartPolicy: "Always" };

/** Compat: kubelet 1.36 TestPodPhaseWithRestart…InitContainers. */
const CASES: readonly Case[] = [
  // One that ends.
  { policy: "Always", is: "Pending" },
  { policy: "Always", init: [RUNS], is: "Pending" },
  { policy: "Always", init: [exit(0)], is: "Pending" },
  { policy: "Always", init: [exit(1)], is: "Pending" },
  { policy: "Always", init: [WAITS, exit(1)], is: "Pending" },
  { policy: "Always", init: [exit(0)], app: [WAITS], is: "Pending" },
  { policy: "Always", init: [exit(0)], app: [RUNS], is: "Running" },
  { policy: "Always", init: [RUNS], app: [RUNS], is: "Pending" },
  { policy: "OnFailure", init: [exit(1)], app: [WAITS], is: "Pending" },
  { policy: "OnFailure", init: [exit(0)], app: [exit(0)], is: "Succeeded" },
  { policy: "OnFailure", init: [exit(0)], app: [exit(1)], is: "Running" },
  { policy: "Never", init: [exit(1)], app: [WAITS], is: "Failed" },
  { policy: "Never", init: [WAITS, exit(1)], app: [WAITS], is: "Failed" },
  { policy: "Never", init: [exit(0)], app: [WAITS], is: "Pending" },
  { policy: "Never", init: [exit(0)], app: [exit(1)], is: "Failed" },
  // Its own policy counts more than the pod's.
  {
    policy: "Always",
    own: { restartPolicy: "Never" },
    init: [exit(1)],
    app: [WAITS],
    is: "Failed",
  },
  {
    policy: "Never",
    own: { restartPolicy: "OnFailure" },
    init: [exit(1)],
    app: [WAITS],
    is: "Pending",
  },
  // It was taken away to start anew.
  {
    policy: "Never",
    init: [WAITS, exit(137, "RestartingAllContainers")],
    app: [WAITS],
    is: "Pending",
  },
  // A sidecar.
  { policy: "Never", own: SIDECAR, init: [RUNS], app: [WAITS], is: "Pending" },
  {
    policy: "Never",
    own: SIDECAR,
    init: [RUNS],
    app: [RUNS],
    now: "initialized",
    is: "Running",
  },
  { policy: "Never", own: SIDECAR, init: [RUNS], app: [RUNS], is: "Pending" },
  {
    policy: "Never",
    own: SIDECAR,
    init: [RUNS, {}, "started"],
    app: [RUNS],
    is: "Running",
  },
  {
    policy: "Never",
    own: SIDECAR,
    init: [RUNS, {}, "started"],
    app: [exit(0)],
    now: "initialized",
    is: "Running",
  },
  {
    policy: "Never",
    own: SIDECAR,
    init: [exit(1)],
    app: [exit(0)],
    now: "ended",
    is: "Succeeded",
  },
  {
    policy: "Always",
    own: SIDECAR,
    init: [exit(0)],
    app: [exit(0)],
    now: "initialized",
    is: "Running",
  },
  {
    policy: "Always",
    own: SIDECAR,
    init: [WAITS],
    app: [RUNS],
    now: "initialized",
    is: "Pending",
  },
  {
    policy: "Always",
    own: SIDECAR,
    init: [WAITS, exit(1)],
    app: [RUNS],
    now: "initialized",
    is: "Running",
  },
  { policy: "Always", own: SIDECAR, app: [RUNS], is: "Pending" },
];

Deno.test("phase() heeds init containers and sidecars as the kubelet does", () => {
  for (const each of CASES) {
    assert.equal(phaseOf(each), each.is, JSON.stringify(each));
  }
});
