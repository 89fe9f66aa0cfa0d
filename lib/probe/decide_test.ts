import assert from "node:assert/strict";
import type { V1Probe } from "../api/types.ts";
import {
  afterAnswer,
  type Answer,
  firstState,
  gate,
  type ProbeState,
  tickAfter,
  tickAgain,
  tickFrom,
  verdictOf,
} from "./decide.ts";
import type { ProbeKind, Verdict } from "./types.ts";

const NOW = 1_000_000;

function after(
  kind: ProbeKind,
  answers: readonly Answer[],
  spec: V1Probe = {},
): ProbeState {
  return answers.reduce(
    (state, answer) => afterAnswer(kind, state, { answer, spec }),
    firstState(kind, undefined),
  );
}

Deno.test("firstState() trusts liveness, and nothing else", () => {
  assert.equal(firstState("liveness", undefined).recorded, "success");
  assert.equal(firstState("readiness", undefined).recorded, "failure");
  assert.equal(firstState("startup", undefined).recorded, "unknown");
});

Deno.test("firstState() keeps what was told of the same instance", () => {
  const told = { isStarted: true, isReady: true };
  assert.equal(firstState("readiness", told).recorded, "success");
  const startup = firstState("startup", told);
  assert.deepEqual([startup.recorded, startup.isOnHold], ["success", true]);
});

const ok: Answer = "success";
const no: Answer = "failure";

const STREAKS: readonly [
  string,
  ProbeKind,
  readonly Answer[],
  V1Probe,
  ProbeState["recorded"],
][] = [
  ["two failures of three", "liveness", [no, no], {}, "success"],
  ["three failures of three", "liveness", [no, no, no], {}, "failure"],
  ["failures that a success parts", "liveness", [no, no, ok, no, no], {}, ok],
  ["one success", "readiness", [ok], {}, "success"],
  ["one success of two", "readiness", [ok], { successThreshold: 2 }, no],
  ["two of two", "readiness", [ok, ok], { successThreshold: 2 }, ok],
  ["a failure after all was well", "readiness", [ok, no], {}, "success"],
  ["one failure of one", "readiness", [ok, no], { failureThreshold: 1 }, no],
  ["a startup that fails at first", "startup", [no, no], {}, "unknown"],
  ["a startup that fails for good", "startup", [no, no, no], {}, "failure"],
];

for (const [what, kind, answers, spec, recorded] of STREAKS) {
  Deno.test(`afterAnswer() records ${recorded} after ${what}`, () => {
    assert.equal(after(kind, answers, spec).recorded, recorded);
  });
}

Deno.test("afterAnswer() holds a probe whose word is final", () => {
  assert.equal(after("startup", [ok]).isOnHold, true);
  assert.equal(after("startup", [no, no, no]).isOnHold, true);
  assert.equal(after("startup", [no, no]).isOnHold, false);
  assert.equal(after("liveness", [no, no, no]).isOnHold, true);
  assert.equal(after("liveness", [ok]).isOnHold, false);
  assert.equal(after("readiness", [no, no, no]).isOnHold, false);
});

Deno.test("gate() lets startup go first and then no more", () => {
  const around = {
    spec: {},
    isStopping: false,
    startedAtMs: NOW,
    nowMs: NOW,
  };
  const kindOf = (kind: ProbeKind, own: object) =>
    gate(kind, firstState(kind, undefined), {
      ...around,
      isStarted: true,
      ...own,
    }).kind;
  assert.equal(kindOf("startup", { isStarted: false }), "open");
  assert.equal(kindOf("startup", { isStarted: true }), "closed");
  assert.equal(kindOf("readiness", { isStarted: false }), "closed");
  assert.equal(kindOf("liveness", { isStarted: false }), "closed");
  assert.equal(kindOf("liveness", { isStarted: true }), "open");
  const stopping = { isStopping: true };
  assert.equal(kindOf("readiness", stopping), "open");
  assert.equal(kindOf("liveness", stopping), "closed");
  assert.equal(kindOf("startup", { ...stopping, isStarted: false }), "closed");
});

Deno.test("gate() waits for the initial delay since the start", () => {
  const state = firstState("liveness", undefined);
  const at = (nowMs: number) =>
    gate("liveness", state, {
      spec: { initialDelaySeconds: 5 },
      isStarted: true,
      isStopping: false,
      startedAtMs: NOW,
      nowMs,
    });
  assert.deepEqual(at(NOW + 4_999), { kind: "later", atMs: NOW + 5_000 });
  assert.deepEqual(at(NOW + 5_000), { kind: "open" });
});

const VERDICTS: readonly [
  string,
  Partial<Record<ProbeKind, Answer[]>>,
  Verdict,
][] = [
  ["a container that is alive", { liveness: [] }, {
    isStarted: true,
    isReady: true,
    failed: undefined,
  }],
  ["one that starts", { startup: [], readiness: [ok] }, {
    isStarted: false,
    isReady: false,
    failed: undefined,
  }],
  ["one that started", { startup: [ok], readiness: [] }, {
    isStarted: true,
    isReady: false,
    failed: undefined,
  }],
  ["one that never started", { startup: [no, no, no] }, {
    isStarted: false,
    isReady: false,
    failed: "startup",
  }],
  ["one that died", { liveness: [no, no, no], readiness: [ok] }, {
    isStarted: true,
    isReady: true,
    failed: "liveness",
  }],
];

for (const [what, probes, verdict] of VERDICTS) {
  Deno.test(`verdictOf() judges ${what}`, () => {
    const kinds = ["startup", "readiness", "liveness"] as const;
    const states = new Map(kinds.flatMap((kind) => {
      const answers = probes[kind];
      return answers === undefined ? [] : [[kind, after(kind, answers)]];
    }));
    assert.deepEqual(verdictOf(states, { isStopping: false }), verdict);
    const stopping = verdictOf(states, { isStopping: true });
    assert.deepEqual(stopping, { ...verdict, failed: undefined });
  });
}

Deno.test("ticks stay whole periods apart, and one missed is made up for", () => {
  assert.equal(tickAfter(100, 1000, 50), 100);
  assert.equal(tickAfter(100, 1000, 100), 1100);
  assert.equal(tickAfter(100, 1000, 2099), 2100);
  assert.equal(tickFrom(100, 1000, 1100), 1100);
  assert.equal(tickFrom(100, 1000, 1101), 2100);
  assert.equal(tickFrom(100, 1000, 7), 100);
  assert.equal(tickAgain(100, 1000, { dueMs: 1100, nowMs: 1200 }), 2100);
  assert.equal(tickAgain(100, 1000, { dueMs: 1100, nowMs: 2150 }), 2100);
  assert.equal(tickAgain(100, 1000, { dueMs: 1100, nowMs: 5350 }), 5100);
});
