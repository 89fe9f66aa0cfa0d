/**
 * Whole lives of a pod: a tiny world to which plans are applied the way
 * `sync/worker.ts` does, round after round until the pod is at rest, under
 * random blows with a fixed seed.
 */
import assert from "node:assert/strict";
import {
  aContainer,
  aPod,
  NOW_MS,
  PRESENT,
  SETTINGS,
  someFacts,
} from "../../tests/build.ts";
import { containerId, sandboxId } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import type { ImageProgress } from "../image/types.ts";
import type { SandboxStatus } from "../port/runtime.ts";
import type { Action } from "./action.ts";
import { decide } from "./decide.ts";
import type { Failure, ObservedContainer } from "./facts.ts";
import type { Plan } from "./plan.ts";
import { FIRST_STATE, isLegalMove, type PodState } from "./state.ts";

/** As in `sync/worker.ts`. */
const MOST_ROUNDS = 25;

interface World {
  nowMs: number;
  pod: V1Pod | undefined;
  state: PodState;
  sandboxes: SandboxStatus[];
  containers: ObservedContainer[];
  images: Map<string, ImageProgress>;
  failures: Map<string, Failure>;
  hasFiles: boolean;
  /** Steps that fail for now. */
  broken: Set<Action["kind"]>;
  /** Everything done, for what a test wants to know. */
  done: { readonly atMs: number; readonly action: Action }[];
  nextId: number;
}

function aWorld(pod: V1Pod): World {
  return {
    nowMs: NOW_MS,
    pod,
    state: FIRST_STATE,
    sandboxes: [],
    containers: [],
    images: new Map(),
    failures: new Map(),
    hasFiles: false,
    broken: new Set(),
    done: [],
    nextId: 0,
  };
}

function factsOf(world: World) {
  const { pod, state, sandboxes, containers } = world;
  return someFacts({
    pod,
    state,
    sandboxes: [...sandboxes],
    containers: [...containers],
    images: Object.fromEntries(world.images),
    failures: Object.fromEntries(world.failures),
  });
}

/** One pass; returns the last plan. Fails when it does not come to rest. */
function pass(world: World): Plan {
  const started = new Map<string, number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const plan = decide(factsOf(world), world.nowMs);
    assert.ok(
      isLegalMove(world.state, plan.next),
      `${world.state.kind} to ${plan.next.kind} is legal`,
    );
    const isAtRest = plan.actions.length === 0 &&
      plan.next.kind === world.state.kind;
    checkShrinking(world.state, plan.next);
    world.state = plan.next;
    // The worker forgets a pod of which nothing is left.
    const isOver = plan.next.kind === "done" && plan.actions.length === 0 &&
      world.sandboxes.length === 0 && world.containers.length === 0;
    if (isAtRest || isOver) {
      const { wakeAtMs } = plan;
      assert.ok(
        wakeAtMs === undefined || wakeAtMs > world.nowMs,
        "wakes later",
      );
      return plan;
    }
    for (const action of plan.actions) {
      if (action.kind === "start-container") {
        const { name } = action.container;
        started.set(name, (started.get(name) ?? 0) + 1);
        assert.equal(started.get(name), 1, `${name} is started once a pass`);
      }
      if (!attempt(world, action)) break;
    }
    world.nowMs += 1;
  }
  assert.fail(
    `no rest after ${MOST_ROUNDS} rounds; last done: ` +
      world.done.slice(-6).map(({ action }) => action.kind).join(", "),
  );
}

function checkShrinking(before: PodState, after: PodState): void {
  if (before.kind !== "stopping" || after.kind !== "stopping") return;
  assert.ok(after.killAtMs <= before.killAtMs, "grace only shrinks");
}

/** As in `sync/apply.ts`. */
function stepOf(action: Action): string {
  switch (action.kind) {
    case "start-container":
      return action.container.name;
    case "start-created-container":
      return action.name;
    case "run-sandbox":
    case "make-pod-files":
    case "ensure-image":
    case "note":
      return "sandbox";
    default:
      return "remove";
  }
}

function attempt(world: World, action: Action): boolean {
  const step = stepOf(action);
  if (world.broken.has(action.kind)) {
    const count = (world.failures.get(step)?.count ?? 0) + 1;
    world.failures.set(step, {
      reason: "CreateContainerError",
      message: "broken",
      count,
      failedAtMs: world.nowMs,
      retryAtMs: world.nowMs + 1_000 * 2 ** Math.min(count - 1, 6),
    });
    return false;
  }
  apply(world, action);
  world.failures.delete(step);
  world.done.push({ atMs: world.nowMs, action });
  return true;
}

function apply(world: World, action: Action): void {
  switch (action.kind) {
    case "ensure-image":
      world.images.set(action.container, PRESENT);
      return;
    case "make-pod-files":
      world.hasFiles = true;
      return;
    case "run-sandbox":
      assert.ok(world.hasFiles, "files come before the sandbox");
      assert.ok(!world.sandboxes.some((s) => s.isReady), "one sandbox");
      world.sandboxes.unshift({
        ...action.spec,
        id: sandboxId(`s${world.nextId++}`),
        isReady: true,
        createdAtMs: world.nowMs,
        ips: ["10.0.0.5"],
        network: "pod",
      });
      return;
    case "start-container":
      return start(world, action);
    case "start-created-container":
      return startCreated(world, action.id);
    case "stop-containers":
      for (const { id, graceSeconds } of action.containers) {
        assert.ok(graceSeconds >= 2);
        end(world, (c) => c.id === id, 137);
      }
      return;
    case "stop-sandbox":
      world.sandboxes = world.sandboxes.map((s) =>
        s.id === action.id ? { ...s, isReady: false } : s
      );
      end(world, (c) => c.sandboxId === action.id, 137);
      return;
    case "remove-sandbox":
      world.sandboxes = world.sandboxes.filter((s) => s.id !== action.id);
      world.containers = world.containers
        .filter((c) => c.sandboxId !== action.id);
      return;
    case "remove-container":
      world.containers = world.containers.filter((c) => c.id !== action.id);
      return;
    case "remove-pod-files":
      assert.ok(
        action.trees.every((tree) => !tree.includes("/__")),
        "the pod's name is known",
      );
      world.hasFiles = false;
      return;
    case "remove-cgroup":
    case "note":
      return;
  }
}

function start(
  world: World,
  action: Extract<Action, { kind: "start-container" }>,
): void {
  const { container } = action;
  const sandbox = world.sandboxes.find((s) => s.id === action.sandboxId);
  assert.ok(sandbox?.isReady, "containers start in a ready sandbox");
  const live = world.containers.filter((c) =>
    c.name === container.name && c.state !== "exited" &&
    (c.state !== "created" || c.sandboxId === action.sandboxId)
  );
  assert.deepEqual(live, [], `no second ${container.name}`);
  world.images.delete(container.name);
  world.containers.unshift({
    id: containerId(`c${world.nextId++}`),
    sandboxId: action.sandboxId,
    name: container.name,
    attempt: container.attempt,
    state: "running",
    createdAtMs: world.nowMs,
    startedAtMs: world.nowMs,
    finishedAtMs: 0,
    exitCode: 0,
    reason: "",
    message: "",
    image: container.userImage,
    imageRef: container.imageRef,
    imageId: container.imageRef,
    labels: container.labels,
    annotations: container.annotations,
    logPath: container.logPath,
    mounts: [],
  });
}

function startCreated(world: World, id: ObservedContainer["id"]): void {
  world.containers = world.containers.map((container) => {
    if (container.id !== id) return container;
    assert.equal(container.state, "created");
    const place = world.sandboxes.find((s) => s.id === container.sandboxId);
    assert.ok(place?.isReady, "a created container starts in a ready sandbox");
    return { ...container, state: "running", startedAtMs: world.nowMs };
  });
}

function end(
  world: World,
  which: (container: ObservedContainer) => boolean,
  exitCode: number,
): void {
  world.containers = world.containers.map((container) =>
    which(container) && container.state !== "exited" &&
      container.state !== "created"
      ? {
        ...container,
        state: "exited",
        exitCode,
        finishedAtMs: world.nowMs,
        reason: exitCode === 0 ? "Completed" : "Error",
      }
      : container
  );
}

/** The agent dies: what is not in the runtime is forgotten. */
function forgetAll(world: World): void {
  world.state = FIRST_STATE;
  world.images = new Map();
  world.failures = new Map();
}

const starts = (world: World) =>
  world.done.flatMap(({ atMs, action }) =>
    action.kind === "start-container"
      ? [{ atMs, attempt: action.container.attempt }]
      : []
  );

/** Lets the container crash after `ranMs`, and waits until it runs again. */
function crashOnce(world: World, ranMs: number): number {
  const startedAtMs = world.containers[0]?.startedAtMs ?? NaN;
  world.nowMs = startedAtMs + ranMs;
  end(world, (c) => c.state === "running", 1);
  const crashedAtMs = world.nowMs;
  for (let wakes = 0; wakes < 10; wakes++) {
    const { wakeAtMs } = pass(world);
    if (world.containers.some((c) => c.state === "running")) break;
    assert.ok(wakeAtMs !== undefined, "a crashed container wakes its pod");
    world.nowMs = Math.max(world.nowMs, wakeAtMs);
  }
  const { atMs } = starts(world).at(-1) ?? { atMs: NaN };
  return Math.round((atMs - crashedAtMs) / 1000);
}

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
