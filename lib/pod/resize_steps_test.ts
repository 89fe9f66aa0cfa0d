import assert from "node:assert/strict";
import {
  aContainer,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  running,
  SETTINGS,
  someFacts,
} from "../../tests/build.ts";
import type { V1Pod } from "../api/types.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { LinuxResources } from "../port/runtime_spec.ts";
import { allocationOf } from "./allocation.ts";
import { decide } from "./decide.ts";
import type { Facts } from "./facts.ts";
import { podCgroup } from "./pod_cgroup.ts";
import { NO_RESIZE } from "./resize_facts.ts";
import type { ResizeStep } from "./resize_step.ts";
import { containerResources } from "./runtime_resources.ts";

/** Numbers that look random and are the same in each run. */
function numbers(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor(state / 2 ** 31 * most);
  };
}

function aGuaranteedPod(count: number, next: (most: number) => number): V1Pod {
  return aPod({
    containers: Array.from({ length: count }, (_, index) => {
      const of = { cpu: `${50 + next(9) * 50}m`, memory: `${32 + next(9)}Mi` };
      return aContainer({
        name: `c${index}`,
        resources: { requests: of, limits: of },
      });
    }),
  });
}

/** What runs, as the steps change it. */
class World {
  cgroup: CgroupValues;
  readonly containers = new Map<string, LinuxResources>();
  readonly record: Map<string, NonNullable<ReturnType<typeof allocationOf>>>;

  constructor(pod: V1Pod) {
    this.cgroup = podCgroup(SETTINGS, pod)?.values ?? {};
    for (const each of pod.spec?.containers ?? []) {
      const resources = containerResources(SETTINGS, pod, each);
      this.containers.set(each.name, resources);
    }
    this.record = new Map([["pod", allocationOf(pod, SETTINGS.gates)]]);
  }

  facts(pod: V1Pod): Facts {
    return someFacts({
      pod,
      state: running(),
      sandboxes: [aSandbox({ pod })],
      containers: [...this.containers].map(([name, resources]) =>
        anInstance({ id: `id-${name}`, pod, name, resources })
      ),
      resize: {
        ...NO_RESIZE,
        actuated: this.record.get("pod"),
        cgroup: "unknown",
      },
    });
  }

  take(step: ResizeStep): void {
    if (step.kind === "cgroup") {
      this.cgroup = { ...this.cgroup, ...step.values };
    }
    if (step.kind !== "container") return;
    this.containers.set(step.name, step.resources);
    const { containers } = this.record.get("pod") ?? { containers: new Map() };
    this.record.set("pod", {
      containers: new Map(containers).set(step.name, step.given),
    });
  }

  /** Invariant: no container ever has more than its pod. */
  check(): void {
    const { memoryLimitBytes = 0n, cpuQuotaUs = 0n } = this.cgroup;
    for (const each of this.containers.values()) {
      assert.ok(each.memoryLimitBytes <= memoryLimitBytes);
      assert.ok(each.cpuQuotaUs <= cpuQuotaUs);
    }
  }
}

function stepsOf(facts: Facts): readonly ResizeStep[] {
  return decide(facts, NOW_MS).actions
    .flatMap((each) => each.kind === "resize-pod" ? each.steps : []);
}

Deno.test("resizeAction() never gives a container more than its pod, and comes to an end", () => {
  const next = numbers(7);
  for (let round = 0; round < 200; round++) {
    const count = 1 + next(4);
    const world = new World(aGuaranteedPod(count, next));
    const pod = aGuaranteedPod(count, next);
    for (let turn = 0;; turn++) {
      assert.ok(turn < 20, "it comes to an end");
      const steps = stepsOf(world.facts(pod));
      if (steps.length === 0) break;
      // It may be cut short anywhere: what was done is done.
      const cut = turn < 3 ? 1 + next(steps.length) : steps.length;
      for (const step of steps.slice(0, cut)) {
        world.take(step);
        world.check();
      }
    }
    const wanted = new World(pod);
    assert.deepEqual(
      [...world.containers].map(([name, { cpuShares, ...rest }]) => [
        name,
        cpuShares,
        rest.cpuQuotaUs,
        rest.memoryLimitBytes,
      ]),
      [...wanted.containers].map(([name, { cpuShares, ...rest }]) => [
        name,
        cpuShares,
        rest.cpuQuotaUs,
        rest.memoryLimitBytes,
      ]),
    );
  }
});

Deno.test("resizeAction() tells the runtime what is about to be set", () => {
  const of = (cpu: string) => ({ requests: { cpu }, limits: { cpu } });
  const podOf = (cpu: string) =>
    aPod({ containers: [aContainer({ resources: of(cpu) })] });
  const world = new World(podOf("100m"));
  const told = stepsOf(world.facts(podOf("200m"))).flatMap((step) =>
    step.kind === "cgroup" ? [step.sandbox.resources] : []
  );
  assert.deepEqual(
    told.map((each) => [each?.cpuQuotaUs, each?.cpuShares]),
    [[20_000n, 102n], [20_000n, 204n]],
  );
});

Deno.test("resizeAction() names the memory that becomes less", () => {
  const of = (memory: string) => ({ requests: { memory }, limits: { memory } });
  const podOf = (one: string, other: string) =>
    aPod({
      containers: [
        aContainer({ name: "a", resources: of(one) }),
        aContainer({ name: "b", resources: of(other) }),
      ],
    });
  const lower = (old: V1Pod, now: V1Pod) =>
    decide(new World(old).facts(now), NOW_MS).actions
      .flatMap((each) => each.kind === "resize-pod" ? [each.lower] : [])
      .map(({ podBytes, containerBytes }) => [podBytes, [...containerBytes]]);
  const MI = 1024n ** 2n;
  assert.deepEqual(lower(podOf("64Mi", "64Mi"), podOf("32Mi", "64Mi")), [
    [96n * MI, [["a", 32n * MI]]],
  ]);
  assert.deepEqual(lower(podOf("64Mi", "64Mi"), podOf("32Mi", "96Mi")), [
    [undefined, [["a", 32n * MI]]],
  ]);
});
