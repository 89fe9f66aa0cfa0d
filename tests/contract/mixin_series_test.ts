/** Every series of mixin_series.ts is served, with its labels and no others. */
import assert from "node:assert/strict";
import { METRICS } from "../../lib/api/metric_table.ts";
import { PROBE_METRICS, SLI_METRICS } from "../../lib/api/metric_table_node.ts";
import type { Pressure } from "../../lib/port/usage.ts";
import { cadvisorFamilies } from "../../lib/stats/cadvisor.ts";
import { familyText } from "../../lib/stats/exposition.ts";
import {
  aPodsFigures,
  aSample,
  someFigures,
} from "../../lib/stats/fixture_test.ts";
import { aUse } from "../fakes/fake_usage.ts";
import { CADVISOR_SERIES, MIXIN_SERIES } from "./mixin_series.ts";

const DECLARED = new Map(
  [METRICS, PROBE_METRICS, SLI_METRICS]
    .flatMap((table) => Object.values(table))
    .map(({ name, labels }) => [name, [...labels].sort()]),
);

Deno.test("/metrics has what dashboards and alerts are made of", () => {
  for (const [name, labels] of Object.entries(MIXIN_SERIES)) {
    assert.deepEqual(DECLARED.get(name), [...labels].sort(), name);
  }
});

const LINE = { avg10: 0, avg60: 0, avg300: 0, totalUs: 1n };
const STALLS: Pressure = { some: LINE, full: LINE };

/** Everything that a kernel may tell. */
function full(cgroup: string) {
  const { cpu, memory } = aUse(0);
  assert.ok(cpu !== undefined && memory !== undefined);
  return aSample(cgroup, {
    cpu: { ...cpu, quotaUs: 20_000n },
    memory: { ...memory, oomKills: 0n },
    disks: [{
      ...{ major: 8, minor: 0, device: "/dev/sda" },
      ...{ readBytes: 1n, writeBytes: 1n, reads: 1n, writes: 1n },
    }],
    pressure: { cpu: STALLS, memory: STALLS, io: STALLS },
  });
}

Deno.test("/metrics/cadvisor has what dashboards and rules are made of", () => {
  const pod = aPodsFigures();
  const containers = pod.containers
    .map((each) => ({ ...each, ...full(each.cgroup) }));
  const figures = someFigures({ pods: [{ ...pod, containers }] });
  const machine = {
    ...{ machineId: "", systemUuid: "", bootId: "", kernelVersion: "" },
    ...{ osImage: "", version: "", cores: 1, memoryBytes: 0n, swapBytes: 0n },
    bootedAtMs: 0,
  };
  const text = [...cadvisorFamilies(figures, machine)].map(familyText).join("");
  for (const [name, labels] of Object.entries(CADVISOR_SERIES)) {
    const rows = [...text.matchAll(new RegExp(`^${name}\\{([^}]*)\\}`, "gm"))]
      .map(([, inside = ""]) => inside);
    assert.ok(rows.length > 0, name);
    for (const row of rows) {
      const found = [...row.matchAll(/(\w+)="/g)].map(([, label]) => label);
      assert.deepEqual(found.sort(), [...labels].sort(), name);
    }
  }
  // Rules leave out what has no image; networks are the sandbox's.
  assert.match(
    text,
    /^container_network_receive_bytes_total\{container="",id="[^"]+",image="registry.k8s.io\/pause:3.10",name="s1",namespace="default",pod="web",interface="eth0"\}/m,
  );
});
