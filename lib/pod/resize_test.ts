import assert from "node:assert/strict";
import {
  aContainer,
  aFailure,
  anInstance,
  aPod,
  aSandbox,
  type FactParts,
  NOW_MS,
  running,
  SETTINGS,
  someFacts,
} from "../../tests/build.ts";
import { containerId } from "../api/id.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { allocationOf } from "./allocation.ts";
import { decide } from "./decide.ts";
import type { Facts } from "./facts.ts";
import { isOutgrown, podAsSet, resizeProgress } from "./resize.ts";
import { NO_RESIZE } from "./resize_facts.ts";
import { containerResources } from "./runtime_resources.ts";

const MI = 1024n ** 2n;

function sizes(cpu: string, memory: string) {
  return { requests: { cpu, memory }, limits: { cpu, memory } };
}

function podOf(
  resources: V1Container["resources"],
  own: Partial<V1Container> = {},
): V1Pod {
  return aPod({
    containers: [aContainer({ ...resources ? { resources } : {}, ...own })],
  });
}

/** A pod that runs as `old` says and is given what `now` says. */
function resized(old: V1Pod, now: V1Pod, parts: FactParts = {}): Facts {
  const containers = (old.spec?.containers ?? []).map((container, index) =>
    anInstance({
      id: `c${index}`,
      pod: old,
      name: container.name,
      resources: containerResources(SETTINGS, old, container),
    })
  );
  const { gates } = SETTINGS;
  return someFacts({
    pod: now,
    state: running(),
    sandboxes: [aSandbox({ pod: now })],
    containers,
    resize: {
      ...NO_RESIZE,
      actuated: allocationOf(old, gates),
      cgroup: "stale",
      started: { generation: 2, atMs: NOW_MS - 10 },
    },
    ...parts,
  });
}

/** The steps of the plan, in words. */
function steps(facts: Facts): readonly string[] {
  return decide(facts, NOW_MS).actions.flatMap((action) =>
    action.kind !== "resize-pod" ? [] : action.steps.map((step) => {
      switch (step.kind) {
        case "pod":
          return "pod";
        case "container": {
          const { cpuShares, cpuQuotaUs, memoryLimitBytes } = step.resources;
          return `${step.name}: ${cpuShares} ${cpuQuotaUs / 100n}m ` +
            `${memoryLimitBytes / MI}Mi`;
        }
        case "cgroup": {
          const { memoryLimitBytes, cpuQuotaUs, cpuShares } = step.values;
          const value = memoryLimitBytes !== undefined
            ? `${memoryLimitBytes / MI}Mi`
            : cpuQuotaUs !== undefined
            ? `quota ${cpuQuotaUs / 100n}m`
            : `shares ${cpuShares}`;
          return `cgroup: ${value}`;
        }
      }
    })
  );
}

Deno.test("decide() grows the pod before and shrinks it after its containers", () => {
  const small = podOf(sizes("100m", "64Mi"));
  const large = podOf(sizes("200m", "128Mi"));
  assert.deepEqual(steps(resized(small, large)), [
    "cgroup: 128Mi",
    "web: 102 100m 128Mi",
    "cgroup: quota 200m",
    "cgroup: shares 204",
    "web: 204 200m 128Mi",
  ]);
  assert.deepEqual(steps(resized(large, small)), [
    "web: 204 200m 64Mi",
    "cgroup: 64Mi",
    "web: 102 100m 64Mi",
    "cgroup: shares 102",
    "cgroup: quota 100m",
  ]);
});

Deno.test("decide() takes from some containers before it gives to others", () => {
  const both = (first: string, second: string) =>
    aPod({
      containers: [
        aContainer({ name: "a", resources: sizes(first, "64Mi") }),
        aContainer({ name: "b", resources: sizes(second, "64Mi") }),
      ],
    });
  assert.deepEqual(
    steps(resized(both("100m", "300m"), both("200m", "150m"))),
    [
      "cgroup: 128Mi",
      "b: 153 150m 64Mi",
      "a: 204 200m 64Mi",
      "cgroup: shares 358",
      "cgroup: quota 350m",
    ],
  );
});

Deno.test("decide() changes nothing where nothing is known to differ", () => {
  const pod = podOf(sizes("100m", "64Mi"));
  const facts = resized(pod, pod, { resize: NO_RESIZE });
  assert.deepEqual(decide(facts, NOW_MS).actions, []);
  // The record is lost and the runtime does not tell: left alone.
  const silent = resized(pod, podOf(sizes("1", "64Mi")), {
    resize: NO_RESIZE,
    containers: [anInstance({ pod })],
  });
  assert.deepEqual(steps(silent), []);
});

Deno.test("decide() sets nothing back to what an old record says", () => {
  const record = podOf(sizes("200m", "128Mi"));
  const there = podOf(sizes("150m", "96Mi"));
  const facts = resized(there, podOf(sizes("300m", "160Mi")), {
    resize: {
      ...NO_RESIZE,
      actuated: allocationOf(record, SETTINGS.gates),
      cgroup: "unknown",
    },
  });
  // Memory first: the quota stays below what the pod still has.
  assert.deepEqual(steps(facts), [
    "cgroup: 160Mi",
    "web: 153 150m 160Mi",
    "cgroup: quota 300m",
    "cgroup: shares 307",
    "web: 307 300m 160Mi",
  ]);
});

Deno.test("decide() believes the runtime where the record is lost or late", () => {
  const old = podOf(sizes("100m", "64Mi"));
  const now = podOf(sizes("200m", "64Mi"));
  const lost = resized(old, now, { resize: NO_RESIZE });
  assert.deepEqual(steps(lost), [
    "cgroup: quota 200m",
    "cgroup: shares 204",
    "web: 204 200m 64Mi",
  ]);
  // It has no quota at all, and so no period.
  const none = containerResources(
    SETTINGS,
    podOf({ requests: { cpu: "100m" } }),
    aContainer(),
  );
  const free = { ...none, cpuShares: 204n, cpuPeriodUs: 0n };
  const unlimited = resized(old, now, {
    resize: NO_RESIZE,
    containers: [anInstance({ pod: old, resources: free })],
  });
  assert.ok(steps(unlimited).includes("web: 204 200m 64Mi"));
  const late = resized(now, now, {
    resize: { ...NO_RESIZE, actuated: allocationOf(old, SETTINGS.gates) },
  });
  assert.deepEqual(steps(late), []);
});

Deno.test("decide() writes a changed memory request down and sets the rest again", () => {
  const with_ = (memory: string) =>
    podOf({ requests: { cpu: "100m", memory } });
  const facts = resized(with_("32Mi"), with_("64Mi"));
  assert.deepEqual(
    steps(facts),
    ["cgroup: shares 102", "web: 102 0m 0Mi"]
      .toSorted((a, b) => (a < b ? 1 : -1)),
  );
  assert.deepEqual(resizeProgress(facts, with_("64Mi")), { kind: "under-way" });
});

Deno.test("decide() ends a container whose policy wants that, then sizes its pod", () => {
  const policy = {
    resizePolicy: [{
      resourceName: "memory",
      restartPolicy: "RestartContainer",
    }],
  };
  const old = podOf(sizes("100m", "64Mi"), policy);
  const now = podOf(sizes("100m", "128Mi"), policy);
  const outgrown = new Set([containerId("c0")]);
  const base = resized(old, now);
  const [container] = now.spec?.containers ?? [];
  const [instance] = base.observed.containers;
  assert.ok(container && instance);
  assert.equal(isOutgrown(base, { pod: now, container }, instance), true);
  const cpu = podOf(sizes("200m", "64Mi"), policy);
  const [other] = cpu.spec?.containers ?? [];
  assert.ok(other);
  assert.equal(
    isOutgrown(base, { pod: cpu, container: other }, instance),
    false,
  );
  const resize = { ...base.resize, outgrown };
  const stop = decide({ ...base, resize }, NOW_MS).actions
    .flatMap((each) => each.kind === "stop-containers" ? each.containers : []);
  assert.deepEqual(
    stop.map(({ message }) => message),
    ["Container web resize requires restart"],
  );
  assert.deepEqual(steps({ ...base, resize }), []);
  // It is over by now: the pod's cgroup first, then the new container.
  const ended = resized(old, now, {
    resize,
    containers: [anInstance({ pod: old, state: "exited", exitCode: 0 })],
    images: { web: { kind: "checking", sinceMs: 0 } },
  });
  assert.deepEqual(steps(ended), [
    "cgroup: 128Mi",
    "cgroup: quota 100m",
    "cgroup: shares 102",
  ]);
});

Deno.test("decide() starts an outgrown container again whatever it ended with", () => {
  const pod = aPod({ spec: { restartPolicy: "OnFailure" } });
  const ended = anInstance({ pod, state: "exited", exitCode: 0 });
  const facts = (outgrown: Facts["resize"]["outgrown"]) =>
    someFacts({
      pod,
      state: running(),
      sandboxes: [aSandbox({ pod })],
      containers: [ended],
      resize: { ...NO_RESIZE, outgrown },
    });
  const kinds = (each: Facts) =>
    decide(each, NOW_MS).actions.map(({ kind }) => kind);
  assert.ok(!kinds(facts(new Set())).includes("ensure-image"));
  assert.ok(kinds(facts(new Set([ended.id]))).includes("ensure-image"));
});

Deno.test("decide() waits after a failed resize, unless another was given", () => {
  const old = podOf(sizes("100m", "64Mi"));
  const now = podOf(sizes("200m", "64Mi"));
  const failures = { resize: aFailure({ message: "no room" }) };
  const before = { generation: 2, atMs: NOW_MS - 5_000 };
  const facts = resized(old, now, { failures });
  const held = { ...facts, resize: { ...facts.resize, started: before } };
  assert.deepEqual(steps(held), []);
  assert.deepEqual(resizeProgress(held, now), {
    kind: "failed",
    message: "no room",
  });
  assert.deepEqual(decide(held, NOW_MS).blockers, [{
    what: "resize",
    message: "Resize failed: no room",
    untilMs: NOW_MS + 5_000,
    count: 1,
  }]);
  assert.notDeepEqual(steps(facts), []);
  assert.deepEqual(resizeProgress(facts, now), { kind: "under-way" });
});

Deno.test("decide() sets what is given for the pod as a whole", () => {
  const whole = (cpu: string): V1Pod => ({
    ...aPod({ spec: { resources: sizes(cpu, "128Mi") } }),
  });
  // A container without limits of its own has the pod's.
  assert.deepEqual(steps(resized(whole("100m"), whole("200m"))), [
    "cgroup: 128Mi",
    "cgroup: quota 200m",
    "cgroup: shares 204",
    "web: 204 200m 128Mi",
    "pod",
  ]);
});

Deno.test("podAsSet() shows what is set so far", () => {
  const old = podOf(sizes("100m", "64Mi"));
  const now = podOf(sizes("200m", "64Mi"));
  const shown = podAsSet(resized(old, now), now);
  assert.deepEqual(
    shown.spec?.containers[0]?.resources,
    sizes("100m", "64Mi"),
  );
});
