import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import {
  type ShutdownConfig,
  type ShutdownGates,
  shutdownGroups,
  shutdownTurns,
  wholeSeconds,
} from "./plan.ts";
import type { ShutdownGroup } from "./types.ts";

const OFF: ShutdownConfig = {
  shutdownGracePeriod: 0,
  shutdownGracePeriodCriticalPods: 0,
  shutdownGracePeriodByPodPriority: [],
};
const ON: ShutdownGates = {
  GracefulNodeShutdown: true,
  GracefulNodeShutdownBasedOnPodPriority: true,
};
const CRITICAL = 2_000_000_000;

function classes(...rows: readonly (readonly [number, number])[]) {
  return {
    shutdownGracePeriodByPodPriority: rows
      .map(([priority, shutdownGracePeriodSeconds]) => ({
        priority,
        shutdownGracePeriodSeconds,
      })),
  };
}

function groups(
  ...rows: readonly (readonly [number, number])[]
): readonly ShutdownGroup[] {
  return rows.map(([priority, seconds]) => ({ priority, seconds }));
}

for (
  const { title, config, gates = ON, expected } of [
    { title: "nothing configured", config: {}, expected: [] },
    {
      title: "a whole and a part for critical pods",
      config: {
        shutdownGracePeriod: 30_000,
        shutdownGracePeriodCriticalPods: 10_000,
      },
      expected: groups([0, 20], [CRITICAL, 10]),
    },
    {
      title: "nothing for critical pods",
      config: { shutdownGracePeriod: 30_000 },
      expected: groups([0, 30], [CRITICAL, 0]),
    },
    {
      title: "parts of seconds, which are cut off",
      config: {
        shutdownGracePeriod: 2_500,
        shutdownGracePeriodCriticalPods: 1_200,
      },
      expected: groups([0, 1], [CRITICAL, 1]),
    },
    {
      title: "more for critical pods than there is",
      config: {
        shutdownGracePeriod: 1_000,
        shutdownGracePeriodCriticalPods: 2_000,
      },
      expected: [],
    },
    {
      title: "classes in any order",
      config: classes([CRITICAL, 60], [0, 10], [1_000, 20]),
      expected: groups([0, 10], [1_000, 20], [CRITICAL, 60]),
    },
    {
      title: "classes with their gate off",
      config: { ...classes([0, 10]), shutdownGracePeriod: 5_000 },
      gates: { GracefulNodeShutdown: true },
      expected: groups([0, 5], [CRITICAL, 0]),
    },
    {
      title: "everything, with the gate off",
      config: { ...classes([0, 10]), shutdownGracePeriod: 5_000 },
      gates: { GracefulNodeShutdownBasedOnPodPriority: true },
      expected: [],
    },
  ]
) {
  Deno.test(`shutdownGroups() of ${title}`, () => {
    assert.deepEqual(shutdownGroups({ ...OFF, ...config }, gates), expected);
  });
}

/** Compat: the cases of upstream's Test_groupByPriority, as facts. */
const FOUR = groups([0, 10], [1_000, 20], [10_000, 30], [CRITICAL, 40]);

for (
  const [priority, index] of [
    [-2_000_000, 0],
    [-1, 0],
    [undefined, 0],
    [0, 0],
    [999, 0],
    [1_000, 1],
    [1_001, 1],
    [9_999, 1],
    [10_000, 2],
    [1_999_999_999, 2],
    [CRITICAL, 3],
    [2_000_001_000, 3],
  ] as const
) {
  Deno.test(`shutdownTurns() has a pod of priority ${priority} in group ${index}`, () => {
    const pod = aPod({ spec: priority === undefined ? {} : { priority } });
    const turns = shutdownTurns(FOUR, [pod]);
    assert.deepEqual(turns.map((turn) => turn.priority), [
      FOUR[index]?.priority,
    ]);
  });
}

Deno.test("shutdownTurns() has a pod above all groups in the highest", () => {
  const pod = aPod({ spec: { priority: 5_000 } });
  const [turn] = shutdownTurns(groups([10, 1], [1_000, 2]), [pod]);
  assert.equal(turn?.priority, 1_000);
});

for (
  const [own, group, expected] of [
    [30, 10, 10],
    [5, 10, 5],
    [10, 10, 10],
    [0, 10, 1],
    [30, 0, 1],
    [undefined, 10, 10],
  ] as const
) {
  Deno.test(`shutdownTurns() gives a pod of ${own} s in a group of ${group} s ${expected} s`, () => {
    const spec = own === undefined
      ? {}
      : { terminationGracePeriodSeconds: own };
    const pod = aPod({ spec });
    if (own === undefined) delete pod.spec?.terminationGracePeriodSeconds;
    const [turn] = shutdownTurns(groups([0, group]), [pod]);
    assert.deepEqual(turn?.pods.map(({ graceSeconds }) => graceSeconds), [
      expected,
    ]);
  });
}

Deno.test("shutdownTurns() ends every pod once, the lowest first, in its time", () => {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 300; round++) {
    const made = shutdownGroups({
      ...OFF,
      ...classes(
        ...Array.from(
          { length: 1 + next(5) },
          () => [next(20) - 5, next(30)] as const,
        ),
      ),
    }, ON);
    const pods = Array.from({ length: next(12) }, (_, index) =>
      aPod({
        uid: `pod-${index}`,
        spec: {
          priority: next(40) - 15,
          terminationGracePeriodSeconds: next(60),
        },
      }));
    const turns = shutdownTurns(made, pods);
    const ended = turns.flatMap((turn) => turn.pods.map(({ uid }) => uid));
    assert.deepEqual(
      [...ended].sort(),
      pods.map((p) => p.metadata?.uid).sort(),
    );
    const order = turns.map(({ priority }) => priority);
    assert.deepEqual(order, [...order].sort((one, other) => one - other));
    assert.ok(wholeSeconds(turns) <= wholeSeconds(made));
    for (const { pods, seconds } of turns) {
      assert.ok(pods.length > 0);
      for (const { graceSeconds } of pods) {
        assert.ok(graceSeconds >= 1 && graceSeconds <= Math.max(seconds, 1));
      }
    }
    const priorities = new Map(
      pods.map((pod) => [pod.metadata?.uid, pod.spec?.priority ?? 0]),
    );
    const sorted = ended.map((uid) => priorities.get(uid) ?? 0);
    // No pod goes before one of a lower group.
    const highest = made.at(-1)?.priority ?? 0;
    const lowest = made[0]?.priority ?? 0;
    const clamped = sorted.map((each) =>
      Math.max(lowest, Math.min(each, highest))
    );
    const floors = clamped.map((each) =>
      made.findLast(({ priority }) => priority <= each)?.priority ?? lowest
    );
    assert.deepEqual(floors, [...floors].sort((one, other) => one - other));
  }
});
