import assert from "node:assert/strict";
import { shutdownViews } from "./agent_shutdown.ts";
import type { ShutdownStage, ShutdownView } from "./shutdown/types.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const UP: ShutdownView = {
  groups: [{ priority: 0, seconds: 20 }, { priority: 1_000, seconds: 10 }],
  stage: { kind: "up" },
  delayMs: 30_000,
  problem: undefined,
};

function lines(own: Partial<ShutdownView>): readonly (string | undefined)[] {
  const views = shutdownViews({ view: () => ({ ...UP, ...own }) }, NOW_MS);
  return views.flatMap(({ detail, problem }) => [detail, problem]);
}

Deno.test("shutdownViews() says who gets how long, and who waits for that", () => {
  const times = "pods get 20 s from priority 0 on, 10 s from priority 1000 on";
  assert.deepEqual(lines({}), [
    `${times}; logind waits up to 30 s for them`,
    undefined,
  ]);
  assert.deepEqual(lines({ delayMs: undefined, problem: "no bus" }), [
    `${times}; only PID 1 can tell, as the agent ends`,
    "no bus",
  ]);
});

Deno.test("shutdownViews() is empty where pods get no time", () => {
  assert.deepEqual(lines({ groups: [] }), []);
});

for (
  const [stage, expected] of [
    [
      { kind: "ending-pods", priority: 0, left: 2, untilMs: NOW_MS + 5_000 },
      "the machine goes down: waits for 2 of the pods from priority 0 on " +
      "until 03:04:10Z",
    ],
    [
      { kind: "telling" },
      "the machine goes down: tells the API server of the pods that have ended",
    ],
    [
      { kind: "done", atMs: NOW_MS },
      "the machine goes down: pods have ended, nothing is in its way",
    ],
  ] as const satisfies readonly (readonly [ShutdownStage, string])[]
) {
  Deno.test(`shutdownViews() tells of the stage ${stage.kind}`, () => {
    // Whatever was wrong before is no matter now.
    assert.equal(lines({ stage, problem: "no bus" })[1], expected);
  });
}
