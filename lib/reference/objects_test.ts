import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeReferred } from "../../tests/fakes/fake_cluster_referred.ts";
import { AgentError } from "../base/errors.ts";
import { ObjectCache } from "./objects.ts";
import type { Detection, ObjectAsk, ObjectHold } from "./types.ts";

const REF = { namespace: "prod", name: "c" };
const ASK: ObjectAsk = { kind: "configmap", ...REF };
const never = new AbortController().signal;

class World {
  readonly clock = new FakeClock();
  outage: string | undefined;
  readonly cluster = new FakeReferred({
    before: (doing) =>
      this.outage === undefined
        ? Promise.resolve()
        : Promise.reject(new AgentError(`${doing}: away`, { next: "retry" })),
  });
  readonly cache: ObjectCache;
  changes = 0;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(detection: Detection = "Watch") {
    this.cache = new ObjectCache({
      objects: this.cluster,
      clock: this.clock,
      random: { fraction: () => 0, hex: () => "" },
    }, detection);
    this.#running = this.cache.run(this.#stop.signal);
  }

  put(text: string, own = {}): void {
    const metadata = { ...REF };
    this.cluster.put("ConfigMap", REF, { metadata, data: { k: text }, ...own });
  }

  away(message: string | undefined): void {
    this.outage = message;
    this.cluster.hush(message);
  }

  hold(): ObjectHold {
    return this.cache.hold(() => this.changes++);
  }

  /** What the hold is given; its words when it is refused. */
  async text(hold: ObjectHold, ask = ASK): Promise<string | undefined> {
    const got = hold.get(ask, never).then(
      (object) => Object(object?.data).k,
      (error) => `! ${error.message}`,
    );
    await this.clock.advance(0);
    return await got;
  }

  async end(): Promise<void> {
    this.#stop.abort(new DOMException("Over", "AbortError"));
    await this.clock.advance(0);
    await this.#running;
    assert.equal(this.clock.sleepers, 0);
    assert.equal(this.cluster.watches, 0);
  }
}

Deno.test("ObjectCache watches each object once and tells of changes", async () => {
  const world = new World();
  world.put("1");
  const [a, b] = [world.hold(), world.hold()];
  assert.equal(await world.text(a), "1");
  assert.equal(await world.text(b), "1");
  assert.deepEqual(world.cluster.asked, ["watch configmap prod/c"]);
  world.put("2");
  await world.clock.advance(0);
  assert.equal(world.changes, 2);
  assert.equal(await world.text(a), "2");
  // The same object, said again, is no news.
  world.cluster.hush("for a moment");
  world.cluster.hush(undefined);
  await world.clock.advance(0);
  assert.equal(world.changes, 2);
  world.cluster.take("ConfigMap", REF);
  await world.clock.advance(0);
  assert.equal(world.changes, 4);
  assert.equal(await world.text(b), undefined);
  await world.end();
});

Deno.test("ObjectCache lets go of what nobody holds, a little later", async () => {
  const world = new World();
  world.put("1");
  const [a, b] = [world.hold(), world.hold()];
  await world.text(a);
  await world.text(b);
  a.close();
  b.close();
  b.close();
  await world.clock.advance(59_999);
  assert.equal(world.cluster.watches, 1);
  assert.equal(await world.text(world.hold()), "1");
  await world.clock.advance(120_000);
  assert.equal(world.cluster.watches, 1);
  await world.end();
  const other = new World();
  const hold = other.hold();
  await other.text(hold);
  hold.close();
  await other.clock.advance(60_000);
  assert.equal(other.cluster.watches, 0);
  await other.end();
});

Deno.test("ObjectCache never remembers that an object is missing", async () => {
  const world = new World();
  const hold = world.hold();
  assert.equal(await world.text(hold), undefined);
  // The watch has not said so yet, and the object is there.
  world.cluster.hush("slow");
  world.outage = undefined;
  world.put("1");
  assert.equal(await world.text(world.hold()), "1");
  world.cluster.hush(undefined);
  await world.clock.advance(0);
  assert.equal(world.changes, 1);
  await world.end();
});

Deno.test("ObjectCache does not watch what says that it never changes", async () => {
  const world = new World();
  world.put("1", { immutable: true });
  const hold = world.hold();
  assert.equal(await world.text(hold), "1");
  await world.clock.advance(0);
  assert.equal(world.cluster.watches, 0);
  world.put("2", { immutable: true });
  assert.equal(await world.text(hold), "1");
  assert.equal(await world.text(world.hold()), "1");
  assert.equal(world.cluster.asked.length, 1);
  await world.end();
});

Deno.test("ObjectCache without a server: who had it goes on, others do not", async () => {
  const world = new World();
  world.put("1");
  const hold = world.hold();
  await world.text(hold);
  world.away("away");
  await world.clock.advance(0);
  assert.equal(await world.text(hold), "1");
  const fresh = world.hold();
  assert.equal(await world.text(fresh), "! configmap prod/c: away");
  // The server is back before the watch is: who is new asks directly.
  world.outage = undefined;
  world.put("2");
  assert.equal(await world.text(fresh), "2");
  assert.equal(await world.text(hold), "2");
  world.cluster.hush(undefined);
  await world.clock.advance(0);
  assert.equal(await world.text(fresh), "2");
  await world.end();
});

Deno.test("ObjectCache tells those who were refused once it knows", async () => {
  const world = new World();
  world.away("away");
  const hold = world.hold();
  assert.equal(await world.text(hold), "! configmap prod/c: away");
  world.put("1");
  world.away(undefined);
  await world.clock.advance(0);
  assert.equal(world.changes, 1);
  assert.equal(await world.text(hold), "1");
  await world.end();
});

Deno.test("ObjectCache gives up waiting for a first word", async () => {
  const clock = new FakeClock();
  const silent = {
    watch: async function* (_kind: string, _ref: object, signal: AbortSignal) {
      await clock.sleep(3_600_000, signal);
      yield { kind: "steady" } as const;
    },
  };
  const cluster = Object.assign(new FakeReferred(), silent);
  const cache = new ObjectCache({
    objects: cluster,
    clock,
    random: { fraction: () => 0, hex: () => "" },
  }, "Watch");
  const stop = new AbortController();
  const running = cache.run(stop.signal);
  const got = cache.hold(() => undefined).get(ASK, never);
  const refused = assert.rejects(got, /no answer within 10 s/);
  await clock.advance(10_000);
  await refused;
  const own = new AbortController();
  const other = cache.hold(() => undefined).get(ASK, own.signal);
  const aborted = assert.rejects(other, { message: "Enough" });
  own.abort(new DOMException("Enough", "AbortError"));
  await aborted;
  stop.abort(new DOMException("Over", "AbortError"));
  await clock.advance(0);
  await running;
});

Deno.test("ObjectCache asks as often as it is told to", async () => {
  const table: [Detection, number][] = [["Cache", 1], ["Get", 2]];
  for (const [detection, requests] of table) {
    const world = new World(detection);
    world.put("1");
    const hold = world.hold();
    assert.equal(await world.text(hold), "1");
    assert.equal(await world.text(hold), "1");
    assert.equal(world.cluster.asked.length, requests, detection);
    world.put("2");
    // A pod that is new is never told what was there before it.
    await world.clock.advance(1);
    assert.equal(await world.text(world.hold()), "2");
    assert.equal(world.changes, 1);
    world.put("3");
    await world.clock.advance(60_000);
    assert.equal(world.changes, 3);
    world.away("away");
    assert.equal(await world.text(hold), "3");
    assert.match(String(await world.text(world.hold())), /away/);
    await world.end();
  }
});

Deno.test("ObjectCache never mixes up namespaces or kinds", async () => {
  const world = new World();
  world.put("1");
  const hold = world.hold();
  const others: ObjectAsk[] = [
    { ...ASK, kind: "secret" },
    { ...ASK, namespace: "test" },
    { kind: "configmap", namespace: "prod/c", name: "" },
  ];
  for (const ask of others) {
    assert.equal(await world.text(hold, ask), undefined);
  }
  assert.equal(await world.text(hold), "1");
  await world.end();
});

Deno.test("ObjectCache of a standalone node has nothing to ask", async () => {
  const clock = new FakeClock();
  const random = { fraction: () => 0, hex: () => "" };
  const cache = new ObjectCache({ objects: undefined, clock, random }, "Watch");
  await assert.rejects(
    cache.hold(() => undefined).get(ASK, never),
    /Cannot get configmap prod\/c: this agent has no API server/,
  );
});
