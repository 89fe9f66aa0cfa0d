import assert from "node:assert/strict";
import { type PodUid, podUid } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import { cell } from "../base/cell.ts";
import { KeyedQueue } from "../base/keyed_queue.ts";
import { silentLogger } from "../base/log.ts";
import { type Desired, NOTHING_YET } from "../source/types.ts";
import { aSandboxSpec } from "../../tests/contract/runtime_specs.ts";
import { aPod, HEALTHY, running, SETTINGS } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeCgroups } from "../../tests/fakes/fake_cgroups.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeRuntime } from "../../tests/fakes/fake_runtime.ts";
import { observePod } from "./observe.ts";
import { Audit, wakeAll } from "./audit.ts";
import { followEvents, followSources } from "./run.ts";
import { EMPTY_MEMORY, type PodMemory } from "./store.ts";

const ONE = podUid("one");
const TWO = podUid("two");
const AUDIT_MS = 60_000;

/** The loops' surroundings; every pass is noted, and runs until `hold` ends. */
class World {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime(this.clock);
  readonly files = new FakeFiles();
  readonly cgroups = new FakeCgroups();
  readonly pods = new Map<PodUid, PodMemory>();
  readonly queue = new KeyedQueue<PodUid>(this.clock);
  readonly desired = cell<Desired>(NOTHING_YET);
  readonly health = cell(HEALTHY);
  readonly stop = new AbortController();
  readonly tasks: Promise<unknown>[] = [];
  readonly ports = {
    runtime: this.runtime,
    clock: this.clock,
    log: silentLogger,
    queue: this.queue,
    desired: this.desired[1],
    health: this.health[1],
    pods: this.pods,
    files: this.files,
    cgroups: this.cgroups,
    host: { giveBackMemory: () => this.givenBackAt.push(this.clock.nowMs()) },
    settings: SETTINGS,
    volumes: {
      release: () => Promise.resolve(),
      request: () => {},
      stateOf: () => undefined,
    },
    allocations: { podOf: (pod: V1Pod) => pod, keepOnly: () => {} },
    suspect: () => this.suspicions.push(this.clock.monotonicMs()),
    lastWords: () => Promise.resolve(""),
    auditMs: AUDIT_MS,
  };
  readonly audit = new Audit(this.ports);
  readonly suspicions: number[] = [];
  readonly givenBackAt: number[] = [];
  readonly passes: string[] = [];
  /** What a pass waits for before it ends. */
  hold: Promise<void> | undefined;

  constructor() {
    this.start((signal) =>
      this.queue.run((uid, each) => this.#pass(uid, each), signal)
    );
  }

  start(loop: (signal: AbortSignal) => Promise<void>): void {
    this.tasks.push(loop(this.stop.signal).catch(() => {}));
  }

  want(
    pods: Readonly<Record<string, V1Pod>>,
    heard: "some" | "all" = "all",
  ): void {
    const origin = { kind: "file", location: "/m" } as const;
    this.desired[0].set({
      ...NOTHING_YET,
      isReady: heard === "all",
      pods: new Map(
        Object.entries(pods).map((
          [uid, pod],
        ) => [podUid(uid), { pod, uid: podUid(uid), origin }]),
      ),
    });
  }

  /** Who had passes since the last time, after everything has settled. */
  async passed(ms = 0): Promise<readonly string[]> {
    await this.clock.advance(ms);
    return [...new Set(this.passes.splice(0))].sort();
  }

  async end(): Promise<void> {
    this.stop.abort();
    await Promise.all(this.tasks);
  }

  async #pass(uid: PodUid, signal: AbortSignal): Promise<undefined> {
    this.passes.push(uid);
    const cut = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => cut.resolve(), { once: true });
    await Promise.race([this.hold, cut.promise]);
    if (signal.aborted) this.passes.push(`${uid} cut short`);
  }
}

Deno.test("followSources() wakes what is new, changed or gone", async () => {
  const world = new World();
  world.start((signal) => followSources(world.ports, world.audit, signal));
  world.hold = Promise.resolve();
  const one = aPod();
  await world.passed();
  world.want({ one });
  assert.deepEqual(await world.passed(), ["one"], "new");
  world.want({ one, two: aPod() });
  assert.deepEqual(await world.passed(), ["two"], "only the new one");
  const told = { ...one, status: { phase: "Running" } };
  world.want({ one: told, two: aPod({ labels: { a: "b" } }) });
  assert.deepEqual(await world.passed(), ["two"], "not for its status");
  world.want({});
  assert.deepEqual(await world.passed(), ["one", "two"], "gone");
  await world.end();
});

Deno.test("followSources() shortens a stop when a second deletion does", async () => {
  const world = new World();
  const held = Promise.withResolvers<void>();
  world.start((signal) => followSources(world.ports, world.audit, signal));
  const deleted = (deletionGracePeriodSeconds: number): V1Pod => {
    const pod = aPod();
    const deletionTimestamp = new Date(0);
    return {
      ...pod,
      metadata: {
        ...pod.metadata,
        deletionTimestamp,
        deletionGracePeriodSeconds,
      },
    };
  };
  world.want({ one: deleted(30) });
  await world.passed();
  const order = { kind: "deleted", graceSeconds: 30, message: "" } as const;
  const state = { kind: "stopping", order, killAtMs: 30_000 } as const;
  world.pods.set(ONE, { ...EMPTY_MEMORY, state });
  world.hold = held.promise;
  world.queue.wake(ONE);
  await world.passed();
  world.want({ one: deleted(31) });
  assert.deepEqual(await world.passed(), [], "a longer grace waits its turn");
  world.want({ one: deleted(1) });
  assert.deepEqual(await world.passed(), ["one", "one cut short"]);
  held.resolve();
  await world.end();
});

Deno.test("followSources() wakes known pods once all sources are heard", async () => {
  const world = new World();
  world.hold = Promise.resolve();
  world.pods.set(ONE, EMPTY_MEMORY);
  world.start((signal) => followSources(world.ports, world.audit, signal));
  assert.deepEqual(await world.passed(), ["one"], "at start");
  world.want({}, "some");
  assert.deepEqual(await world.passed(), [], "not heard yet");
  world.want({}, "all");
  assert.deepEqual(await world.passed(), ["one"], "all heard");
  await world.end();
});

Deno.test("followSources() cuts a build short, never a stop", async () => {
  for (const kind of ["running", "cleaning"] as const) {
    const world = new World();
    const held = Promise.withResolvers<void>();
    world.hold = held.promise;
    world.start((signal) => followSources(world.ports, world.audit, signal));
    world.want({ one: aPod() });
    await world.passed();
    const state = kind === "running" ? running() : { kind };
    world.pods.set(ONE, { ...EMPTY_MEMORY, state });
    world.want({});
    const passed = await world.passed();
    assert.equal(passed.includes("one cut short"), kind === "running", kind);
    held.resolve();
    await world.end();
  }
});

Deno.test("wakeAll() wakes the wanted and the known", async () => {
  const world = new World();
  world.hold = Promise.resolve();
  world.want({ one: aPod() });
  world.pods.set(TWO, EMPTY_MEMORY);
  wakeAll(world.ports);
  assert.deepEqual(await world.passed(), ["one", "two"]);
  await world.end();
});

Deno.test("followEvents() wakes pods, and relists after a broken stream", async () => {
  const world = new World();
  world.hold = Promise.resolve();
  world.start((signal) => followEvents(world.ports, world.audit, signal));
  world.start((signal) => world.audit.run(signal));
  await world.passed();
  assert.equal(world.audit.isListed, true);
  world.runtime.world.addSandbox(aSandboxSpec(ONE));
  assert.deepEqual(await world.passed(), ["one"]);
  world.runtime.world.stop();
  await world.passed();
  assert.equal(world.audit.isListed, false);
  assert.equal(world.suspicions.length > 0, true);
  world.runtime.world.start();
  assert.deepEqual(await world.passed(5_000), ["one"]);
  assert.equal(world.audit.isListed, true);
  await world.end();
});

Deno.test("followEvents() relists each second without events", async () => {
  const world = new World();
  world.hold = Promise.resolve();
  world.runtime.world.hasEvents = false;
  world.start((signal) => followEvents(world.ports, world.audit, signal));
  world.start((signal) => world.audit.run(signal));
  await world.passed();
  world.runtime.world.addSandbox(aSandboxSpec(ONE));
  assert.deepEqual(await world.passed(1_000), ["one"]);
  await world.end();
});

Deno.test("Audit finds in time what no event told of, and sweeps", async () => {
  const world = new World();
  world.hold = Promise.resolve();
  const left = `${SETTINGS.podsDir}/left/containers`;
  world.files.put(`${left}/note`, "");
  world.start((signal) => world.audit.run(signal));
  await world.passed();
  assert.notEqual(world.files.text(`${left}/note`), undefined, "not all heard");
  world.want({});
  world.runtime.world.addSandbox(aSandboxSpec(ONE));
  assert.deepEqual(await world.passed(AUDIT_MS), ["one"]);
  assert.equal(world.pods.has(ONE), true);
  assert.equal(world.files.text(`${left}/note`), undefined);
  const signal = world.stop.signal;
  const nowMs = world.clock.nowMs();
  const lastWords = () => Promise.resolve("");
  const observed = await observePod(world.runtime, ONE, {
    ...{ nowMs, signal, lastWords },
  });
  world.pods.set(ONE, { ...EMPTY_MEMORY, observed });
  const givenBack = world.givenBackAt.length;
  assert.deepEqual(await world.passed(AUDIT_MS), [], "as remembered");
  assert.equal(world.givenBackAt.length, givenBack + 1, "memory, each time");
  await world.end();
});

Deno.test("Audit sweeps as soon as all sources are heard", async () => {
  const world = new World();
  const left = `${SETTINGS.podsDir}/left/containers/note`;
  world.files.put(left, "");
  world.start((signal) => followSources(world.ports, world.audit, signal));
  world.start((signal) => world.audit.run(signal));
  await world.passed();
  world.want({}, "some");
  await world.passed();
  assert.notEqual(world.files.text(left), undefined, "not all heard");
  world.want({}, "all");
  await world.passed();
  assert.equal(world.files.text(left), undefined);
  await world.end();
});

Deno.test("Audit asks nothing of a runtime that is away", async () => {
  const world = new World();
  world.health[0].set({ ...HEALTHY, isReady: false });
  world.start((signal) => world.audit.run(signal));
  await world.passed();
  assert.deepEqual(
    [world.audit.isListed, world.audit.lastAtMs],
    [false, undefined],
  );
  await world.end();
});
