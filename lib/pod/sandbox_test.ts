import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  aFailure,
  anInstance,
  aPod,
  aSandbox,
  type FactParts,
  HEALTHY,
  NOW_MS,
  running,
  someFacts,
} from "../../tests/build.ts";
import type { V1Pod } from "../api/types.ts";
import { planSandbox, sandboxIsUsable } from "./sandbox.ts";

const hostNetwork = aPod({ spec: { hostNetwork: true } });

function made(parts: FactParts & { readonly pod?: V1Pod }) {
  const { pod = aPod() } = parts;
  return planSandbox(someFacts({ ...parts, pod }), pod, NOW_MS);
}

const kinds = (plan: ReturnType<typeof made>) =>
  plan.actions.map(({ kind }) => kind);

Deno.test("sandboxIsUsable() asks for one ready sandbox with the right network", () => {
  const table: [string, FactParts & { pod?: V1Pod }, boolean][] = [
    ["none", {}, false],
    ["ready", { sandboxes: [aSandbox()] }, true],
    ["not ready", { sandboxes: [aSandbox({ isReady: false })] }, false],
    ["no address", { sandboxes: [aSandbox({ ips: [] })] }, false],
    [
      "host network needs no address",
      { pod: hostNetwork, sandboxes: [aSandbox({ pod: hostNetwork })] },
      true,
    ],
    [
      "host network wanted, pod network there",
      { pod: hostNetwork, sandboxes: [aSandbox()] },
      false,
    ],
    [
      "pod network wanted, host network there",
      { sandboxes: [aSandbox({ network: "node" })] },
      false,
    ],
    [
      "two ready",
      { sandboxes: [aSandbox({ id: "s1" }), aSandbox()] },
      false,
    ],
    [
      "an old one that is not ready",
      { sandboxes: [aSandbox({ id: "s1" }), aSandbox({ isReady: false })] },
      true,
    ],
    [
      "newest not ready, an old one ready",
      { sandboxes: [aSandbox({ id: "s1", isReady: false }), aSandbox()] },
      false,
    ],
  ];
  for (const [name, parts, expected] of table) {
    const { pod = aPod() } = parts;
    assert.equal(
      sandboxIsUsable(someFacts({ ...parts, pod }), pod),
      expected,
      name,
    );
  }
});

Deno.test("planSandbox() replaces a lost sandbox and counts it", () => {
  const plan = made({
    state: running(),
    sandboxes: [aSandbox({ attempt: 4, isReady: false })],
    containers: [anInstance()],
  });
  const [note] = plan.actions.filter(({ kind }) => kind === "note");
  assert.deepEqual(note, {
    kind: "note",
    type: "Normal",
    reason: "SandboxChanged",
    message: "Pod sandbox changed, it will be killed and re-created.",
  });
  const run = plan.actions.find((action) => action.kind === "run-sandbox");
  assert.equal(run?.kind === "run-sandbox" && run.spec.attempt, 5);
});

Deno.test("planSandbox() stops containers before the new sandbox is made", () => {
  const order = kinds(made({
    sandboxes: [aSandbox({ isReady: false })],
    containers: [anInstance()],
  }));
  assert.ok(order.includes("stop-containers"));
  assert.ok(order.indexOf("stop-containers") < order.indexOf("run-sandbox"));
});

Deno.test("planSandbox() stops every old sandbox, so that no address or host port stays taken", () => {
  // Compat: kubelet 1.36 killPodWithSyncResult stops them all: one whose pause
  // process died is not ready, but its network is still set up.
  const plan = made({
    sandboxes: [aSandbox({ id: "s1", isReady: false }), aSandbox()],
    containers: [aFailed()],
  });
  const stopped = plan.actions.flatMap((action) =>
    action.kind === "stop-sandbox" ? [action.id as string] : []
  );
  assert.deepEqual(stopped.sort(), ["s0", "s1"]);
});

Deno.test("planSandbox() makes no new sandbox for a pod that is to run once", () => {
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  const plan = made({
    pod,
    state: running(),
    sandboxes: [aSandbox({ isReady: false })],
    containers: [aFailed({ pod })],
  });
  assert.ok(!kinds(plan).includes("run-sandbox"));
  assert.equal(plan.next.kind, "done");
});

Deno.test("planSandbox() stops what still runs of a pod that is to run once", () => {
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  const plan = made({
    pod,
    state: running(),
    sandboxes: [aSandbox({ isReady: false })],
    containers: [anInstance({ pod })],
  });
  assert.ok(kinds(plan).includes("stop-containers"));
  assert.ok(!kinds(plan).includes("run-sandbox"));
});

Deno.test("planSandbox() makes a sandbox for a run-once pod of which nothing ran", () => {
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  assert.ok(kinds(made({ pod })).includes("run-sandbox"));
  assert.ok(
    kinds(made({ pod, sandboxes: [aSandbox({ isReady: false })] }))
      .includes("run-sandbox"),
  );
});

Deno.test("planSandbox() makes none when every container has succeeded", () => {
  const two = [aContainer({ name: "a" }), aContainer({ name: "b" })];
  const pod = aPod({ spec: { restartPolicy: "OnFailure" }, containers: two });
  const ended = (name: string, exitCode: number) =>
    aFailed({ pod, id: name, name, exitCode });
  const lost = [aSandbox({ isReady: false })];
  const all = made({
    pod,
    sandboxes: lost,
    containers: [ended("a", 0), ended("b", 0)],
  });
  assert.deepEqual(all.next, { kind: "done" });
  const one = made({
    pod,
    sandboxes: lost,
    containers: [ended("a", 0), ended("b", 1)],
  });
  assert.ok(kinds(one).includes("run-sandbox"));
  const asked = one.actions.flatMap((action) =>
    action.kind === "ensure-image" ? [action.container] : []
  );
  assert.deepEqual(asked, ["b"], "only for what will be started");
});

Deno.test("planSandbox() waits for the runtime, and for the network unless it is the host's", () => {
  const noRuntime = { ...HEALTHY, isReady: false, message: "down" };
  const noNetwork = { ...HEALTHY, isNetworkReady: false, message: "no cni" };
  const away = made({ runtime: noRuntime });
  assert.deepEqual(away.next, { kind: "waiting", for: "runtime" });
  assert.deepEqual(away.actions, []);
  const offline = made({ runtime: noNetwork });
  assert.deepEqual(offline.next, { kind: "waiting", for: "network" });
  assert.deepEqual(offline.actions, [{
    kind: "note",
    type: "Warning",
    reason: "NetworkNotReady",
    message: "network is not ready: no cni",
  }]);
  const still = made({ runtime: noNetwork, state: offline.next });
  assert.deepEqual(still.actions, []);
  assert.equal(offline.blockers[0]?.message, "no cni");
  assert.ok(
    kinds(made({ pod: hostNetwork, runtime: noNetwork }))
      .includes("run-sandbox"),
  );
});

Deno.test("planSandbox() tries a failed sandbox again when its time has come", () => {
  const failure = aFailure({ reason: "FailedCreatePodSandBox", count: 3 });
  const early = made({ failures: { sandbox: failure } });
  assert.deepEqual(early.actions, []);
  assert.equal(early.wakeAtMs, failure.retryAtMs);
  assert.equal(early.blockers[0]?.count, 3);
  const due = made({
    failures: { sandbox: { ...failure, retryAtMs: NOW_MS } },
  });
  assert.ok(kinds(due).includes("run-sandbox"));
});

Deno.test("planSandbox() says that a sandbox is not the first", () => {
  const notes = (parts: Parameters<typeof made>[0]) =>
    made(parts).actions.filter(({ kind }) => kind === "note");
  assert.deepEqual(notes({}), []);
  assert.deepEqual(
    notes({ sandboxes: [aSandbox({ isReady: false })] })
      .map((action) => action.kind === "note" && action.reason),
    ["SandboxChanged"],
  );
});

Deno.test("planSandbox() asks for no image twice", () => {
  const plan = made({ images: { web: { kind: "pulling", sinceMs: NOW_MS } } });
  assert.ok(!kinds(plan).includes("ensure-image"));
});
