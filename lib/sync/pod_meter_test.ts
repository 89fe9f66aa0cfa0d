import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  running,
  someFacts,
} from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { createMeters } from "../api/meters.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { createMetrics } from "../base/metrics.ts";
import { podStatus } from "../pod/status.ts";
import { admissionReason } from "./admission_reason.ts";
import { PodMeter } from "./pod_meter.ts";
import { EMPTY_MEMORY, type PodMemory, type Pods } from "./store.ts";

const UID = uidOf(aPod());

function aWorld() {
  const clock = new FakeClock(NOW_MS - 120_000);
  const meters = createMeters(createMetrics());
  const pods: Pods = new Map();
  const meter = new PodMeter({ clock, meters, pods });
  const see = (memory: Partial<PodMemory>) => {
    pods.set(UID, { ...EMPTY_MEMORY, ...memory });
    meter.projected(UID);
  };
  const has = async (line: string) => {
    const text = await meters.set.text();
    assert.ok(text.includes(`\n${line}\n`), `no ${line}`);
  };
  return { clock, meters, meter, see, has };
}

/** Memory of a pod that is Pending, or that runs. */
function memoryOf(pod: V1Pod, phase: "Pending" | "Running"): PodMemory {
  const containers = phase === "Running" ? [anInstance({ pod })] : [];
  const sandboxes = phase === "Running" ? [aSandbox({ pod })] : [];
  const facts = someFacts({ pod, sandboxes, containers });
  const next = phase === "Running"
    ? running()
    : { kind: "waiting", for: "sandbox" } as const;
  const plan = { next, actions: [], blockers: [], waiting: new Map() };
  return {
    ...EMPTY_MEMORY,
    pod,
    state: next,
    observed: { sandboxes, containers, atMs: NOW_MS },
    status: podStatus({ facts, plan, pod }, undefined, NOW_MS),
  };
}

Deno.test("PodMeter counts a start from the first sight of the pod", async () => {
  const { clock, meter, see, has } = aWorld();
  meter.seen(UID, aPod());
  see(memoryOf(aPod(), "Pending"));
  await clock.advance(3_500);
  see(memoryOf(aPod(), "Running"));
  see(memoryOf(aPod(), "Running"));
  await has("kubelet_pod_start_duration_seconds_sum 3.5");
  await has("kubelet_pod_start_duration_seconds_count 1");
  await has("kubelet_containers_per_pod_count_count 1");
});

Deno.test("PodMeter counts no start of a pod that ran before the agent", async () => {
  const { meter, see, has } = aWorld();
  meter.seen(UID, aPod());
  see(memoryOf(aPod(), "Running"));
  await has("kubelet_pod_start_duration_seconds_count 0");
});

Deno.test("PodMeter takes pulls out of what the promise is about", async () => {
  const { clock, meter, see, has } = aWorld();
  const pod = aPod();
  const created = new Date(clock.nowMs());
  const dated = {
    ...pod,
    metadata: { ...pod.metadata, creationTimestamp: created },
  };
  meter.seen(UID, dated);
  see(memoryOf(dated, "Pending"));
  const recorder = meter.listening({ record: () => {} });
  const step = { type: "Normal", message: "", container: "web" } as const;
  recorder.record(UID, { ...step, reason: "Pulling" });
  await clock.advance(4_000);
  recorder.record(UID, { ...step, reason: "Pulled" });
  await clock.advance(1_000);
  see(memoryOf(dated, "Running"));
  meter.written(UID, 250);
  meter.written(UID, 250);
  await has("kubelet_pod_start_total_duration_seconds_sum 5");
  await has("kubelet_pod_start_sli_duration_seconds_sum 1");
  await has("kubelet_pod_start_sli_duration_seconds_count 1");
  await has("kubelet_pod_status_sync_duration_seconds_sum 0.5");
});

Deno.test("PodMeter counts each end once, and none of an earlier agent", async () => {
  const { meter, see, has, meters } = aWorld();
  const init = aContainer({ name: "first" });
  const pod = aPod({ spec: { initContainers: [init] } });
  meter.seen(UID, pod);
  const late = { finishedAtMs: NOW_MS - 60_000 };
  const containers = [
    aFailed({ id: "a", pod, ...late }),
    aFailed({ id: "b", pod, name: "first", exitCode: 3, ...late }),
    aFailed({ id: "c", pod, finishedAtMs: NOW_MS - 600_000 }),
  ];
  const observed = { sandboxes: [], containers, atMs: NOW_MS };
  see({ pod, observed });
  see({ pod, observed });
  const name = "kubelet_terminated_containers_total";
  await has(
    `${name}{container_type="container",exit_code="1",reason="Error"} 1`,
  );
  await has(
    `${name}{container_type="init_container",exit_code="3",reason="Error"} 1`,
  );
  assert.equal((await meters.set.text()).split(`\n${name}{`).length, 3);
});

Deno.test("PodMeter counts a refusal once, in few words", async () => {
  const { see, has } = aWorld();
  const refusal = { reason: "OutOfexample.com/gpu", message: "" };
  see({ pod: aPod(), state: { kind: "done", refusal } });
  see({ pod: aPod(), state: { kind: "done", refusal } });
  await has(
    'kubelet_admission_rejections_total{reason="OutOfExtendedResources"} 1',
  );
  assert.equal(admissionReason("OutOfcpu"), "OutOfcpu");
  assert.equal(admissionReason("NodeAffinity"), "Other");
});

Deno.test("PodMeter counts a pod that only the runtime knew, once", async () => {
  const { see, has } = aWorld();
  const order = { kind: "removed", graceSeconds: 1, message: "" } as const;
  const state = { kind: "stopping", order, killAtMs: NOW_MS } as const;
  see({});
  await has("kubelet_orphaned_runtime_pods_total 0");
  see({ state });
  see({ state });
  await has("kubelet_orphaned_runtime_pods_total 1");
});

Deno.test("PodMeter.pass() tells what a pass was for, and hides no failure", async () => {
  const { meter, see, has } = aWorld();
  await meter.pass(UID, () => Promise.resolve());
  see({ pod: aPod(), state: running() });
  await assert.rejects(
    meter.pass(UID, () => Promise.reject(new Error("no"))),
    /no/,
  );
  const name = "kubelet_pod_worker_duration_seconds_count";
  await has(`${name}{operation_type="create"} 1`);
  await has(`${name}{operation_type="sync"} 1`);
  await has("kubelet_pod_worker_start_duration_seconds_count 1");
});
