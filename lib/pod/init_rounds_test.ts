/**
 * Whole lives of pods with init containers and sidecars, under random blows
 * with a fixed seed: whatever happens, the order holds, what may run once runs
 * once, and every pass comes to rest.
 */
import assert from "node:assert/strict";
import { dice, type Roll } from "../../tests/dice.ts";
import { aContainer, aPod } from "../../tests/build.ts";
import {
  aToldWorld,
  end,
  forgetAll,
  pass,
  type World,
} from "../../tests/fakes/decided_world.ts";
import { containersOf, initContainersOf, isSidecar } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { ObservedContainer } from "./facts.ts";

function aRandomPod(roll: Roll): V1Pod {
  const policies = ["Always", "OnFailure", "Never"];
  return aPod({
    spec: {
      restartPolicy: policies[roll(3)] ?? "Always",
      initContainers: Array.from(
        { length: 1 + roll(3) },
        (_, index) =>
          aContainer({
            name: `i${index}`,
            ...roll(3) === 0 ? { restartPolicy: "Always" } : {},
          }),
      ),
      ephemeralContainers: roll(3) === 0 ? [{ name: "e", image: "b:1" }] : [],
    },
    containers: ["a", "b"].slice(0, 1 + roll(2))
      .map((name) => aContainer({ name })),
  });
}

/** Something happens to the pod; its name, for the story. */
function blow(world: World, roll: Roll): string {
  const running = world.containers.filter(({ state }) => state === "running");
  const pick = running[roll(Math.max(1, running.length))];
  const blows: [string, () => void][] = [
    ["exit", () => end(world, (each) => each === pick, 0)],
    ["exit", () => end(world, (each) => each === pick, 0)],
    ["crash", () => end(world, (each) => each === pick, 1)],
    ["agent restart", () => forgetAll(world)],
    ["died before start", () => {
      world.containers = world.containers.map((each) =>
        each === pick ? { ...each, state: "created", startedAtMs: 0 } : each
      );
      forgetAll(world);
    }],
    ["sandbox lost", () => {
      if (roll(3) > 0) return;
      end(world, () => true, 137);
      world.sandboxes = world.sandboxes
        .map((each) => ({ ...each, isReady: false }));
    }],
    ["start fails", () => {
      world.broken.add("start-container");
    }],
    ["heals", () => world.broken.clear()],
  ];
  const [name, happen] = blows[roll(blows.length)] ?? ["nothing", () => {}];
  happen();
  return name;
}

/** Checks each start against what stood there before it. */
function checkStarts(world: World, seen: Map<string, ObservedContainer>): void {
  const { pod } = world;
  if (pod === undefined) return;
  const fresh = world.containers.filter(({ id }) => !seen.has(id)).reverse();
  for (const started of fresh) {
    const before = [...seen.values()]
      .filter(({ sandboxId }) => sandboxId === started.sandboxId);
    const all = initContainersOf(pod);
    const index = all.findIndex(({ name }) => name === started.name);
    const isRegular = containersOf(pod)
      .some(({ name }) => name === started.name);
    if (index >= 0 || isRegular) {
      const needed = index < 0 ? all : all.slice(0, index);
      for (const each of needed) checkPassed(each, before, started.name);
    }
    seen.set(started.id, started);
  }
  for (const each of world.containers) seen.set(each.id, each);
}

function checkPassed(
  container: V1Container,
  before: readonly ObservedContainer[],
  next: string,
): void {
  const { name } = container;
  const own = before.filter((each) => each.name === name);
  const isPassed = isSidecar(container)
    ? own.length > 0
    : own.some(({ state, exitCode }) => state === "exited" && exitCode === 0);
  assert.ok(isPassed, `${name} has done its part before ${next}`);
}

/** Once well ended, none is started again in the same sandbox. */
function checkOnce(world: World, seen: Map<string, ObservedContainer>): void {
  const { pod } = world;
  if (pod === undefined) return;
  const isNever = pod.spec?.restartPolicy === "Never";
  for (const container of initContainersOf(pod)) {
    if (isSidecar(container)) continue;
    const own = [...seen.values()].filter(({ name }) =>
      name === container.name
    );
    for (const sandbox of new Set(own.map(({ sandboxId }) => sandboxId))) {
      const here = own.filter(({ sandboxId }) => sandboxId === sandbox);
      const good = here.filter(({ state, exitCode }) =>
        state === "exited" && exitCode === 0
      );
      assert.ok(good.length <= 1, `${container.name} ends well once`);
    }
    const most = isNever ? 1 : Infinity;
    assert.ok(own.length <= most, `${container.name} runs once`);
  }
  const looks = [...seen.values()].filter(({ name }) => name === "e");
  assert.ok(looks.length <= 1, "an ephemeral container runs once");
}

Deno.test("decide() keeps the order of init containers, and what runs once, over 200 random lives", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const roll = dice(seed);
    const world = aToldWorld(aRandomPod(roll));
    const seen = new Map<string, ObservedContainer>();
    const story: string[] = [];
    try {
      for (let step = 0; step < 20; step++) {
        pass(world);
        checkStarts(world, seen);
        checkOnce(world, seen);
        story.push(blow(world, roll));
        for (const each of world.containers) seen.set(each.id, each);
        world.nowMs += 1_000 * roll(60);
      }
      world.pod = undefined;
      world.told = undefined;
      world.broken.clear();
      let { wakeAtMs } = pass(world);
      for (let wakes = 0; wakeAtMs !== undefined && wakes < 20; wakes++) {
        world.nowMs = wakeAtMs;
        ({ wakeAtMs } = pass(world));
      }
      assert.deepEqual(world.containers, []);
      assert.deepEqual(world.sandboxes, []);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      assert.fail(`seed ${seed}: ${story.join(", ")}: ${why}`);
    }
  }
});

Deno.test("decide() brings a pod that is let be to its end, sidecars and all", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const roll = dice(seed);
    const pod = aRandomPod(roll);
    const world = aToldWorld({
      ...pod,
      spec: { containers: [], ...pod.spec, restartPolicy: "Never" },
    });
    for (let step = 0; step < 20; step++) {
      const { wakeAtMs } = pass(world);
      if (wakeAtMs !== undefined) world.nowMs = wakeAtMs;
      if (roll(3) === 0) forgetAll(world);
      const next = world.containers.find(({ name, state }) =>
        state === "running" &&
        !initContainersOf(pod).some((each) =>
          each.name === name && isSidecar(each)
        )
      );
      end(world, (each) => each === next, 0);
    }
    pass(world);
    assert.equal(world.told?.status?.phase, "Succeeded", `seed ${seed}`);
    assert.ok(world.containers.every(({ state }) => state === "exited"));
    assert.ok(world.sandboxes.every(({ isReady }) => !isReady));
    assert.equal(world.state.kind, "done");
  }
});
