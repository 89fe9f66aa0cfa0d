import assert from "node:assert/strict";
import {
  aContainer,
  anInstance,
  aPod,
  NOW_MS,
  someFacts,
} from "../../tests/build.ts";
import type { ContainerState, PodStatusJson } from "../api/status.ts";
import { decide } from "./decide.ts";
import type { ObservedPod } from "./facts.ts";
import { lostForGood } from "./lost.ts";
import { unseenStatus } from "./status.ts";

const NOTHING = { sandboxes: [], containers: [], atMs: NOW_MS };

function once(restartPolicy: string) {
  return aPod({ containers: [aContainer()], spec: { restartPolicy } });
}

function told(state: ContainerState): PodStatusJson {
  const status = {
    name: "web",
    state,
    lastState: {},
    ready: false,
    started: false,
    restartCount: 0,
    image: "",
    imageID: "",
  };
  return { ...unseenStatus(aPod()), containerStatuses: [status] };
}

/** What is told of it while nothing is decided yet. */
function toldLost(): PodStatusJson {
  const whole = told({ waiting: { reason: "ContainerCreating" } });
  const terminated = { exitCode: 137, reason: "ContainerStatusUnknown" };
  const containerStatuses = whole.containerStatuses
    .map((each) => ({ ...each, lastState: { terminated } }));
  return { ...whole, containerStatuses };
}

function ended(exitCode: number): PodStatusJson {
  return told({ terminated: { exitCode, reason: "Error" } });
}

Deno.test("lostForGood() names what ran and may not run again", () => {
  const running = told({ running: {} });
  const table: [string, PodStatusJson | undefined, string[]][] = [
    ["Never", undefined, []],
    ["Never", told({ waiting: { reason: "ContainerCreating" } }), []],
    ["Never", running, ["web"]],
    ["Never", ended(0), ["web"]],
    ["Never", toldLost(), ["web"]],
    ["OnFailure", running, []],
    ["OnFailure", toldLost(), []],
    ["OnFailure", ended(0), ["web"]],
    ["OnFailure", ended(1), []],
    ["Always", ended(0), []],
  ];
  for (const [policy, status, expected] of table) {
    const found = lostForGood(once(policy), NOTHING, status);
    assert.deepEqual([...found], expected, policy);
  }
});

Deno.test("lostForGood() names init and ephemeral containers too", () => {
  const pod = aPod({
    spec: {
      restartPolicy: "Never",
      initContainers: [
        aContainer({ name: "i" }),
        aContainer({ name: "s", restartPolicy: "Always" }),
      ],
      ephemeralContainers: [{ name: "e", image: "b:1" }],
    },
  });
  const lost = (state: ContainerState, observed: ObservedPod = NOTHING) => {
    const named = (name: string) =>
      told(state).containerStatuses.map((each) => ({ ...each, name }));
    const status = {
      ...unseenStatus(pod),
      initContainerStatuses: [...named("i"), ...named("s")],
      ephemeralContainerStatuses: named("e"),
    };
    return [...lostForGood(pod, observed, status)];
  };
  assert.deepEqual(lost({ running: {} }), ["i", "e"]);
  assert.deepEqual(lost({ terminated: { exitCode: 0, reason: "" } }), ["e"]);
  assert.deepEqual(lost({ waiting: { reason: "PodInitializing" } }), []);
  const begun = { ...NOTHING, containers: [anInstance({ pod })] };
  assert.deepEqual(lost({ running: {} }, begun), ["e"], "it is initialised");
  const taken = { exitCode: 137, reason: "RestartingAllContainers" };
  assert.deepEqual(lost({ terminated: taken }), []);
});

Deno.test("lostForGood() passes over what the runtime has", () => {
  const observed = { ...NOTHING, containers: [anInstance()] };
  assert.equal(lostForGood(once("Never"), observed, ended(0)).size, 0);
});

Deno.test("decide() starts nothing twice that runs once", () => {
  const lost = new Set(["web"]);
  const plan = decide(someFacts({ pod: once("Never"), lost }), NOW_MS);
  assert.deepEqual(plan.next, { kind: "done" });
  assert.deepEqual(plan.actions, []);
});
