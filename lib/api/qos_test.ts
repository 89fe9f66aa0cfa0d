import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1Container, V1ResourceRequirements } from "./types.ts";
import { oomScoreAdj } from "./oom_score.ts";
import { qosClass } from "./qos.ts";

const GI = 1024n ** 3n;

function podOf(...resources: V1ResourceRequirements[]) {
  return aPod({
    containers: resources.map((own, i) =>
      aContainer({ name: `c${i}`, resources: own })
    ),
  });
}

const FULL = { cpu: "1", memory: "1Gi" };

Deno.test("qosClass() looks at cpu and memory of every container", () => {
  const table: [V1ResourceRequirements[], string][] = [
    [[{}], "BestEffort"],
    [[{ requests: { "ephemeral-storage": "1Gi" } }], "BestEffort"],
    [[{ requests: { cpu: "0" } }], "BestEffort"],
    [[{ requests: { cpu: "1m" } }], "Burstable"],
    [[{ limits: { memory: "1Gi" } }], "Burstable"],
    [[{ limits: FULL }], "Guaranteed"],
    [[{ limits: FULL, requests: FULL }], "Guaranteed"],
    [
      [{ limits: FULL, requests: { cpu: "1000m", memory: "1024Mi" } }],
      "Guaranteed",
    ],
    [[{ limits: FULL, requests: { cpu: "500m" } }], "Burstable"],
    [[{ limits: FULL }, { limits: FULL }], "Guaranteed"],
    [[{ limits: FULL }, {}], "Burstable"],
    [[{ limits: FULL }, { limits: { cpu: "1" } }], "Burstable"],
  ];
  for (const [resources, expected] of table) {
    assert.equal(
      qosClass(podOf(...resources)),
      expected,
      JSON.stringify(resources),
    );
  }
});

Deno.test("qosClass() takes a request of nothing at its word", () => {
  // Compat: kubelet 1.36 ComputePodQOS: requests and limits must name the same.
  const pod = podOf({ limits: FULL, requests: { cpu: "0", memory: "1Gi" } });
  assert.equal(qosClass(pod), "Burstable");
});

Deno.test("oomScoreAdj() spares those who asked for much", () => {
  const score = (own: V1ResourceRequirements) => {
    const pod = podOf(own);
    const [container = aContainer()] = pod.spec?.containers ?? [];
    return oomScoreAdj(pod, container, 8n * GI);
  };
  assert.equal(score({}), 1000n);
  assert.equal(score({ limits: FULL }), -997n);
  assert.equal(score({ requests: { memory: "1Gi" } }), 875n);
  assert.equal(score({ requests: { cpu: "1" } }), 999n, "never 1000");
  assert.equal(score({ requests: { memory: "1" } }), 999n);
  assert.equal(score({ requests: { memory: "8Gi" } }), 3n, "never below 3");
  const nearly = String(8n * GI * 998n / 1000n + 1n);
  assert.equal(score({ requests: { memory: nearly } }), 3n, "never 2");
  assert.equal(score({ requests: { memory: "80Gi" } }), 3n);
  assert.equal(score({ limits: { memory: "4Gi" } }), 500n, "from the limit");
});

Deno.test("oomScoreAdj() protects node-critical pods only", () => {
  // Compat: kubelet 1.36 IsNodeCriticalPod: by the name of the class.
  const of = (priorityClassName: string, priority: number) =>
    oomScoreAdj(
      aPod({ spec: { priorityClassName, priority } }),
      aContainer(),
      8n * GI,
    );
  assert.equal(of("system-node-critical", 2_000_001_000), -997n);
  assert.equal(of("system-cluster-critical", 2_000_000_000), 1000n);
  const isStatic = aPod({
    annotations: { "kubernetes.io/config.source": "file" },
    spec: { priorityClassName: "system-node-critical" },
  });
  assert.equal(oomScoreAdj(isStatic, aContainer(), 8n * GI), -997n);
});

Deno.test("qosClass() takes what is given for the pod as a whole", () => {
  const table: [V1ResourceRequirements, string][] = [
    [{}, "BestEffort"],
    [{ requests: { cpu: "1" } }, "Burstable"],
    [{ limits: FULL }, "Guaranteed"],
    [{ limits: FULL, requests: FULL }, "Guaranteed"],
    [{ limits: { cpu: "1" }, requests: { cpu: "1" } }, "Burstable"],
    [{ limits: FULL, requests: { cpu: "1", memory: "512Mi" } }, "Burstable"],
  ];
  for (const [resources, expected] of table) {
    const containers = [aContainer({ resources: { requests: { cpu: "3" } } })];
    const pod = aPod({ containers, spec: { resources } });
    assert.equal(qosClass(pod), expected, JSON.stringify(resources));
  }
});

Deno.test("oomScoreAdj() shares out what is given for the pod as a whole", () => {
  const asking = (memory: string, name: string) =>
    aContainer({ name, resources: { requests: { memory } } });
  const containers = [asking("1Gi", "a"), asking("2Gi", "b")];
  const spec = { resources: { requests: { memory: "7Gi" } } };
  const pod = aPod({ containers, spec });
  // 4 GiB are nobody's: 2 GiB for each.
  const scores = containers.map((each) => oomScoreAdj(pod, each, 8n * GI));
  assert.deepEqual(scores, [625n, 500n]);
});

Deno.test("oomScoreAdj() lets no sidecar go before what it serves", () => {
  const asking = (memory: string, name: string) =>
    aContainer({ name, resources: { requests: { memory } } });
  const sidecar = { ...asking("1Gi", "side"), restartPolicy: "Always" };
  const large = { ...asking("6Gi", "large"), restartPolicy: "Always" };
  const init = asking("1Gi", "init");
  const pod = aPod({
    containers: [asking("4Gi", "a"), asking("2Gi", "b")],
    spec: { initContainers: [sidecar, large, init] },
  });
  const score = (container: V1Container) =>
    oomScoreAdj(pod, container, 8n * GI);
  assert.equal(score(sidecar), 750n, "the smallest of those it serves");
  assert.equal(score(large), 250n, "its own is less");
  assert.equal(score(init), 875n, "no sidecar");
});
