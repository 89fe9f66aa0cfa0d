/**
 * Whole lives of a pod: a tiny world to which plans are applied the way
 * `sync/worker.ts` does, round after round until the pod is at rest, under
 * random blows with a fixed seed.
 */
import assert from "node:assert/strict";
import { aContainer, aPod, SETTINGS } from "../../tests/build.ts";
import {
  aWorld,
  crashOnce,
  end,
  forgetAll,
  pass,
  starts,
  type World,
} from "../../tests/fakes/decided_world.ts";
import { sandboxId } from "../api/id.ts";
import type { Action } from "./action.ts";

Deno.test("decide() restarts a crashing container after 0, 10, 20, 40, 80, 160, 300, 300 s", () => {
  const world = aWorld(aPod());
  pass(world);
  const delays = Array.from({ length: 8 }, () => crashOnce(world, 1_000));
  assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
  assert.deepEqual(
    starts(world).map(({ attempt }) => attempt),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
});

Deno.test("decide() forgets crashes after more than 600 s of running", () => {
  const world = aWorld(aPod());
  pass(world);
  for (let i = 0; i < 4; i++) crashOnce(world, 1_000);
  assert.equal(crashOnce(world, 600_000), 80, "600 s are not enough");
  assert.equal(crashOnce(world, 600_001), 0);
  assert.equal(crashOnce(world, 1_000), 10);
});

Deno.test("decide() keeps crash delays and counts over restarts of the agent", () => {
  const world = aWorld(aPod());
  pass(world);
  const delays = Array.from({ length: 7 }, () => {
    forgetAll(world);
    const delay = crashOnce(world, 1_000);
    return delay;
  });
  assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300]);
  assert.equal(starts(world).at(-1)?.attempt, 7);
});

Deno.test("decide() starts a container with a new image at once, whatever its crashes", () => {
  const world = aWorld(aPod());
  pass(world);
  for (let i = 0; i < 5; i++) crashOnce(world, 1_000);
  end(world, () => true, 1);
  world.pod = aPod({ containers: [aContainer({ image: "busybox:2" })] });
  pass(world);
  assert.equal(world.containers[0]?.state, "running");
  assert.equal(world.containers[0]?.image, "busybox:2");
  assert.equal(crashOnce(world, 1_000), 0, "and its crashes count from none");
});

Deno.test("decide() replaces a running container whose image changed, even one that runs once", () => {
  const spec = { restartPolicy: "Never" };
  const world = aWorld(aPod({ spec }));
  pass(world);
  world.pod = aPod({
    spec,
    containers: [aContainer({ image: "busybox:2" })],
  });
  pass(world);
  assert.deepEqual(
    world.containers.map(({ state, image }) => [state, image]),
    [["running", "busybox:2"], ["exited", "busybox:1"]],
  );
});

Deno.test("decide() starts anew a container that was created in a lost sandbox", () => {
  const world = aWorld(aPod());
  pass(world);
  world.containers = world.containers
    .map((c) => ({ ...c, state: "created", startedAtMs: 0 }));
  world.sandboxes = world.sandboxes.map((s) => ({ ...s, isReady: false }));
  pass(world);
  const [newest] = world.containers;
  assert.equal(newest?.state, "running");
  assert.equal(newest?.sandboxId, world.sandboxes[0]?.id);
});

Deno.test("decide() leaves no container of a run-once pod running in a lost sandbox", () => {
  const world = aWorld(aPod({ spec: { restartPolicy: "Never" } }));
  pass(world);
  world.sandboxes = world.sandboxes.map((s) => ({ ...s, isReady: false }));
  pass(world);
  assert.deepEqual(world.containers.map(({ state }) => state), ["exited"]);
  assert.equal(world.sandboxes.length, 1);
  assert.equal(world.state.kind, "done");
});

Deno.test("decide() removes a pod's files although the first try failed", () => {
  for (const kind of ["remove-pod-files", "remove-cgroup"] as const) {
    const world = aWorld(aPod());
    pass(world);
    world.pod = undefined;
    world.broken.add(kind);
    const { wakeAtMs } = pass(world);
    assert.ok(wakeAtMs !== undefined, `${kind} is tried again`);
    world.broken.clear();
    world.nowMs = wakeAtMs;
    pass(world);
    assert.equal(world.hasFiles, false);
    assert.equal(world.state.kind, "done");
    assert.equal(world.done.at(-1)?.action.kind, "remove-sandbox");
    assert.ok(world.done.some(({ action }) => action.kind === kind));
  }
});

Deno.test("decide() makes a pass come to rest whatever step fails", () => {
  const steps: Action["kind"][] = [
    "make-pod-files",
    "run-sandbox",
    "start-container",
    "stop-containers",
    "stop-sandbox",
    "remove-sandbox",
    "remove-container",
    "remove-pod-files",
    "remove-cgroup",
  ];
  const stories: ((world: World) => void)[] = [
    () => {},
    (world) => end(world, () => true, 1),
    (world) => {
      world.sandboxes = world.sandboxes.map((s) => ({ ...s, isReady: false }));
    },
    (world) => {
      world.pod = undefined;
    },
    (world) => {
      world.pod = aPod({ containers: [aContainer({ image: "b:2" })] });
    },
  ];
  for (const restartPolicy of ["Always", "Never"]) {
    for (const step of steps) {
      for (const story of stories) {
        const world = aWorld(aPod({ spec: { restartPolicy } }));
        pass(world);
        world.broken.add(step);
        story(world);
        pass(world);
      }
      const fresh = aWorld(aPod({ spec: { restartPolicy } }));
      fresh.broken.add(step);
      pass(fresh);
    }
  }
});

Deno.test("decide() waits after a created container could not be started", () => {
  const world = aWorld(aPod());
  pass(world);
  world.containers = world.containers
    .map((c) => ({ ...c, state: "created", startedAtMs: 0 }));
  world.broken.add("start-created-container");
  const { wakeAtMs, waiting } = pass(world);
  assert.ok(wakeAtMs !== undefined);
  assert.equal(waiting.get("web")?.what, "CreateContainerError");
});

/** A small generator (mulberry32): the same seed, the same life. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

const POLICIES = ["Always", "OnFailure", "Never"];
const FRAGILE: Action["kind"][] = [
  "run-sandbox",
  "start-container",
  "stop-containers",
  "stop-sandbox",
  "remove-sandbox",
  "remove-pod-files",
];

/** Something happens to the pod. Returns its name, for the story. */
function blow(world: World, roll: (sides: number) => number): string {
  const pick = world.containers[roll(Math.max(1, world.containers.length))];
  const blows: [string, () => void][] = [
    ["crash", () => end(world, (c) => c === pick, 1)],
    ["exit", () => end(world, (c) => c === pick, 0)],
    ["sandbox lost", () => {
      world.sandboxes = world.sandboxes.map((s) => ({ ...s, isReady: false }));
    }],
    ["reboot", () => {
      end(world, () => true, 255);
      world.sandboxes = world.sandboxes.map((s) => ({ ...s, isReady: false }));
      forgetAll(world);
    }],
    ["second sandbox", () => {
      const [newest] = world.sandboxes;
      if (newest === undefined) return;
      world.sandboxes.unshift({
        ...newest,
        id: sandboxId(`s${world.nextId++}`),
        attempt: newest.attempt + 1,
        isReady: true,
        createdAtMs: world.nowMs,
      });
    }],
    ["agent restart", () => forgetAll(world)],
    ["died before start", () => {
      world.containers = world.containers.map((c) =>
        c === pick && c.state === "running"
          ? { ...c, state: "created", startedAtMs: 0 }
          : c
      );
    }],
    ["unknown", () => {
      world.containers = world.containers.map((c) =>
        c === pick && c.state === "running" ? { ...c, state: "unknown" } : c
      );
    }],
    ["new image", () => {
      if (world.pod === undefined) return;
      world.pod = {
        ...world.pod,
        spec: {
          ...world.pod.spec,
          containers: (world.pod.spec?.containers ?? [])
            .map((c) => ({ ...c, image: `busybox:${roll(3)}` })),
        },
      };
    }],
    ["breaks", () => {
      const kind = FRAGILE[roll(FRAGILE.length)];
      if (kind !== undefined) world.broken.add(kind);
    }],
    ["time", () => {
      world.nowMs += 1_000 * roll(700);
    }],
    ["nothing", () => {}],
  ];
  const [name, happen] = blows[roll(blows.length)] ?? blows[0] ?? [];
  happen?.();
  return name ?? "";
}

Deno.test("decide() brings every pod to rest, and removes it whole, over 500 random lives", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const roll = dice(seed);
    const world = aWorld(aPod({
      spec: {
        restartPolicy: POLICIES[roll(3)] ?? "Always",
        terminationGracePeriodSeconds: roll(60),
      },
      containers: [
        aContainer({ name: "a" }),
        ...roll(2) === 0 ? [] : [aContainer({ name: "b" })],
      ],
    }));
    const story: string[] = [];
    try {
      for (let step = 0; step < 15; step++) {
        story.push(blow(world, roll));
        world.nowMs += 1_000 * roll(30);
        pass(world);
        if (roll(3) === 0) world.broken.clear();
      }
      story.push("heal");
      heal(world);
      story.push("removed");
      world.pod = undefined;
      heal(world);
      assert.deepEqual(world.sandboxes, []);
      assert.deepEqual(world.containers, []);
      assert.equal(world.state.kind, "done");
      assert.equal(world.hasFiles, false, "no files are left");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      assert.fail(`seed ${seed}: ${story.join(", ")}: ${why}`);
    }
  }
});

/** Nothing is broken any more and all the time in the world: then it is well. */
function heal(world: World): void {
  world.broken.clear();
  let plan = pass(world);
  for (let wakes = 0; plan.wakeAtMs !== undefined; wakes++) {
    assert.ok(wakes < 50, "waits end");
    world.nowMs = plan.wakeAtMs;
    plan = pass(world);
  }
  if (world.pod === undefined) return;
  const ready = world.sandboxes.filter((s) => s.isReady).length;
  assert.ok(ready <= 1, "at most one sandbox is ready");
  for (const { name } of world.pod.spec?.containers ?? []) {
    const live = world.containers
      .filter((c) => c.name === name && c.state !== "exited");
    assert.ok(live.length <= 1, `at most one ${name} is alive`);
    const dead = world.containers
      .filter((c) => c.name === name && c.state === "exited");
    if (world.state.kind === "running") {
      assert.ok(dead.length <= 1, `one dead ${name} is kept`);
    }
    if (world.pod.spec?.restartPolicy === "Always") {
      assert.equal(live[0]?.state, "running", `${name} runs`);
    }
  }
  if (SETTINGS.longestRestartDelayMs === 0) return;
  for (const container of world.containers) {
    if (container.state === "exited") continue;
    assert.ok(
      world.sandboxes.some((s) => s.isReady && s.id === container.sandboxId),
      `${container.name} is alive only in a ready sandbox`,
    );
  }
}
