import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeImages } from "../../tests/fakes/fake_images.ts";
import type { Credential } from "./credential.ts";
import type { QueueLimits } from "./pull_queue.ts";
import { ImageRunner } from "./run.ts";
import type { PullPolicy } from "./types.ts";

const UID = podUid("one");

class World {
  readonly clock = new FakeClock();
  readonly images = new FakeImages(this.clock);
  readonly steps: Step[] = [];
  credentials: readonly Credential[] = [];
  complaints: readonly string[] = [];
  /** The hints that nobody has answered. */
  readonly hints: (() => boolean)[] = [];
  readonly runner: ImageRunner;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(own: Partial<QueueLimits> = {}) {
    this.runner = new ImageRunner({
      images: this.images,
      clock: this.clock,
      credentials: {
        gather: () =>
          Promise.resolve({
            credentials: this.credentials,
            complaints: this.complaints,
          }),
      },
      records: undefined,
      podOf: () => undefined,
      recorder: { record: (_uid, step) => this.steps.push(step) },
      hint: (_uid, isNews) => this.hints.push(isNews),
    }, { parallelPulls: Infinity, pullsPerSecond: 0, burst: 1, ...own });
    this.#running = this.runner.run(this.#stop.signal);
  }

  request(
    image: string,
    own: { container?: string; policy?: PullPolicy } = {},
  ) {
    const { container = "app", policy = "IfNotPresent" } = own;
    this.runner.request({ uid: UID, container, image, policy });
  }

  state(container = "app") {
    return this.runner.statesOf(UID).get(container);
  }

  /** Asks, lets time pass, tells how it is then. */
  async after(ms: number, image: string, policy?: PullPolicy) {
    this.request(image, policy === undefined ? {} : { policy });
    await this.clock.advance(ms);
    return this.state();
  }

  get reasons(): readonly string[] {
    return this.steps.map(({ reason }) => reason);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(0);
    await this.#running;
    assert.equal(this.clock.sleepers, 0);
  }
}

Deno.test("ImageRunner uses an image that is there", async () => {
  const world = new World();
  const image = world.images.world.place("app:1", { uid: 7n, userName: "" });
  const state = await world.after(0, "app:1");
  assert.deepEqual(state, {
    image: "app:1",
    kind: "present",
    ref: image.id,
    uid: 7n,
    userName: "",
  });
  assert.deepEqual(world.reasons, ["Pulled"]);
  assert.match(world.steps[0]?.message ?? "", /already present on machine/);
  await world.end();
});

Deno.test("ImageRunner pulls what is missing and says what it does", async () => {
  const world = new World();
  const { id } = world.images.world.publish("app:latest");
  world.images.world.pullTakesMs = 62_500;
  const pulling = await world.after(1000, "app");
  assert.equal(pulling?.kind, "pulling");
  await world.clock.advance(61_500);
  const state = world.state();
  assert.deepEqual([state?.kind, state?.image], ["present", "app"]);
  assert.equal(state?.kind === "present" && state.ref, id);
  assert.deepEqual(
    world.steps.map(({ reason, message }) => `${reason} ${message}`),
    [
      'Pulling Pulling image "app"',
      'Pulled Successfully pulled image "app" in 1m2.5s ' +
      "(1m2.5s including waiting). Image size: 1000000 bytes.",
    ],
  );
  await world.end();
});

Deno.test("ImageRunner names why an image cannot be had", async () => {
  const cases: [string, PullPolicy, string, string][] = [
    ["Not A Name", "Always", "InvalidImageName", "InspectFailed"],
    ["gone:1", "Never", "ErrImageNeverPull", "ErrImageNeverPull"],
    ["gone:1", "Always", "ErrImagePull", "Failed"],
  ];
  for (const [image, policy, reason, step] of cases) {
    const world = new World();
    const state = await world.after(0, image, policy);
    assert.equal(state?.kind === "failed" && state.reason, reason);
    assert.deepEqual(world.reasons.slice(-2), [step, "Failed"], reason);
    await world.end();
  }
});

Deno.test("ImageRunner backs off longer each time, until it works", async () => {
  const world = new World();
  const delays: number[] = [];
  for (let n = 0; n < 7; n++) {
    const state = await world.after(0, "app:1");
    if (state?.kind !== "failed") throw new Error("It did not fail");
    assert.equal(state.count, n + 1);
    delays.push(state.retryAtMs - state.failedAtMs);
    await world.clock.advance(state.retryAtMs - world.clock.nowMs());
  }
  assert.deepEqual(
    delays.map((ms) => ms / 1000),
    [10, 20, 40, 80, 160, 300, 300],
  );
  const { id } = world.images.world.publish("app:1");
  assert.equal((await world.after(0, "app:1"))?.kind, "present");
  world.images.world.present.delete(id);
  world.images.world.published.clear();
  const again = await world.after(0, "app:1");
  assert.equal(again?.kind === "failed" && again.count, 1);
  await world.end();
});

Deno.test("ImageRunner.forget() forgets states and delays", async () => {
  const world = new World();
  await world.after(0, "app:1");
  world.runner.forget(UID);
  assert.equal(world.state(), undefined);
  const again = await world.after(0, "app:1");
  assert.equal(again?.kind === "failed" && again.count, 1);
  await world.end();
});

Deno.test("ImageRunner pulls only so many at once", async () => {
  const world = new World({ parallelPulls: 1 });
  world.images.world.pullTakesMs = 1000;
  for (const name of ["a:1", "b:1"]) {
    world.images.world.publish(name);
    world.request(name, { container: name });
  }
  await world.clock.advance(0);
  assert.deepEqual(
    [world.state("a:1")?.kind, world.state("b:1")?.kind],
    ["pulling", "queued"],
  );
  await world.clock.advance(1000);
  assert.deepEqual(
    [world.state("a:1")?.kind, world.state("b:1")?.kind],
    ["present", "pulling"],
  );
  await world.end();
});

Deno.test("ImageRunner shares one pull among those who ask at once", async () => {
  const world = new World();
  world.images.world.publish("app:1");
  world.images.world.pullTakesMs = 1000;
  world.request("app:1", { container: "one" });
  world.request("app:1", { container: "two" });
  await world.clock.advance(999);
  world.images.world.published.clear();
  world.images.world.publish("app:1", { id: "sha256:late" });
  await world.clock.advance(1);
  const refs = ["one", "two"].map((name) => {
    const state = world.state(name);
    return state?.kind === "present" ? state.ref : state?.kind;
  });
  assert.deepEqual(refs, ["sha256:late", "sha256:late"]);
  await world.end();
});

Deno.test("ImageRunner drops the answer to a question nobody has now", async () => {
  const world = new World();
  world.images.world.publish("app:1");
  world.images.world.place("app:2");
  world.images.world.pullTakesMs = 1000;
  await world.after(0, "app:1");
  await world.after(0, "app:2");
  await world.clock.advance(1000);
  assert.deepEqual(
    [world.state()?.image, world.state()?.kind],
    ["app:2", "present"],
  );
  await world.end();
});

Deno.test("ImageRunner's hints are news until the image is taken", async () => {
  const world = new World();
  world.images.world.place("app:1");
  await world.after(0, "app:1");
  assert.deepEqual(world.hints.map((isNews) => isNews()), [true]);
  world.runner.consume(UID, "app");
  assert.equal(world.state(), undefined);
  assert.deepEqual(world.hints.map((isNews) => isNews()), [false]);
  await world.end();
});
