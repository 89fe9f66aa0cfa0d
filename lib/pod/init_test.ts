/** Whose turn it is among the init containers: one decision at a time. */
import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  anInstance,
  aPod,
  aSandbox,
  type FactParts,
  NOW_MS,
  PRESENT,
  running,
  someFacts,
} from "../../tests/build.ts";
import { plan } from "../../tests/fakes/legal_plan.ts";
import { containerId } from "../api/id.ts";
import type { V1Container, V1EphemeralContainer, V1Pod } from "../api/types.ts";
import type { Verdict } from "../probe/types.ts";
import type { ObservedContainer } from "./facts.ts";
import { hasFailedInit } from "./init.ts";

const SIDECAR = { restartPolicy: "Always" };
const PROBE = { startupProbe: { exec: { command: ["ok"] } } };
const IMAGES = { i: PRESENT, j: PRESENT, app: PRESENT, look: PRESENT };

function podOf(
  init: readonly Partial<V1Container>[],
  restartPolicy = "Always",
): V1Pod {
  return aPod({
    spec: {
      restartPolicy,
      initContainers: ["i", "j"].slice(0, init.length)
        .map((name, index) => aContainer({ name, ...init[index] })),
    },
    containers: [aContainer({ name: "app" })],
  });
}

/** What is done, in a word each: `start i`, `stop i`, `stop sandbox`. */
function done(
  pod: V1Pod,
  containers: readonly ObservedContainer[],
  more: FactParts = {},
): string[] {
  const { actions } = plan({
    pod,
    state: running(),
    sandboxes: [aSandbox()],
    containers,
    images: IMAGES,
    ...more,
  });
  return actions.flatMap((action) => {
    switch (action.kind) {
      case "start-container":
        return [`start ${action.container.name}`];
      case "start-created-container":
        return [`resume ${action.name}`];
      case "stop-containers":
        return action.containers.map(({ name }) => `stop ${name}`);
      case "stop-sandbox":
        return ["stop sandbox"];
      case "remove-container":
        return [`remove ${action.id}`];
      default:
        return [];
    }
  });
}

const runs = (name: string, pod: V1Pod, own = {}) =>
  anInstance({ id: `${name}-1`, name, pod, ...own });
const ended = (name: string, pod: V1Pod, exitCode: number, own = {}) =>
  runs(name, pod, {
    state: "exited",
    exitCode,
    reason: exitCode === 0 ? "Completed" : "Error",
    finishedAtMs: NOW_MS - 1_000,
    ...own,
  });

Deno.test("planInit() takes the containers in their order", () => {
  const pod = podOf([{}, {}]);
  assert.deepEqual(done(pod, []), ["start i"]);
  assert.deepEqual(done(pod, [runs("i", pod)]), []);
  assert.deepEqual(done(pod, [ended("i", pod, 0)]), ["start j"]);
  const j = ended("j", pod, 0);
  assert.deepEqual(done(pod, [j, ended("i", pod, 0)]), ["start app"]);
  assert.deepEqual(done(pod, [j]), ["start app"], "the first is forgotten");
  const created = runs("i", pod, { state: "created" });
  assert.deepEqual(done(pod, [created]), ["resume i"]);
});

Deno.test("planInit() is done for good once a regular container was made", () => {
  const pod = podOf([{}, SIDECAR]);
  for (const app of [runs("app", pod), ended("app", pod, 1)]) {
    assert.deepEqual(
      done(pod, [app]).filter((each) => each !== "start app"),
      ["start j"],
    );
  }
});

Deno.test("planInit() counts only what ran in this sandbox", () => {
  const pod = podOf([{}]);
  const before = { sandboxId: "s-old" };
  const old = [ended("app", pod, 1, before), ended("i", pod, 0, before)];
  assert.deepEqual(done(pod, old), ["start i"]);
});

Deno.test("planInit() tries a failure again by policy, and after its delay", () => {
  const cases: [string, string[], string?][] = [
    ["Always", ["start i"]],
    ["OnFailure", ["start i"]],
    ["Never", ["stop sandbox"]],
    ["Always", ["start i"], "OnFailure"],
    ["Always", ["stop sandbox"], "Never"],
    ["Never", ["start i"], "OnFailure"],
  ];
  for (const [policy, expected, own] of cases) {
    const container = own === undefined ? {} : { restartPolicy: own };
    const pod = podOf([container], policy);
    const made = done(pod, [ended("i", pod, 1)]);
    assert.deepEqual(made, expected, `${policy}, ${own}`);
  }
  const pod = podOf([{}]);
  const late = ended("i", pod, 1, { crashDelayMs: 20_000 });
  assert.deepEqual(done(pod, [late]), []);
});

Deno.test("planInit() takes running out of memory for a failure, whatever the code", () => {
  const killed = { reason: "OOMKilled" };
  const always = podOf([{}]);
  assert.deepEqual(done(always, [ended("i", always, 0, killed)]), ["start i"]);
  const never = podOf([{}], "Never");
  const made = done(never, [ended("i", never, 0, killed)]);
  assert.deepEqual(made, ["stop sandbox"]);
});

Deno.test("planInit() goes on once a sidecar has started", () => {
  const verdicts = (verdict: Partial<Verdict>) => ({
    verdicts: new Map([[
      containerId("i-1"),
      { isStarted: false, isReady: false, failed: undefined, ...verdict },
    ]]),
  });
  const plain = podOf([SIDECAR, {}]);
  assert.deepEqual(done(plain, [runs("i", plain)]), ["start j"]);
  const pod = podOf([{ ...SIDECAR, ...PROBE }, {}]);
  const instances = [runs("i", pod)];
  assert.deepEqual(done(pod, instances), [], "nobody has asked yet");
  assert.deepEqual(done(pod, instances, verdicts({})), []);
  const started = verdicts({ isStarted: true });
  assert.deepEqual(done(pod, instances, started), ["start j"]);
  const failed = verdicts({ failed: "startup" });
  assert.deepEqual(done(pod, instances, failed), ["stop i"]);
});

Deno.test("planInit() restarts a sidecar as long as the pod runs, whatever its code", () => {
  for (const exitCode of [0, 1]) {
    const pod = podOf([SIDECAR], "Never");
    const instances = [runs("app", pod), ended("i", pod, exitCode)];
    assert.deepEqual(done(pod, instances), ["start i"]);
  }
});

Deno.test("planRun() stops the sidecars when the work is done", () => {
  const pod = podOf([SIDECAR], "Never");
  const instances = [ended("app", pod, 1), runs("i", pod)];
  assert.deepEqual(done(pod, instances), ["stop i", "stop sandbox"]);
  const gone = [ended("app", pod, 0), ended("i", pod, 1)];
  assert.deepEqual(done(pod, gone), ["stop sandbox"], "it is not restarted");
});

Deno.test("planRun() says why a probe has a container stopped, with its grace", () => {
  const probes = {
    livenessProbe: { terminationGracePeriodSeconds: 60 },
    startupProbe: {},
  };
  const stop = (
    policy: string,
    failed: "liveness" | "startup",
    own: Partial<V1Container> = {},
  ) => {
    const pod = aPod({
      spec: {
        restartPolicy: policy,
        ...own.name === "i"
          ? {
            initContainers: [aContainer({ ...SIDECAR, ...probes, name: "i" })],
          }
          : {},
      },
      containers: [aContainer({ name: "app", ...probes })],
    });
    const name = own.name ?? "app";
    const { actions } = plan({
      pod,
      state: running(),
      sandboxes: [aSandbox()],
      containers: [runs(name, pod)],
      images: IMAGES,
      verdicts: new Map([
        [containerId(`${name}-1`), { isStarted: true, isReady: true, failed }],
      ]),
    });
    return actions.flatMap((action) =>
      action.kind === "stop-containers"
        ? action.containers.map((c) => [c.message, c.graceSeconds] as const)
        : []
    )[0];
  };
  assert.deepEqual(stop("Always", "liveness"), [
    "Container app failed liveness probe, will be restarted",
    60,
  ]);
  assert.deepEqual(stop("Never", "startup"), [
    "Container app failed startup probe",
    30,
  ]);
  assert.deepEqual(stop("Never", "liveness", { name: "i" }), [
    "Init container i failed liveness probe",
    60,
  ]);
});

Deno.test("planRun() starts a container that a probe had stopped, be its code 0", () => {
  const verdicts = new Map([[containerId("app-1"), {
    isStarted: true,
    isReady: false,
    failed: "liveness" as const,
  }]]);
  for (const [policy, expected] of [["OnFailure", 1], ["Never", 0]] as const) {
    const pod = aPod({
      spec: { restartPolicy: policy },
      containers: [aContainer({ name: "app" })],
    });
    const made = done(pod, [ended("app", pod, 0)], { verdicts });
    const starts = made.filter((each) => each === "start app");
    assert.equal(starts.length, expected, policy);
  }
});

Deno.test("planRun() starts an ephemeral container once, in its target's processes", () => {
  const look = { name: "look", image: "busybox:1", targetContainerName: "app" };
  const pod = podOf([{}]);
  pod.spec = { containers: [], ...pod.spec, ephemeralContainers: [look] };
  const app = runs("app", pod);
  assert.deepEqual(done(pod, [app]), ["start look"]);
  assert.deepEqual(done(pod, [app, ended("look", pod, 1)]), []);
  const lost = { lost: new Set(["look"]) };
  assert.deepEqual(done(pod, [app], lost), []);
  const made = plan({
    pod,
    state: running(),
    sandboxes: [aSandbox()],
    containers: [app],
    images: IMAGES,
  }).actions.find(({ kind }) => kind === "start-container");
  assert.ok(made?.kind === "start-container");
  const { pid, targetId } = made.container.security.namespaces;
  assert.deepEqual([pid, targetId], ["target", app.id]);
  const unfound = plan({
    pod: podWith(pod, { ...look, targetContainerName: "nobody" }),
    state: running(),
    sandboxes: [aSandbox()],
    containers: [app],
    images: IMAGES,
  });
  assert.deepEqual(unfound.waiting.get("look"), {
    what: "CreateContainerConfigError",
    message: "unable to find target container nobody",
  });
});

function podWith(pod: V1Pod, look: V1EphemeralContainer): V1Pod {
  return {
    ...pod,
    spec: { containers: [], ...pod.spec, ephemeralContainers: [look] },
  };
}

Deno.test("hasFailedInit() sees what failed, and what was lost, for good", () => {
  const pod = podOf([{}, SIDECAR], "Never");
  const failed = (containers: ObservedContainer[], lost: string[] = []) =>
    hasFailedInit(someFacts({ pod, containers, lost: new Set(lost) }), pod);
  assert.equal(failed([]), false);
  assert.equal(failed([ended("i", pod, 1)]), true);
  assert.equal(failed([ended("i", pod, 0)]), false);
  assert.equal(failed([aFailed({ name: "j", pod })]), false);
  assert.equal(failed([], ["i"]), true);
  assert.equal(failed([ended("i", pod, 0)], ["i"]), false);
});
