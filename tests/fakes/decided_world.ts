/**
 * A tiny world for tests of the core: it applies plans as `sync/worker.ts`
 * does, to lists in memory, and checks on the way what must always hold.
 */
import assert from "node:assert/strict";
import { stepOf } from "../../lib/sync/apply.ts";
import { NOW_MS, PRESENT, someFacts } from "../build.ts";
import { type ContainerId, containerId, sandboxId } from "../../lib/api/id.ts";
import type { PodStatusJson } from "../../lib/api/status.ts";
import type { V1Pod } from "../../lib/api/types.ts";
import type { ImageProgress } from "../../lib/image/types.ts";
import type { SandboxStatus } from "../../lib/port/runtime_status.ts";
import type { Action } from "../../lib/pod/action.ts";
import { deadlineOf } from "../../lib/pod/deadline.ts";
import { decide } from "../../lib/pod/decide.ts";
import type { Facts, Failure, ObservedContainer } from "../../lib/pod/facts.ts";
import { lostForGood } from "../../lib/pod/lost.ts";
import { isTerminal } from "../../lib/pod/phase.ts";
import type { Plan } from "../../lib/pod/plan.ts";
import { isRestartingAll } from "../../lib/pod/restart_all.ts";
import {
  FIRST_STATE,
  isLegalMove,
  type PodState,
} from "../../lib/pod/state.ts";
import { podStatus } from "../../lib/pod/status.ts";
import type { Verdict } from "../../lib/probe/types.ts";

/** As in `sync/worker.ts`. */
const MOST_ROUNDS = 25;

export interface World {
  nowMs: number;
  pod: V1Pod | undefined;
  state: PodState;
  sandboxes: SandboxStatus[];
  containers: ObservedContainer[];
  images: Map<string, ImageProgress>;
  failures: Map<string, Failure>;
  hasFiles: boolean;
  /** What the API server was told; followed by `aToldWorld` only. */
  told: { readonly status: PodStatusJson | undefined } | undefined;
  verdicts: Map<ContainerId, Verdict>;
  /** Steps that fail for now. */
  broken: Set<Action["kind"]>;
  /** Everything done, for what a test wants to know. */
  done: { readonly atMs: number; readonly action: Action }[];
  nextId: number;
}

export function aWorld(pod: V1Pod): World {
  return {
    nowMs: NOW_MS,
    pod,
    state: FIRST_STATE,
    sandboxes: [],
    containers: [],
    images: new Map(),
    failures: new Map(),
    hasFiles: false,
    told: undefined,
    verdicts: new Map(),
    broken: new Set(),
    done: [],
    nextId: 0,
  };
}

/** A world whose API server remembers what it was told of the pod. */
export function aToldWorld(pod: V1Pod): World {
  return { ...aWorld(pod), told: { status: undefined } };
}

/** As `sync/facts.ts` has them from the status before. */
function rememberedFacts(world: World) {
  const { pod, told, nowMs } = world;
  const { sandboxes, containers } = world;
  if (pod === undefined || told === undefined) return {};
  const { status } = told;
  const observed = { sandboxes, containers, atMs: nowMs };
  const isAnew = isRestartingAll(pod, observed, status);
  return {
    hasEnded: isTerminal(status?.phase),
    isRestartingAll: isAnew,
    lost: isAnew ? new Set<string>() : lostForGood(pod, observed, status),
    deadline: deadlineOf(pod, status?.startTime, nowMs),
  };
}

function tell(world: World, facts: Facts, plan: Plan): void {
  const { told, nowMs } = world;
  const { pod } = facts;
  if (told === undefined || pod === undefined) return;
  const place = { facts, plan, pod };
  world.told = { status: podStatus(place, told.status, nowMs) };
}

function factsOf(world: World) {
  const { pod, state, sandboxes, containers } = world;
  return someFacts({
    pod,
    state,
    verdicts: world.verdicts,
    ...rememberedFacts(world),
    sandboxes: [...sandboxes],
    containers: [...containers],
    images: Object.fromEntries(world.images),
    failures: Object.fromEntries(world.failures),
  });
}

/** One pass; returns the last plan. Fails when it does not come to rest. */
export function pass(world: World): Plan {
  const started = new Map<string, number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const facts = factsOf(world);
    const plan = decide(facts, world.nowMs);
    assert.ok(
      isLegalMove(world.state, plan.next),
      `${world.state.kind} to ${plan.next.kind} is legal`,
    );
    const isAtRest = plan.actions.length === 0 &&
      plan.next.kind === world.state.kind;
    checkShrinking(world.state, plan.next);
    tell(world, facts, plan);
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
      for (const { id, killAtMs } of action.containers) {
        assert.ok(killAtMs !== undefined, "it is known when it is killed");
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
    case "make-cgroup":
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

export function end(
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
export function forgetAll(world: World): void {
  world.state = FIRST_STATE;
  world.images = new Map();
  world.failures = new Map();
}

export const starts = (world: World) =>
  world.done.flatMap(({ atMs, action }) =>
    action.kind === "start-container"
      ? [{ atMs, attempt: action.container.attempt }]
      : []
  );

/** Lets the container crash after `ranMs`, and waits until it runs again. */
export function crashOnce(world: World, ranMs: number): number {
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
