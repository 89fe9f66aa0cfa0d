import assert from "node:assert/strict";
import { aContainer, aPod, running, SETTINGS } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import type { PodUid } from "../api/id.ts";
import { createMeters } from "../api/meters.ts";
import { uidOf } from "../api/pod.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import { createMetrics } from "../base/metrics.ts";
import { unseenStatus } from "../pod/status.ts";
import { type Desired, NOTHING_YET } from "../source/types.ts";
import { Allocations } from "./allocations.ts";
import { Resizes } from "./resizes.ts";
import { EMPTY_MEMORY, type PodMemory } from "./store.ts";

const NODE = {
  name: "node-1",
  os: "linux",
  labels: new Map(),
  taints: [],
  allocatable: new Map([["cpu", "2"], ["memory", "4Gi"], ["pods", "10"]]),
};

function pod(
  name: string,
  cpu: string,
  generation = 1,
  spec: { readonly priority?: number } = {},
): V1Pod {
  const requests = { cpu };
  const made = aPod({
    name,
    uid: name,
    spec,
    containers: [aContainer({ resources: { requests, limits: requests } })],
  });
  return { ...made, metadata: { ...made.metadata, generation } };
}

/** Pods that run, as passes have seen them. */
class World {
  readonly clock = new FakeClock();
  readonly meters = createMeters(createMetrics());
  readonly desired = cell<Desired>(NOTHING_YET);
  readonly pods = new Map<PodUid, PodMemory>();
  readonly steps: string[] = [];
  readonly woken: string[] = [];
  readonly allocations = new Allocations(
    { files: new FakeFiles(), clock: this.clock, log: silentLogger },
    { rootDir: "/root", gates: SETTINGS.gates },
  );
  node: typeof NODE | undefined = NODE;
  readonly resizes: Resizes;

  constructor(settings = SETTINGS) {
    this.resizes = new Resizes({
      allocations: this.allocations,
      desired: this.desired[1],
      pods: this.pods,
      node: () => this.node,
      pressures: () => [],
      isShuttingDown: () => false,
      settings,
      preemptions: {
        orders: new Map(),
        order: ({ victims }) =>
          victims.forEach(({ uid }) => this.steps.push(`${uid} preempted`)),
      },
      recorder: {
        record: (uid: PodUid, { reason }: Step) =>
          void this.steps.push(`${uid} ${reason}`),
      },
      clock: this.clock,
      meters: this.meters,
      given: () => {},
      wake: (uid) => void this.woken.push(uid),
    });
  }

  want(wishes: readonly V1Pod[], heard: "some" | "all" = "all"): void {
    const origin = { kind: "api", location: "there" } as const;
    const entries = wishes.map((pod) =>
      [uidOf(pod), { pod, uid: uidOf(pod), origin }] as const
    );
    const isReady = heard === "all";
    this.desired[0].set({ ...NOTHING_YET, isReady, pods: new Map(entries) });
  }

  /** What a pass does with a pod. */
  pass(wish: V1Pod, phase: "Running" | "Failed" = "Running"): void {
    const uid = uidOf(wish);
    this.resizes.look(uid);
    const seen = this.allocations.podOf(wish);
    const status = { ...unseenStatus(seen), phase };
    const memory = { ...EMPTY_MEMORY, state: running(), pod: seen, status };
    this.pods.set(uid, memory);
    this.allocations.admit(seen);
    this.resizes.projected(uid);
  }

  run(...wishes: V1Pod[]): void {
    this.want(wishes);
    for (const each of wishes) this.pass(each);
  }

  given(wish: V1Pod): string | undefined {
    const [container] = this.allocations.podOf(wish).spec?.containers ?? [];
    return container?.resources?.requests?.["cpu"];
  }

  async count(name: string): Promise<string | undefined> {
    const text = await this.meters.set.text();
    return text.split("\n").find((line) => line.startsWith(`kubelet_${name}`))
      ?.slice("kubelet_".length);
  }
}

Deno.test("Resizes give at the first look what there is room for", async () => {
  const world = new World();
  world.run(pod("a", "500m"));
  const now = pod("a", "2", 2);
  world.run(now);
  assert.equal(world.given(now), "2");
  assert.deepEqual(world.steps, ["a ResizeStarted"]);
  assert.deepEqual(world.woken, [], "it is being looked at");
  const { started, pending } = world.resizes.of(uidOf(now));
  assert.deepEqual([started?.generation, pending], [2, undefined]);
  assert.equal(
    await world.count('container_requested_resizes_total{resource="cpu",'),
    'container_requested_resizes_total{resource="cpu",' +
      'requirement="requests",operation="increase"} 1',
  );
});

Deno.test("Resizes do nothing before everybody is known", () => {
  for (const lacking of ["sources", "node"] as const) {
    const world = new World();
    const now = pod("a", "1", 2);
    world.run(pod("a", "500m"));
    if (lacking === "node") world.node = undefined;
    world.want([now], lacking === "sources" ? "some" : "all");
    world.pass(now);
    assert.equal(world.given(now), "500m");
    world.node = NODE;
    world.run(now);
    assert.equal(world.given(now), "1");
  }
});

Deno.test("Resizes wait for a pod to go, to end or to have less", async () => {
  const now = pod("b", "1500m", 2);
  const makers: Readonly<Record<string, (world: World) => void>> = {
    pods_removed: (world) => {
      world.want([now]);
      world.pods.delete(uidOf(pod("a", "1")));
      world.resizes.forget(uidOf(pod("a", "1")));
    },
    pod_terminated: (world) => world.pass(pod("a", "1"), "Failed"),
    pod_resized: (world) => {
      const less = pod("a", "100m", 2);
      world.want([less, now]);
      world.pass(less);
    },
    periodic_retry: (world) => {
      world.node = { ...NODE, allocatable: new Map([...NODE.allocatable]) };
      world.node.allocatable.set("cpu", "4");
      world.resizes.retry("periodic_retry");
    },
  };
  for (const [trigger, make] of Object.entries(makers)) {
    const world = new World();
    world.run(pod("a", "1"), pod("b", "100m"));
    world.run(pod("a", "1"), now);
    assert.equal(world.given(now), "100m");
    assert.equal(world.resizes.of(uidOf(now)).pending?.reason, "Deferred");
    world.resizes.retry("periodic_retry");
    assert.deepEqual(world.woken, [], "nothing new to tell");
    make(world);
    assert.equal(world.given(now), "1500m", trigger);
    assert.deepEqual(world.woken, ["b"]);
    // Nothing of the first is set yet in this world: it has less at once.
    const counted = trigger === "pod_resized" ? "pod_updated" : trigger;
    assert.equal(
      await world.count("pod_deferred_accepted_resizes_total{"),
      `pod_deferred_accepted_resizes_total{retry_trigger="${counted}"} 1`,
    );
    assert.deepEqual(world.steps.filter((each) => each.startsWith("b ")), [
      "b ResizeDeferred",
      "b ResizeStarted",
    ]);
  }
});

Deno.test("Resizes do not give the room of one to two", () => {
  const world = new World();
  world.run(pod("a", "100m"), pod("b", "100m"), pod("c", "1800m"));
  const [a, b] = [pod("a", "1500m", 2), pod("b", "1500m", 2)];
  world.run(a, b, pod("c", "1800m"));
  world.want([a, b]);
  world.pods.delete(uidOf(pod("c", "1")));
  world.resizes.forget(uidOf(pod("c", "1")));
  const given = [world.given(a), world.given(b)];
  assert.deepEqual(given.toSorted(), ["100m", "1500m"]);
});

Deno.test("Resizes that can never be are told once and not tried again", async () => {
  const world = new World({ ...SETTINGS, fixesCpus: true });
  const sure = (cpu: string, generation: number) => {
    const amounts = { cpu, memory: "1Mi" };
    const resources = { requests: amounts, limits: amounts };
    const made = pod("a", cpu, generation);
    const containers = [aContainer({ resources })];
    return { ...made, spec: { ...made.spec, containers } };
  };
  world.run(sure("100m", 1));
  const now = sure("200m", 2);
  world.run(now);
  world.resizes.retry("periodic_retry");
  world.run({ ...now, status: { phase: "Running" } });
  assert.equal(world.given(now), "100m");
  assert.equal(world.resizes.of(uidOf(now)).pending?.reason, "Infeasible");
  assert.deepEqual(world.steps, ["a ResizeInfeasible"]);
  assert.equal(
    await world.count("pod_infeasible_resizes_total{"),
    'pod_infeasible_resizes_total{reason_detail="guaranteed_pod_cpu_manager_' +
      'static_policy"} 1',
  );
  world.run(sure("100m", 3));
  assert.equal(world.resizes.of(uidOf(now)).pending, undefined);
});

Deno.test("Resizes repeat nothing that a former agent has told", () => {
  const world = new World();
  world.run(pod("a", "1"), pod("b", "100m"));
  const made = pod("b", "1500m", 2);
  const conditions = [{
    type: "PodResizePending",
    status: "True",
    reason: "Deferred",
    observedGeneration: 2,
  }];
  const now = { ...made, status: { phase: "Running", conditions } };
  world.pods.delete(uidOf(now));
  world.run(pod("a", "1"), now);
  assert.deepEqual(world.steps, []);
  assert.equal(world.resizes.of(uidOf(now)).pending?.reason, "Deferred");
});

Deno.test("Resizes let a critical pod have what others hold", () => {
  const world = new World();
  const critical = (cpu: string, generation: number) =>
    pod("b", cpu, generation, { priority: 2_000_000_000 });
  world.run(pod("a", "1"), critical("100m", 1));
  const now = critical("1500m", 2);
  world.run(pod("a", "1"), now);
  assert.deepEqual(world.steps, ["a preempted", "b ResizeDeferred"]);
  world.pass(pod("a", "1"), "Failed");
  assert.equal(world.given(now), "1500m");
});
