import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { ContainerState, ContainerStatusJson } from "../api/status.ts";
import { phase } from "./phase.ts";

const RUNS: ContainerState = { running: {} };
const LIVE = { isEnded: false, hasInitialized: true, isRestartingAll: false };
const WAITS: ContainerState = { waiting: { reason: "ContainerCreating" } };
const exit = (exitCode: number): ContainerState => ({
  terminated: { exitCode, reason: "" },
});

function status(
  name: string,
  state: ContainerState,
  lastState: ContainerState = {},
): ContainerStatusJson {
  return {
    name,
    state,
    lastState,
    ready: false,
    started: false,
    restartCount: 0,
    image: "",
    imageID: "",
  };
}

Deno.test("phase() tallies the containers as the kubelet does", () => {
  const backOff = [WAITS, exit(1)] as const;
  type Seen = readonly [ContainerState, ContainerState?];
  const table: [string, Seen, Seen, string][] = [
    ["Always", [RUNS], [RUNS], "Running"],
    ["Always", [RUNS], [WAITS], "Pending"],
    ["Always", [RUNS], [exit(1)], "Running"],
    ["Always", [exit(0)], [exit(0)], "Running"],
    ["Always", backOff, backOff, "Running"],
    ["Always", backOff, [WAITS], "Pending"],
    ["OnFailure", [exit(0)], [exit(0)], "Succeeded"],
    ["OnFailure", [exit(0)], [exit(1)], "Running"],
    ["OnFailure", [exit(0)], backOff, "Running"],
    ["OnFailure", [exit(0)], [RUNS], "Running"],
    ["Never", [exit(0)], [exit(0)], "Succeeded"],
    ["Never", [exit(0)], [exit(1)], "Failed"],
    ["Never", [exit(1)], [RUNS], "Running"],
    ["Never", [exit(1)], [WAITS], "Pending"],
    ["Never", backOff, [exit(0)], "Failed"],
  ];
  for (const [restartPolicy, [a, lastA], [b, lastB], expected] of table) {
    const pod = aPod({
      spec: { restartPolicy },
      containers: [aContainer({ name: "a" }), aContainer({ name: "b" })],
    });
    const statuses = [status("a", a, lastA), status("b", b, lastB)];
    assert.equal(
      phase(pod, statuses, LIVE),
      expected,
      JSON.stringify([restartPolicy, statuses]),
    );
  }
});

Deno.test("phase() heeds a container's own restart policy", () => {
  const pod = aPod({
    spec: { restartPolicy: "Never" },
    containers: [
      aContainer({ name: "a" }),
      aContainer({ name: "b", restartPolicy: "Always" }),
    ],
  });
  const statuses = [status("a", exit(1)), status("b", exit(0))];
  assert.equal(phase(pod, statuses, LIVE), "Running");
});

Deno.test("phase() is pending while a container has no status", () => {
  assert.equal(phase(aPod(), [], LIVE), "Pending");
});

Deno.test("phase() of a pod that is stopped for good is terminal", () => {
  const table: [ContainerState, string][] = [
    [exit(0), "Succeeded"],
    [exit(137), "Failed"],
    [WAITS, "Pending"],
    [RUNS, "Running"],
  ];
  const ended = { isEnded: true, hasInitialized: true, isRestartingAll: false };
  for (const [state, expected] of table) {
    assert.equal(phase(aPod(), [status("web", state)], ended), expected);
  }
  const annotations = { "kubernetes.io/config.source": "file" };
  const unmoved = phase(
    aPod({ annotations }),
    [status("web", exit(0))],
    ended,
  );
  assert.equal(unmoved, "Running", "a static pod's phase stays");
});

Deno.test("phase() does not call an end a success that is only the last one", () => {
  const pod = aPod({ spec: { restartPolicy: "OnFailure" } });
  assert.equal(phase(pod, [status("web", WAITS, exit(0))], LIVE), "Failed");
});
