import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { ContainerState, PodStatusJson } from "../api/status.ts";
import { unseenStatus } from "../pod/status.ts";
import { aView } from "./fixture_test.ts";
import { initWord } from "./init_word.ts";

const POD = aPod({
  spec: {
    initContainers: [
      aContainer({ name: "proxy", restartPolicy: "Always" }),
      aContainer({ name: "first" }),
    ],
  },
});

function word(
  proxy: "started" | "starts",
  first: ContainerState,
  initialized: "True" | "False" = "False",
) {
  const status: PodStatusJson = {
    ...unseenStatus(POD),
    conditions: [{
      type: "Initialized",
      status: initialized,
      lastTransitionTime: "2026-01-02T03:04:05Z",
    }],
    initContainerStatuses: [["proxy", { running: {} }], ["first", first]]
      .map(([name, state]) => ({
        name: String(name),
        state: Object(state),
        lastState: {},
        ready: false,
        started: proxy === "started",
        restartCount: 0,
        image: "",
        imageID: "",
      })),
  };
  return initWord(aView({ pod: POD, status }));
}

Deno.test("initWord() says how far a pod is, as kubectl does", () => {
  const waits = { waiting: { reason: "PodInitializing" } };
  const loops = { waiting: { reason: "CrashLoopBackOff" } };
  const ended = (exitCode: number, reason: string) => ({
    terminated: { exitCode, reason },
  });
  assert.equal(word("starts", waits), "Init:0/2");
  assert.equal(word("started", waits), "Init:1/2");
  assert.equal(word("started", { running: {} }), "Init:1/2");
  assert.equal(word("started", loops), "Init:CrashLoopBackOff");
  assert.equal(word("started", ended(1, "Error")), "Init:Error");
  assert.equal(word("started", ended(7, "")), "Init:ExitCode:7");
  assert.equal(word("started", ended(0, "Completed")), undefined);
  assert.equal(word("started", loops, "True"), undefined);
});
