import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  running,
  someFacts,
} from "../../tests/build.ts";
import { aToldWorld, end, pass } from "../../tests/fakes/decided_world.ts";
import { plan } from "../../tests/fakes/legal_plan.ts";
import type { V1Container } from "../api/types.ts";
import { isRestartingAll } from "./restart_all.ts";
import { podStatus } from "./status.ts";

const RULES: Partial<V1Container> = {
  restartPolicy: "Never",
  restartPolicyRules: [{
    action: "RestartAllContainers",
    exitCodes: { operator: "In", values: [88] },
  }],
};
const POD = aPod({
  spec: {
    restartPolicy: "Never",
    initContainers: [aContainer({ name: "i" })],
  },
  containers: [
    aContainer({ name: "app", ...RULES }),
    aContainer({ name: "other" }),
  ],
});

const source = aFailed({ pod: POD, name: "app", id: "app", exitCode: 88 });
const other = anInstance({ pod: POD, name: "other", id: "other" });
const init = anInstance({ pod: POD, name: "i", id: "i", state: "exited" });

Deno.test("isRestartingAll() sees a rule that matches, or that did", () => {
  const seen = (containers: (typeof source)[]) =>
    isRestartingAll(POD, { sandboxes: [], containers, atMs: 0 }, undefined);
  assert.equal(seen([source, other]), true);
  assert.equal(seen([{ ...source, exitCode: 1 }, other]), false);
  const next = anInstance({ pod: POD, name: "app", id: "app2" });
  assert.equal(seen([next, source]), false, "it has begun anew");
  assert.equal(seen([]), false);
});

Deno.test("planRun() stops and removes all, the cause last, and keeps the logs", () => {
  const look = anInstance({ pod: POD, name: "look", id: "look" });
  const { actions } = plan({
    pod: POD,
    state: running(),
    sandboxes: [aSandbox()],
    containers: [source, other, look, init],
    isRestartingAll: true,
  });
  assert.deepEqual(
    actions.map((action) =>
      action.kind === "remove-container"
        ? [action.id, action.log]
        : action.kind === "stop-containers"
        ? action.containers.map(({ id }) => id)
        : action.kind
    ),
    [["other"], ["other", undefined], ["i", undefined], ["app", undefined]],
  );
});

Deno.test("podStatus() says that all are restarting, and counts it", () => {
  const parts = { pod: POD, state: running(), sandboxes: [aSandbox()] };
  const at = (containers: (typeof source)[]) => ({
    facts: someFacts({ ...parts, containers, isRestartingAll: true }),
    plan: {
      next: running(),
      actions: [],
      blockers: [],
      waiting: new Map(),
    },
    pod: POD,
  });
  const condition = (made: ReturnType<typeof podStatus>) =>
    made.conditions.find(({ type }) => type === "AllContainersRestarting");
  const during = podStatus(at([source, other, init]), undefined, NOW_MS);
  assert.equal(condition(during)?.status, "True");
  assert.equal(condition(during)?.reason, "RestartAllContainersStarted");
  assert.equal(during.phase, "Running");
  const after = podStatus(at([]), during, NOW_MS);
  assert.equal(condition(after)?.status, "False");
  assert.equal(after.phase, "Running", "what was taken away will run again");
  for (
    const each of [
      ...after.initContainerStatuses ?? [],
      ...after.containerStatuses,
    ]
  ) {
    assert.equal(each.state.waiting?.reason, "RestartingAllContainers");
    assert.equal(each.lastState.terminated?.exitCode, 137);
    assert.equal(each.restartCount, 1, each.name);
  }
});

Deno.test("decide() starts a pod anew from its first container, over and over", () => {
  const world = aToldWorld(POD);
  for (let round = 0; round < 3; round++) {
    pass(world);
    assert.deepEqual(world.containers.map(({ name }) => name), ["i"]);
    end(world, ({ name }) => name === "i", 0);
    pass(world);
    assert.equal(world.told?.status?.phase, "Running");
    end(world, ({ name }) => name === "app", 88);
  }
  assert.equal(world.sandboxes.length, 1, "its sandbox stays");
});
