import assert from "node:assert/strict";
import { anInstance, aPod, aSandbox, running } from "../tests/build.ts";
import { FakeClock } from "../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../tests/fakes/fake_host.ts";
import { A_FILESYSTEM, FakeUsage } from "../tests/fakes/fake_usage.ts";
import { createGauges, type GaugeParts } from "./agent_gauges.ts";
import { volumeCounts } from "./agent_volumes.ts";
import { createMeters } from "./api/meters.ts";
import { podUid } from "./api/id.ts";
import { CONFIG_SOURCE, uidOf } from "./api/pod.ts";
import type { V1Pod } from "./api/types.ts";
import { cell } from "./base/cell.ts";
import { silentLogger } from "./base/log.ts";
import { createMetrics } from "./base/metrics.ts";
import { load } from "./config/load_fixture.ts";
import { type Desired, NOTHING_YET } from "./source/types.ts";
import { EMPTY_MEMORY, type Pods } from "./sync/store.ts";

const STATIC = aPod({
  uid: "static",
  annotations: { [CONFIG_SOURCE]: "file" },
});

function wanted(...pods: readonly V1Pod[]): Desired {
  return {
    ...NOTHING_YET,
    pods: new Map(
      pods.map((pod) => {
        const uid = uidOf(pod);
        const origin = { kind: "file", location: "/a" } as const;
        return [uid, { uid, pod, origin }] as const;
      }),
    ),
  };
}

function aWorld(desired: Desired, pods: Pods) {
  const usage = new FakeUsage();
  const files = new FakeFiles();
  const meters = createMeters(createMetrics());
  const clock = new FakeClock();
  const parts: GaugeParts = {
    config: load([]).config,
    ports: { usage, meters, clock, files, log: silentLogger },
    desiredReader: cell(desired)[1],
    pods,
    audit: { lastAtMs: 12_500 },
    volumes: { stateOf: () => undefined },
    membership: undefined,
    stats: {
      logs: () => [{
        pod: { uid: podUid("u1"), namespace: "prod", name: "web" },
        container: "app",
        usedBytes: 4096n,
      }],
      claims: () =>
        Promise.resolve([
          { namespace: "prod", claim: "data", whole: A_FILESYSTEM },
        ]),
    },
    version: "0.1.0",
  };
  const refresh = createGauges(parts);
  return {
    usage,
    text: async () => {
      await refresh();
      return await meters.set.text();
    },
  };
}

Deno.test("createGauges() counts pods as they are wanted and as they are", async () => {
  const pod = aPod();
  const containers = [anInstance({ pod })];
  const observed = { sandboxes: [aSandbox({ pod })], containers, atMs: 0 };
  const pods: Pods = new Map([
    [uidOf(pod), { ...EMPTY_MEMORY, pod, state: running(), observed }],
    [uidOf(STATIC), { ...EMPTY_MEMORY, pod: STATIC }],
  ]);
  const text = await aWorld(wanted(STATIC), pods).text();
  for (
    const line of [
      "kubelet_running_pods 1",
      'kubelet_running_containers{container_state="running"} 1',
      'kubelet_desired_pods{static=""} 0',
      'kubelet_desired_pods{static="true"} 1',
      'kubelet_active_pods{static=""} 1',
      "kubelet_mirror_pods 1",
      'kubelet_working_pods{lifecycle="sync",config="orphan",static=""} 1',
      'kubelet_working_pods{lifecycle="sync",config="desired",static="true"} 1',
      "kubelet_pleg_last_seen_seconds 12.5",
      "kubelet_cgroup_version 2",
      "kubelet_certificate_manager_client_ttl_seconds +Inf",
      'kubelet_volume_stats_used_bytes{namespace="prod",persistentvolumeclaim="data"} 300000',
      'kubelet_volume_stats_inodes_used{namespace="prod",persistentvolumeclaim="data"} 100',
    ]
  ) assert.ok(text.includes(`\n${line}\n`), line);
});

Deno.test("createGauges() counts processor time up, whatever is read", async () => {
  const { usage, text } = aWorld(wanted(), new Map());
  assert.match(await text(), /\nprocess_cpu_seconds_total 1\.5\n/);
  usage.ownUse = { ...usage.ownUse, cpuSeconds: 2 };
  assert.match(await text(), /\nprocess_cpu_seconds_total 2\n/);
  usage.ownUse = { ...usage.ownUse, cpuSeconds: 1 };
  assert.match(await text(), /\nprocess_cpu_seconds_total 2\n/);
});

Deno.test("volumeCounts() tells what is wanted and what is made", () => {
  const pod = aPod({
    spec: {
      volumes: [
        { name: "a", emptyDir: {} },
        { name: "b", persistentVolumeClaim: { claimName: "x" } },
        { name: "c", persistentVolumeClaim: { claimName: "y" } },
      ],
    },
  });
  const paths = new Map([
    ["a", "/p/volumes/kubernetes.io~empty-dir/a"],
    ["b", "/p/volumes/kubernetes.io~local-volume/b"],
  ]);
  const rows = volumeCounts({
    desiredReader: cell(wanted(pod))[1],
    volumes: { stateOf: () => ({ kind: "ready", paths, mounted: new Map() }) },
  });
  assert.deepEqual(
    rows.map(([{ plugin_name, state }, count]) =>
      `${plugin_name} ${state.split("_")[0]} ${count}`
    ),
    [
      "kubernetes.io/empty-dir desired 1",
      "kubernetes.io/local-volume desired 1",
      "N/A desired 1",
      "kubernetes.io/empty-dir actual 1",
      "kubernetes.io/local-volume actual 1",
    ],
  );
});
