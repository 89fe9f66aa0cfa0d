import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import type { RuntimeEvent } from "../port/runtime.ts";
import {
  aContainerSpec,
  aSandboxSpec,
} from "../../tests/contract/runtime_specs.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeRuntime } from "../../tests/fakes/fake_runtime.ts";
import type { ObservedPod } from "../pod/facts.ts";
import { differingPods, isNews, observePod, refreshPod } from "./observe.ts";
import { EMPTY_MEMORY, type PodMemory } from "./store.ts";

const forever = new AbortController().signal;
const UID = podUid("11111111");

/** One pod with one running container. */
async function aWorld() {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const { world } = runtime;
  const spec = aSandboxSpec(UID);
  const sandbox = world.addSandbox(spec);
  const container = (attempt: number) =>
    world.addContainer(sandbox, {
      ...aContainerSpec(UID, { imageRef: "any" }),
      attempt,
    });
  const first = container(0);
  world.run(first);
  const look = () => observePod(runtime, UID, options(clock));
  await clock.advance(1000);
  return { clock, runtime, world, sandbox, container, first, look };
}

function options(clock: FakeClock) {
  const lastWords = () => Promise.resolve("");
  return { nowMs: clock.nowMs(), signal: forever, lastWords };
}

Deno.test("observePod() has the newest first and nothing of other pods", async () => {
  const { clock, world, sandbox, container, first, look } = await aWorld();
  world.addSandbox(aSandboxSpec(podUid("22222222")));
  const second = container(1);
  const observed = await look();
  assert.deepEqual(observed.sandboxes.map(({ id }) => id), [sandbox.id]);
  assert.deepEqual(
    observed.containers.map(({ id, sandboxId }) => [id, sandboxId]),
    [[second.id, sandbox.id], [first.id, sandbox.id]],
  );
  assert.equal(observed.atMs, clock.nowMs());
});

Deno.test("refreshPod() sees what changed, what is gone and what was made", async () => {
  const { clock, runtime, world, sandbox, container, first, look } =
    await aWorld();
  const observed = await look();
  const second = container(1);
  const made = {
    sandboxes: [],
    containers: [{ id: second.id, sandboxId: sandbox.id }],
  };
  world.exit(first.id, 3);
  const again = await refreshPod(runtime, {
    uid: UID,
    observed,
    made,
  }, options(clock));
  assert.deepEqual(
    again.containers.map(({ id, state }) => [id, state]),
    [[second.id, "created"], [first.id, "exited"]],
  );
  world.dropSandbox(sandbox);
  const gone = await refreshPod(
    runtime,
    { uid: UID, observed: again, made: { sandboxes: [], containers: [] } },
    options(clock),
  );
  assert.deepEqual([gone.sandboxes, gone.containers], [[], []]);
});

Deno.test("observePod() has a container apart whose start was cut off", async () => {
  const { world, container, first, look } = await aWorld();
  const [cut, bad] = [container(1), container(2)];
  world.failStart(cut, "failed to create shim task: context canceled");
  world.failStart(bad, 'exec: "/no/such": no such file or directory');
  const { containers, cutOff } = await look();
  assert.deepEqual(containers.map(({ id }) => id), [bad.id, first.id]);
  assert.deepEqual(cutOff?.map(({ id }) => id), [cut.id]);
});

Deno.test("differingPods() names pods that are new, changed or gone", async () => {
  const { runtime, world, sandbox, first, look } = await aWorld();
  const pods = new Map<typeof UID, PodMemory>();
  const differing = async () => [
    ...await differingPods(runtime, pods, forever),
  ];
  assert.deepEqual(await differing(), [UID], "new");
  pods.set(UID, { ...EMPTY_MEMORY, observed: await look() });
  assert.deepEqual(await differing(), [], "the same");
  world.exit(first.id, 0);
  assert.deepEqual(await differing(), [UID], "a container ended");
  pods.set(UID, { ...EMPTY_MEMORY, observed: await look() });
  world.haltSandbox(sandbox);
  assert.deepEqual(await differing(), [UID], "its sandbox stopped");
  world.dropSandbox(sandbox);
  assert.deepEqual(await differing(), [UID], "gone");
  pods.set(UID, EMPTY_MEMORY);
  assert.deepEqual(await differing(), [], "known to be gone");
});

Deno.test("isNews() passes over what a pass has seen", () => {
  const observed = { sandboxes: [], containers: [], atMs: 1000 };
  const known = new Map([[UID, { ...EMPTY_MEMORY, observed }]]);
  const event = (kind: RuntimeEvent["kind"], atMs: number): RuntimeEvent => ({
    podUid: UID,
    kind,
    id: "c1",
    atMs,
  });
  const cases: [string, boolean, boolean][] = [
    ["before the look", isNews(known, event("stopped", 999)), false],
    ["just then", isNews(known, event("stopped", 1000)), true],
    ["after it", isNews(known, event("started", 1001)), true],
    ["a new pod", isNews(new Map(), event("started", 0)), true],
    ["a pod long gone", isNews(new Map(), event("deleted", 2000)), false],
  ];
  for (const [title, actual, expected] of cases) {
    assert.equal(actual, expected, title);
  }
});

Deno.test("observePod() takes down last words once, at the end", async () => {
  const { clock, runtime, world, first } = await aWorld();
  world.exit(first.id, 1);
  first.message = "runtime";
  let words = "own words";
  const look = (known?: ObservedPod) =>
    observePod(runtime, UID, {
      ...options(clock),
      known,
      lastWords: () => Promise.resolve(words),
    });
  const observed = await look();
  assert.equal(observed.containers[0]?.message, "runtime: own words");
  words = "other words";
  const again = await look(observed);
  assert.equal(again.containers[0]?.message, "runtime: own words");
  assert.equal((await look()).containers[0]?.message, "runtime: other words");
});
