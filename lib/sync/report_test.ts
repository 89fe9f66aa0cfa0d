import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import type { PodUid } from "../api/id.ts";
import { podNameOf, uidOf } from "../api/pod.ts";
import type { PodStatusJson } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import { unseenStatus } from "../pod/status.ts";
import { type Desired, NOTHING_YET } from "../source/types.ts";
import { StatusReports } from "./report.ts";
import { EMPTY_MEMORY, type PodMemory } from "./store.ts";

/** Pods at an API server that takes each status a moment later. */
class World {
  readonly clock = new FakeClock();
  /** Seconds since the start, name and phase. */
  readonly written: string[] = [];
  readonly memory = new Map<PodUid, PodMemory>();
  readonly #desired = cell<Desired>(NOTHING_YET);
  readonly #reports: StatusReports;
  readonly #startMs = this.clock.nowMs();

  constructor() {
    this.#reports = new StatusReports({
      clock: this.clock,
      log: silentLogger,
      memory: this.memory,
      desired: this.#desired[1],
      pods: {
        patchStatus: ({ name, namespace, uid }, change) => {
          const seconds = (this.clock.nowMs() - this.#startMs) / 1000;
          this.written.push(`${seconds} ${name} ${change.phase}`);
          const shown = aPod({ name, namespace, uid });
          const metadata = { ...shown.metadata, resourceVersion: "2" };
          return Promise.resolve({ ...shown, metadata, status: {} });
        },
        remove: () => Promise.resolve(),
      },
    });
  }

  /** What a pass has seen. */
  see(pod: V1Pod, phase: PodStatusJson["phase"]): void {
    const uid = uidOf(pod);
    const { pods } = this.#desired[1].get();
    const origin = { kind: "api" as const, location: "" };
    this.#desired[0].set({
      ...NOTHING_YET,
      pods: new Map(pods).set(uid, { pod, uid, origin }),
    });
    const status = { ...unseenStatus(pod), phase };
    this.memory.set(uid, { ...EMPTY_MEMORY, pod, status });
    this.#reports.wake(uid);
  }

  async run(work: () => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const ended = this.#reports.run(stop.signal);
    await work();
    stop.abort();
    await ended;
  }
}

function pods(count: number): V1Pod[] {
  return Array.from(
    { length: count },
    (_, n) => aPod({ name: `p${n}`, uid: `u${n}` }),
  );
}

Deno.test("StatusReports hold a start for a second, and write its end", async () => {
  const world = new World();
  const [pod = aPod()] = pods(1);
  assert.equal(podNameOf(pod).name, "p0");
  await world.run(async () => {
    world.see(pod, "Pending");
    await world.clock.advance(999);
    assert.deepEqual(world.written, []);
    world.see(pod, "Running");
    await world.clock.advance(0);
    assert.deepEqual(world.written, ["0.999 p0 Running"]);
  });
});

Deno.test("StatusReports tell of a start that takes longer", async () => {
  const world = new World();
  const [pod = aPod()] = pods(1);
  await world.run(async () => {
    world.see(pod, "Pending");
    await world.clock.advance(1_000);
    assert.deepEqual(world.written, ["1 p0 Pending"]);
  });
});

Deno.test("StatusReports hold longer what is one of many, not for ever", async () => {
  for (const [count, seconds] of [[11, 3], [100, 10]] as const) {
    const world = new World();
    await world.run(async () => {
      for (const pod of pods(count)) world.see(pod, "Pending");
      await world.clock.advance(seconds * 1_000 - 1);
      assert.equal(world.written.length, 0, `${count}`);
      await world.clock.advance(1);
      assert.ok(world.written.includes(`${seconds} p0 Pending`), `${count}`);
    });
  }
});

Deno.test("StatusReports hold the last of many as long as the first", async () => {
  const world = new World();
  const many = pods(20);
  await world.run(async () => {
    for (const pod of many) world.see(pod, "Pending");
    await world.clock.advance(2_000);
    for (const pod of many.slice(1)) world.see(pod, "Running");
    await world.clock.advance(0);
    // Another pass has seen it, and still it starts.
    world.see(many[0] ?? aPod(), "Pending");
    await world.clock.advance(500);
    world.see(many[0] ?? aPod(), "Running");
    await world.clock.advance(0);
    assert.equal(world.written.length, 20);
    assert.ok(world.written.every((each) => each.endsWith("Running")));
  });
});

Deno.test("StatusReports count none whose news has come to nothing", async () => {
  const world = new World();
  const many = pods(20);
  await world.run(async () => {
    for (const pod of many) world.see(pod, "Pending");
    await world.clock.advance(500);
    for (const pod of many.slice(1)) {
      // Somebody else has told it.
      const { phase, qosClass } = unseenStatus(pod);
      world.see({ ...pod, status: { phase, qosClass } }, "Pending");
    }
    await world.clock.advance(500);
    assert.deepEqual(world.written, ["1 p0 Pending"]);
  });
});
