import assert from "node:assert/strict";
import { type ContainerId, containerId, podUid } from "../api/id.ts";
import { AgentError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import type { ContainerToStop } from "../pod/action.ts";
import type { Hook } from "../pod/hook.ts";
import type { ContainerStateKind } from "../port/runtime_status.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { anInstance } from "../../tests/build.ts";
import { Stops } from "./stops.ts";

const UID = podUid("u1");
const SLEEP: Hook = { kind: "sleep", seconds: 5, title: "" };

/** Containers that end some time after their signal, or at their kill. */
class World {
  readonly clock = new FakeClock();
  readonly startMs = this.clock.nowMs();
  readonly said: string[] = [];
  readonly lastsMs = new Map<string, number>();
  failures: AgentError[] = [];
  #wakes: (() => boolean)[] = [];
  readonly #stop = new AbortController();
  readonly stops = new Stops({
    clock: this.clock,
    log: silentLogger,
    recorder: { record: (_uid, { reason }) => this.say(reason) },
    suspect: () => this.say("suspect"),
    hint: (_uid, isNews) => this.#wakes.push(isNews),
    runHook: async (hook, _at, signal) => {
      this.say("hook");
      if (hook.kind === "impossible") {
        throw new AgentError("no", { next: "retry" });
      }
      const ms = hook.kind === "sleep" ? hook.seconds * 1000 : 0;
      await this.clock.sleep(ms, signal);
    },
    runtime: {
      stopContainer: async (id, graceSeconds, signal) => {
        this.say(`signal ${id} ${graceSeconds}`);
        const failure = this.failures.shift();
        if (failure !== undefined) throw failure;
        const ms = Math.min(this.lastsMs.get(id) ?? 0, graceSeconds * 1000);
        await this.clock.sleep(ms, signal);
        this.say(`end ${id}`);
      },
    },
  });
  readonly #run = this.stops.run(this.#stop.signal);

  say(words: string): void {
    const seconds = (this.clock.nowMs() - this.startMs) / 1000;
    this.said.push(`${seconds}s ${words}`);
  }

  get isNews(): boolean {
    return this.#wakes.some((isNews) => isNews());
  }

  see(states: Readonly<Record<string, ContainerStateKind>>) {
    const containers = Object.entries(states).map(([id, state]) =>
      anInstance({ id, state })
    );
    const atMs = this.clock.nowMs();
    return this.stops.seen(UID, { sandboxes: [], containers, atMs });
  }

  async end(): Promise<void> {
    this.#stop.abort(new DOMException("over", "AbortError"));
    await this.#run;
  }
}

function toStop(
  id: string,
  own: Partial<ContainerToStop> = {},
): ContainerToStop {
  return {
    id: containerId(id),
    name: id,
    graceSeconds: 10,
    message: "",
    ...own,
  };
}

function worldTest(
  name: string,
  story: (world: World) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const world = new World();
    try {
      await story(world);
    } finally {
      await world.end();
    }
  });
}

worldTest("Stops take the time of a hook off the grace", async (world) => {
  world.lastsMs.set("a", 60_000);
  world.stops.order(UID, [toStop("a", { preStop: SLEEP })]);
  await world.clock.advance(20_000);
  assert.deepEqual(world.said, [
    "0s Killing",
    "0s hook",
    "5s signal a 5",
    "10s end a",
  ]);
});

worldTest(
  "Stops give two seconds when a hook has used up the grace",
  async (world) => {
    world.lastsMs.set("a", 60_000);
    const preStop: Hook = { kind: "sleep", seconds: 100, title: "" };
    world.stops.order(UID, [toStop("a", { preStop })]);
    await world.clock.advance(20_000);
    assert.deepEqual(world.said.slice(2), [
      "10s signal a 2",
      "12s end a",
      // It had not ended when its container did.
      "12s FailedPreStopHook",
    ]);
  },
);

worldTest(
  "Stops shorten a hook and a stop that are under way, and run no hook twice",
  async (world) => {
    world.lastsMs.set("a", 600_000);
    const order = toStop("a", { preStop: SLEEP, graceSeconds: 60 });
    world.stops.order(UID, [order]);
    await world.clock.advance(1_000);
    world.stops.order(UID, [{ ...order, graceSeconds: 30 }]);
    await world.clock.advance(9_000);
    world.stops.order(UID, [{ ...order, graceSeconds: 4 }]);
    await world.clock.advance(100_000);
    assert.deepEqual(world.said, [
      "0s Killing",
      "0s hook",
      "5s signal a 26",
      "10s signal a 4",
      "14s end a",
    ]);
  },
);

worldTest("Stops run no hook where there is no time", async (world) => {
  world.stops.order(UID, [toStop("a", { preStop: SLEEP, graceSeconds: 0 })]);
  await world.clock.advance(0);
  assert.deepEqual(world.said.slice(1), ["0s signal a 2", "0s end a"]);
});

worldTest(
  "Stops keep the order of sidecars as long as the grace allows",
  async (world) => {
    world.lastsMs.set("main", 3_000);
    world.lastsMs.set("late", 60_000);
    const after = (...ids: string[]): readonly ContainerId[] =>
      ids.map(containerId);
    world.stops.order(UID, [
      toStop("first", { after: after("main", "late"), preStop: SLEEP }),
      toStop("late", { after: after("main") }),
      toStop("main"),
    ]);
    await world.clock.advance(60_000);
    assert.deepEqual(world.said.filter((line) => !line.endsWith("Killing")), [
      // The hooks begin with the end of the pod.
      "0s hook",
      "0s signal main 10",
      "3s end main",
      "3s signal late 7",
      "10s end late",
      "10s signal first 2",
      "10s end first",
    ]);
  },
);

worldTest("Stops wake a pod until it has seen the end", async (world) => {
  world.stops.order(UID, [toStop("a")]);
  assert.equal(world.isNews, false);
  await world.clock.advance(0);
  assert.equal(world.isNews, true);
  world.see({ a: "running" });
  assert.equal(world.isNews, true, "that look was too early");
  assert.equal(world.see({ a: "exited" }).size, 0);
  assert.equal(world.isNews, false);
});

worldTest(
  "Stops tell of a failure, and their hook is not run again",
  async (world) => {
    world.failures = [new AgentError("busy", { next: "retry" })];
    const order = toStop("a", { preStop: SLEEP });
    world.stops.order(UID, [order]);
    await world.clock.advance(5_000);
    const failure = world.see({ a: "running" }).get(containerId("a"))?.failure;
    assert.equal(failure?.reason, "FailedKillPod");
    assert.equal(failure.retryAtMs, world.clock.nowMs() + 1_000);
    assert.equal(world.isNews, false);
    world.failures = [new AgentError("busy", { next: "retry" })];
    world.stops.order(UID, [order]);
    await world.clock.advance(1_000);
    const second = world.see({ a: "running" }).get(containerId("a"))?.failure;
    assert.equal(second?.count, 2);
    world.stops.order(UID, [order]);
    await world.clock.advance(0);
    assert.deepEqual(world.said, [
      "0s Killing",
      "0s hook",
      "5s signal a 5",
      "5s FailedKillPod",
      "5s signal a 5",
      "5s FailedKillPod",
      "6s signal a 4",
      "6s end a",
    ]);
  },
);

worldTest(
  "Stops leave a runtime that is away to whoever looks after it",
  async (world) => {
    const reason = "RuntimeUnavailable";
    world.failures = [new AgentError("away", { next: "retry", reason })];
    world.stops.order(UID, [toStop("a")]);
    await world.clock.advance(0);
    assert.deepEqual(world.said.slice(2), ["0s suspect"]);
    const failure = world.see({ a: "running" }).get(containerId("a"))?.failure;
    assert.equal(failure?.retryAtMs, world.clock.nowMs());
  },
);

worldTest(
  "Stops end a hook whose container has ended by itself",
  async (world) => {
    world.stops.order(UID, [toStop("a", { preStop: SLEEP })]);
    await world.clock.advance(1_000);
    assert.equal(world.see({ a: "exited" }).size, 0);
    await world.clock.advance(60_000);
    assert.deepEqual(world.said, ["0s Killing", "0s hook"]);
  },
);

worldTest(
  "Stops tell of a hook that failed, and go on at once",
  async (world) => {
    const preStop: Hook = { kind: "impossible", message: "secret" };
    world.stops.order(UID, [toStop("a", { preStop })]);
    await world.clock.advance(0);
    assert.deepEqual(world.said.slice(1), [
      "0s hook",
      "0s FailedPreStopHook",
      "0s signal a 10",
      "0s end a",
    ]);
  },
);
