import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FULL_SANDBOX } from "../../tests/contract/cri_samples.ts";
import { FakeImages } from "../../tests/fakes/fake_images.ts";
import type { PullRequest } from "../port/images.ts";
import type { Credential, CredentialSource } from "./credential.ts";
import { LONGEST_TURN_MS, type QueueLimits } from "./pull_queue.ts";
import { type PullAsk, SharedPulls } from "./shared_pulls.ts";

class World {
  readonly clock = new FakeClock();
  readonly images = new FakeImages(this.clock);
  readonly pulls: SharedPulls;
  /** What happened, in order: `start a:1`, `end a:1`, `fail a:1: why`. */
  readonly told: string[] = [];

  constructor(own: Partial<QueueLimits> = {}) {
    this.pulls = new SharedPulls(this.images, this.clock, {
      parallelPulls: Infinity,
      pullsPerSecond: 0,
      burst: 1,
      ...own,
    });
    for (const name of ["a:1", "b:1", "c:1", "d:1"]) {
      this.images.world.publish(name);
    }
  }

  ask(image: string, own: Partial<PullAsk> = {}, signal?: AbortSignal) {
    const ask = {
      image,
      credentials: [],
      priority: 0,
      started: () => this.told.push(`start ${image}`),
      ...own,
    };
    return this.pulls.pull(ask, signal ?? new AbortController().signal).then(
      () => this.told.push(`end ${image}`),
      (error: Error) => this.told.push(`fail ${image}: ${error.message}`),
    );
  }
}

function credential(
  password: string,
  source: CredentialSource = { kind: "node" },
): Credential {
  return { login: { username: "u", password, email: "" }, source };
}

Deno.test("SharedPulls tries credentials in order and says which one worked", async () => {
  const world = new World();
  world.images.world.passwords.set("a:1", "right");
  const credentials = [credential("wrong"), credential("right")];
  const pulled = await world.pulls.pull({
    image: "a:1",
    credentials,
    priority: 0,
    started: () => {},
  }, new AbortController().signal);
  assert.equal(pulled.credential, credentials[1]);
  world.images.world.present.clear();
  await world.ask("a:1", { credentials: [credential("x"), credential("y")] });
  assert.deepEqual(world.told, [
    "start a:1",
    "fail a:1: Cannot pull image a:1: authorization failed",
  ]);
});

Deno.test("SharedPulls shares among equal credentials only", async () => {
  const world = new World();
  world.images.world.pullTakesMs = 1000;
  world.images.world.passwords.set("a:1", "right");
  const right = { credentials: [credential("right")] };
  const all = Promise.all([
    world.ask("a:1", right),
    world.ask("a:1", right),
    world.ask("a:1"),
    world.ask("a:1", { credentials: [credential("wrong")] }),
  ]);
  await world.clock.advance(1000);
  await all;
  assert.deepEqual(world.told.toSorted(), [
    "end a:1",
    "end a:1",
    ...Array(2).fill("fail a:1: Cannot pull image a:1: authorization failed"),
    ...Array(4).fill("start a:1"),
  ]);
});

Deno.test("SharedPulls ends a pull when the last who waits has gone", async () => {
  const world = new World({ parallelPulls: 1 });
  world.images.world.pullTakesMs = 1_000_000;
  const [one, two] = [new AbortController(), new AbortController()];
  const reason = new DOMException("gone", "AbortError");
  const all = Promise.all([
    world.ask("a:1", {}, one.signal),
    world.ask("a:1", {}, two.signal),
    world.ask("b:1"),
  ]);
  await world.clock.advance(0);
  one.abort(reason);
  await world.clock.advance(0);
  assert.deepEqual(world.told, ["start a:1", "start a:1", "fail a:1: gone"]);
  world.images.world.pullTakesMs = 0;
  two.abort(reason);
  await world.clock.advance(0);
  await all;
  assert.deepEqual(world.told.slice(3), [
    "fail a:1: gone",
    "start b:1",
    "end b:1",
  ]);
  assert.equal(world.clock.sleepers, 0);
});

Deno.test("SharedPulls serves the more important first, then the earlier", async () => {
  const world = new World({ parallelPulls: 1 });
  world.images.world.pullTakesMs = 10;
  const all = Promise.all([
    world.ask("a:1"),
    world.ask("b:1", { priority: 1 }),
    world.ask("c:1", { priority: 2_000_000_000 }),
    world.ask("d:1", { priority: 1 }),
  ]);
  await world.clock.advance(40);
  await all;
  const starts = world.told.filter((each) => each.startsWith("start"));
  assert.deepEqual(
    starts,
    ["c:1", "b:1", "d:1", "a:1"].map((each) => `start ${each}`),
  );
});

Deno.test("SharedPulls keeps the rate, and whoever is first by then", async () => {
  const world = new World({ pullsPerSecond: 1, burst: 1 });
  const all = Promise.all([
    world.ask("a:1"),
    world.ask("b:1"),
    world.ask("c:1", { priority: 5 }),
  ]);
  await world.clock.advance(0);
  const startedNow = world.told.filter((each) => each.startsWith("start"));
  assert.equal(startedNow.length, 1);
  await world.clock.advance(1000);
  await world.clock.advance(1000);
  await all;
  assert.equal(world.told.at(-1), "end b:1");
});

Deno.test("SharedPulls lets nobody wait for a pull that hangs", async () => {
  const world = new World({ parallelPulls: 1 });
  world.images.world.pullTakesMs = 2 * LONGEST_TURN_MS;
  const hung = world.ask("a:1");
  const next = world.ask("b:1");
  await world.clock.advance(LONGEST_TURN_MS - 1);
  assert.deepEqual(world.told, ["start a:1"]);
  world.images.world.pullTakesMs = 0;
  await world.clock.advance(1);
  await next;
  assert.deepEqual(world.told, ["start a:1", "start b:1", "end b:1"]);
  await world.clock.advance(LONGEST_TURN_MS);
  await hung;
  assert.equal(world.told.at(-1), "end a:1");
});

Deno.test("SharedPulls tells the runtime who asks", async () => {
  const world = new World();
  const asked: PullRequest[] = [];
  const pull = world.images.pull.bind(world.images);
  world.images.pull = (request, signal) => {
    asked.push(request);
    return pull(request, signal);
  };
  const annotations = new Map([["lazy", "yes"]]);
  const done = world.ask("a:1", { annotations, sandbox: FULL_SANDBOX });
  await world.clock.advance(60_000);
  await done;
  assert.deepEqual(asked, [{
    image: "a:1",
    runtimeHandler: "",
    annotations,
    sandbox: FULL_SANDBOX,
  }]);
});
