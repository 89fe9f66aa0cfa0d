import assert from "node:assert/strict";
import { aContainer, aPod, SETTINGS, TRAITS } from "../../tests/build.ts";
import { podUid } from "../api/id.ts";
import type { V1Pod } from "../api/types.ts";
import type { AdmissionNode } from "./admit.ts";
import type { Preemptions } from "./preempt.ts";
import {
  resizeOperations,
  resizeOrder,
  type ResizeVerdict,
  weighResize,
} from "./resize_admit.ts";

const NODE: AdmissionNode = {
  name: "node-1",
  os: "linux",
  labels: new Map(),
  taints: [],
  allocatable: new Map([["cpu", "2"], ["memory", "4Gi"], ["pods", "10"]]),
};

interface Parts {
  readonly cpu?: string;
  readonly memory?: string;
  readonly limit?: "same" | "none";
  readonly whole?: string;
  readonly priority?: number;
  readonly uid?: string;
}

function pod(parts: Parts): V1Pod {
  const { cpu = "100m", memory = "64Mi", limit = "none", whole } = parts;
  const requests = { cpu, memory };
  const resources = limit === "same"
    ? { requests, limits: requests }
    : { requests };
  return aPod({
    ...parts.uid === undefined ? {} : { uid: parts.uid },
    containers: [aContainer({ resources })],
    spec: {
      ...parts.priority === undefined ? {} : { priority: parts.priority },
      ...whole === undefined ? {} : { resources: { requests: { cpu: whole } } },
    },
  });
}

const NOW_MS = 1_000_000;

function weigh(
  given: Parts,
  wish: Parts,
  settings = SETTINGS,
  preemptions: Preemptions = new Map(),
): ResizeVerdict {
  const others = [pod({ uid: "other", cpu: "1500m" })];
  const at = {
    ...{ node: NODE, others, preemptions, settings },
    pressures: [],
    isShuttingDown: false,
  };
  return weighResize(at, { given: pod(given), wish: pod(wish) }, NOW_MS);
}

Deno.test("weighResize() gives what the others leave, to the last", () => {
  assert.deepEqual(weigh({}, { cpu: "500m" }), { kind: "fits" });
  assert.deepEqual(weigh({ cpu: "3" }, { cpu: "100m" }), { kind: "fits" });
});

Deno.test("weighResize() defers with upstream's words and the sum", () => {
  assert.deepEqual(weigh({}, { cpu: "501m" }), {
    kind: "deferred",
    message: "Node didn't have enough resource: cpu, requested: 501, " +
      "used: 1500, capacity: 2000",
    words: "Resize deferred: asks for 501m cpu, others hold 1500m of 2000m, " +
      "1m too few; it is tried again when pods leave or shrink",
    preempts: [],
  });
  // More than the node has is no case of its own.
  assert.equal(weigh({}, { memory: "5Gi" }).kind, "deferred");
});

Deno.test("weighResize() has others end for a critical pod, once", () => {
  const critical: Parts = { cpu: "501m", priority: 2_000_000_000 };
  const first = weigh({ priority: 2_000_000_000 }, critical);
  assert.equal(first.kind, "deferred");
  const [order] = first.kind === "deferred" ? first.preempts : [];
  assert.equal(order?.resource, "cpu");
  assert.deepEqual(order?.victims.map(({ uid }) => uid), ["other"]);
  const uid = podUid("other");
  const leaving = (untilMs: number): Preemptions =>
    new Map([[uid, { graceSeconds: 1, untilMs }]]);
  const again = weigh(critical, critical, SETTINGS, leaving(NOW_MS + 1));
  assert.deepEqual(again.kind === "deferred" ? again.preempts : again, []);
  // Nobody waits for longer than that.
  const late = weigh(critical, critical, SETTINGS, leaving(NOW_MS));
  assert.deepEqual(late, { kind: "fits" });
  const tooMuch = weigh(critical, { ...critical, cpu: "3" });
  assert.match(
    tooMuch.kind === "deferred" ? tooMuch.message : "",
    /^Unexpected error .*no set of running pods found to reclaim/,
  );
});

Deno.test("weighResize() tells what can never be", () => {
  const detail = (verdict: ResizeVerdict) =>
    verdict.kind === "infeasible" ? verdict.detail : verdict.kind;
  const fixed = { ...SETTINGS, fixesCpus: true, fixesMemory: true };
  const one: Parts = { limit: "same" };
  assert.equal(
    detail(weigh(one, { ...one, cpu: "200m" }, fixed)),
    "guaranteed_pod_cpu_manager_static_policy",
  );
  assert.equal(
    detail(weigh(one, { ...one, memory: "65Mi" }, fixed)),
    "guaranteed_pod_memory_manager_static_policy",
  );
  // Those of other classes have nothing to themselves.
  assert.equal(detail(weigh({}, { cpu: "200m" }, fixed)), "fits");
  const gated = {
    ...SETTINGS,
    gates: { ...SETTINGS.gates, mayResizePods: false },
  };
  assert.equal(
    detail(weigh({ whole: "1" }, { whole: "200m" }, gated)),
    "plr_feature_gate_off",
  );
  const swapping = {
    ...SETTINGS,
    mayUseSwap: true,
    machine: { ...TRAITS, swapBytes: 1n << 30n },
  };
  assert.equal(
    detail(weigh({}, { memory: "65Mi" }, swapping)),
    "swap_limitation",
  );
  assert.equal(detail(weigh({}, { cpu: "200m" }, swapping)), "fits");
});

Deno.test("resizeOrder() asks the modest, then the important, the guaranteed, the patient", () => {
  const ask = (name: string, given: Parts, wish: Parts, sinceMs?: number) => ({
    name,
    given: pod(given),
    wish: pod(wish),
    sinceMs,
  });
  const more: Parts = { cpu: "200m" };
  const all = [
    ask("new", {}, more),
    ask("late", {}, more, 20),
    ask("early", {}, more, 10),
    ask("sure", { limit: "same" }, { ...more, limit: "same" }, 30),
    ask("high", {}, { ...more, priority: 5 }, 40),
    ask("less", more, {}, 50),
  ];
  const expected = ["less", "high", "sure", "early", "late", "new"];
  // Whatever the order they come in.
  for (let turn = 0; turn < all.length; turn++) {
    all.push(...all.splice(0, 1));
    assert.deepEqual(resizeOrder(all).map(({ name }) => name), expected);
    assert.deepEqual(
      resizeOrder(all.toReversed()).map(({ name }) => name),
      expected,
    );
  }
});

Deno.test("resizeOperations() names what is asked for otherwise", () => {
  const told = (old: Parts, now: Parts) =>
    resizeOperations(pod(old), pod(now), SETTINGS)
      .map(({ resource, requirement, operation }) =>
        `${operation} ${resource} ${requirement}`
      );
  assert.deepEqual(told({}, {}), []);
  assert.deepEqual(told({ cpu: "1" }, { cpu: "1000m" }), []);
  assert.deepEqual(told({}, { cpu: "2", memory: "1Mi" }), [
    "decrease memory requests",
    "increase cpu requests",
  ]);
  assert.deepEqual(told({}, { limit: "same" }), [
    "add memory limits",
    "add cpu limits",
  ]);
  assert.deepEqual(told({ limit: "same" }, {}), [
    "remove memory limits",
    "remove cpu limits",
  ]);
});
