import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  aPod,
  NOW_MS,
  someFacts,
} from "../../tests/build.ts";
import type { V1Container } from "../api/types.ts";
import { delayOf } from "./crash.ts";
import { mayRestart, probeRestartDelay, restartDelay } from "./restart.ts";

const LIMITS = upTo(300_000);

function upTo(longestRestartDelayMs: number) {
  return { firstRestartDelayMs: 10_000, longestRestartDelayMs };
}

Deno.test("restartDelay() counts from the exit and doubles for the next", () => {
  const table = [
    [0, 0, 10_000],
    [10_000, 10_000, 20_000],
    [160_000, 160_000, 300_000],
    [300_000, 300_000, 300_000],
    [999_000, 300_000, 300_000],
  ] as const;
  for (const [crashDelayMs, delayMs, nextCrashDelayMs] of table) {
    const made = restartDelay(
      aFailed({ crashDelayMs, finishedAtMs: NOW_MS }),
      LIMITS,
    );
    assert.deepEqual(made, {
      delayMs,
      dueAtMs: NOW_MS + delayMs,
      nextCrashDelayMs,
    });
  }
});

Deno.test("restartDelay() keeps within a limit below the first delay", () => {
  const made = restartDelay(aFailed({ crashDelayMs: 0 }), upTo(1_000));
  assert.equal(made.nextCrashDelayMs, 1_000);
  assert.equal(
    restartDelay(aFailed({ crashDelayMs: 1_000 }), upTo(1_000)).delayMs,
    1_000,
  );
});

Deno.test("restartDelay() forgets only after more than 600 s, whatever the limit", () => {
  // Compat: kubelet 1.36 crashLoopBackOff.HasExpiredFunc.
  for (const longestMs of [1_000, 300_000]) {
    const ran = (ms: number) =>
      restartDelay(
        aFailed({
          crashDelayMs: 1_000,
          startedAtMs: NOW_MS,
          finishedAtMs: NOW_MS + ms,
        }),
        upTo(longestMs),
      ).delayMs;
    assert.equal(ran(600_000), 1_000);
    assert.equal(ran(600_001), 0);
  }
});

Deno.test("restartDelay() takes the delay of another agent's container from its count", () => {
  const foreign = (count: number) => {
    const instance = aFailed({ attempt: count });
    const annotations = new Map(instance.annotations);
    annotations.delete("io.denolet.container.crashDelayMs");
    return restartDelay({ ...instance, annotations }, LIMITS).delayMs;
  };
  assert.deepEqual([0, 1, 2, 3, 6, 5000].map(foreign), [
    0,
    10_000,
    20_000,
    40_000,
    300_000,
    300_000,
  ]);
});

Deno.test("restartDelay() treats a container that never started as just ended", () => {
  const made = restartDelay(
    aFailed({ crashDelayMs: 40_000, startedAtMs: 0, finishedAtMs: NOW_MS }),
    LIMITS,
  );
  assert.equal(made.dueAtMs, NOW_MS + 40_000);
});

Deno.test("restartDelay() begins with the delay that the node sets", () => {
  const reduced = { firstRestartDelayMs: 1_000, longestRestartDelayMs: 60_000 };
  const delays = [0, 1_000, 32_000].map((crashDelayMs) =>
    restartDelay(aFailed({ crashDelayMs }), reduced).nextCrashDelayMs
  );
  assert.deepEqual(delays, [1_000, 2_000, 60_000]);
});

Deno.test("probeRestartDelay() waits only where the instance before ended lately", () => {
  const killed = (crashDelayMs: number, sinceMs: number | undefined) =>
    probeRestartDelay(
      aFailed({ crashDelayMs, finishedAtMs: NOW_MS }),
      sinceMs === undefined
        ? undefined
        : aFailed({ finishedAtMs: NOW_MS - sinceMs }),
      LIMITS,
    );
  const table = [
    // Nothing died before it: nothing is held against it.
    [0, undefined, 0, 0],
    [0, 30_000, 0, 10_000],
    [20_000, 30_000, 0, 40_000],
    [40_000, 30_000, 40_000, 80_000],
  ] as const;
  for (const [earnedMs, sinceMs, delayMs, nextCrashDelayMs] of table) {
    assert.deepEqual(killed(earnedMs, sinceMs), {
      delayMs,
      dueAtMs: NOW_MS + delayMs,
      nextCrashDelayMs,
    });
  }
});

Deno.test("mayRestart() asks the rules first, then the container's policy, then the pod's", () => {
  const rules = (operator: string, action = "Restart") => [{
    action,
    exitCodes: { operator, values: [42] },
  }];
  const table: [Partial<V1Container>, number, boolean][] = [
    [{}, 1, false],
    [{ restartPolicy: "OnFailure" }, 1, true],
    [{ restartPolicy: "OnFailure" }, 0, false],
    [{ restartPolicy: "Always" }, 0, true],
    [{ restartPolicy: "Never", restartPolicyRules: rules("In") }, 42, true],
    [{ restartPolicy: "Never", restartPolicyRules: rules("In") }, 1, false],
    [{ restartPolicy: "Never", restartPolicyRules: rules("NotIn") }, 42, false],
    [{ restartPolicy: "Never", restartPolicyRules: rules("NotIn") }, 1, true],
    [{ restartPolicy: "Never", restartPolicyRules: rules("?") }, 42, false],
    [
      {
        restartPolicy: "Never",
        restartPolicyRules: rules("In", "RestartAllContainers"),
      },
      42,
      true,
    ],
    // Without a policy of its own a container has no rules.
    [{ restartPolicyRules: rules("In") }, 42, false],
  ];
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  for (const [own, exitCode, expected] of table) {
    const made = mayRestart(pod, aContainer(own), exitCode);
    assert.equal(made, expected, JSON.stringify([own, exitCode]));
  }
});

Deno.test("delayOf() forgives a container whose image or resources are others", () => {
  const container = aContainer();
  const instance = aFailed({ crashDelayMs: 40_000 });
  const facts = someFacts({ containers: [instance] });
  const delay = (own: Partial<V1Container>) =>
    delayOf(facts, { ...container, ...own })?.delayMs;
  assert.equal(delay({}), 40_000);
  assert.equal(delay({ image: "busybox:2" }), undefined);
  const resources = { limits: { cpu: "1" } };
  assert.equal(delay({ resources }), undefined);
});
