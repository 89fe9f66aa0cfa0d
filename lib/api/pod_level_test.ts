/**
 * What is given for a pod as a whole, in numbers of upstream's own tables:
 * qos/policy_test.go, kuberuntime_container_linux_test.go.
 */
import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { oomScoreAdj } from "./oom_score.ts";
import { qosClass } from "./qos.ts";
import { cpuAndMemory, hugePageLimits, podCpuAndMemory } from "./resources.ts";
import type { V1Container, V1ResourceRequirements } from "./types.ts";

const MIB = 1024n ** 2n;
const CPU = { cpu: "5m" };

function container(
  name: string,
  request?: string,
  limit = request,
): V1Container {
  return aContainer({
    name,
    resources: request === undefined || limit === undefined ? {} : {
      requests: { ...CPU, memory: request },
      limits: { ...CPU, memory: limit },
    },
  });
}

function sidecar(of: V1Container): V1Container {
  return { ...of, restartPolicy: "Always" };
}

interface Row {
  readonly name: string;
  readonly limit: string;
  readonly containers: readonly V1Container[];
  readonly sidecars?: readonly V1Container[];
  readonly scores: readonly bigint[];
}

const WHOLE = "2000000000";
const MORE = "2000001000";

const ROWS: readonly Row[] = [
  {
    name: "guaranteed, containers say nothing",
    limit: WHOLE,
    containers: [container("a"), container("b")],
    scores: [-997n, -997n],
  },
  {
    name: "guaranteed, containers differ",
    limit: WHOLE,
    containers: [container("a", "1000000000", "1000001000"), container("b")],
    scores: [-997n, -997n],
  },
  {
    name: "burstable, containers say nothing",
    limit: MORE,
    containers: [container("a"), container("b")],
    scores: [750n, 750n],
  },
  {
    name: "burstable, containers alike",
    limit: MORE,
    containers: [container("a", "1000000000"), container("b", "1000000000")],
    scores: [750n, 750n],
  },
  {
    name: "burstable, containers differ",
    limit: MORE,
    containers: [container("a", "1000000000"), container("b")],
    scores: [625n, 875n],
  },
  {
    name: "burstable with a sidecar, nobody says anything",
    limit: MORE,
    containers: [container("a")],
    sidecars: [sidecar(container("side"))],
    scores: [750n, 750n],
  },
  {
    name: "burstable with a sidecar, all differ",
    limit: MORE,
    containers: [
      container("a", "1000000000", MORE),
      container("b", "500000000", MORE),
    ],
    sidecars: [sidecar(container("side", "200000000", MORE))],
    scores: [725n, 850n, 850n],
  },
];

Deno.test("oomScoreAdj() shares out the pod's own request as upstream does", () => {
  for (const { name, limit, containers, sidecars = [], scores } of ROWS) {
    const pod = aPod({
      containers: [...containers],
      spec: {
        initContainers: [...sidecars],
        resources: {
          requests: { ...CPU, memory: WHOLE },
          limits: { ...CPU, memory: limit },
        },
      },
    });
    assert.equal(
      qosClass(pod),
      limit === WHOLE ? "Guaranteed" : "Burstable",
      name,
    );
    const found = [...containers, ...sidecars].map((each) =>
      oomScoreAdj(pod, each, 4_000_000_000n)
    );
    assert.deepEqual(found, scores, name);
  }
});

function limitsOf(own: V1ResourceRequirements, whole: V1ResourceRequirements) {
  const one = aContainer({ resources: own });
  const pod = aPod({ containers: [one], spec: { resources: whole } });
  return { of: cpuAndMemory(pod, one, 100_000n), pod, one };
}

Deno.test("cpuAndMemory() limits a container by its pod where it has none", () => {
  const whole = {
    requests: { cpu: "1", memory: "64Mi" },
    limits: { cpu: "2", memory: "128Mi" },
  };
  const { of: none } = limitsOf({}, whole);
  // Compat: a request that is not said is the limit, also the pod's.
  assert.equal(none.cpuShares, 2048n);
  assert.equal(none.cpuQuotaUs, 200_000n);
  assert.equal(none.memoryLimitBytes, 128n * MIB);
  const { of: own } = limitsOf({
    requests: { cpu: "500m" },
    limits: { cpu: "1", memory: "32Mi" },
  }, whole);
  assert.equal(own.cpuShares, 512n);
  assert.equal(own.cpuQuotaUs, 100_000n);
  assert.equal(own.memoryLimitBytes, 32n * MIB);
  const { of: zero } = limitsOf({ limits: { cpu: "0", memory: "0" } }, whole);
  assert.equal(zero.cpuQuotaUs, 200_000n, "a limit of nothing is none");
  assert.equal(zero.memoryLimitBytes, 128n * MIB);
});

Deno.test("podCpuAndMemory() is what is given for the pod, without overhead", () => {
  const { pod } = limitsOf({ requests: { cpu: "100m" } }, {
    requests: { cpu: "1" },
    limits: { memory: "128Mi" },
  });
  const overhead = { cpu: "1", memory: "1Gi" };
  const heavy = { ...pod, spec: { containers: [], ...pod.spec, overhead } };
  assert.deepEqual(podCpuAndMemory(heavy, 100_000n), {
    cpuShares: 1024n,
    cpuQuotaUs: 0n,
    cpuPeriodUs: 100_000n,
    memoryLimitBytes: 128n * MIB,
  });
});

Deno.test("hugePageLimits() takes a container's word before its pod's", () => {
  const page = "hugepages-2Mi";
  const sizes = [2n * MIB, 1024n * MIB];
  const limits = (
    own: Record<string, string>,
    whole: Record<string, string>,
  ) => {
    const { pod, one } = limitsOf({ limits: own }, { limits: whole });
    return hugePageLimits(pod, one, sizes).map(({ pageSize, limitBytes }) =>
      [pageSize, limitBytes] as const
    );
  };
  assert.deepEqual(limits({}, {}), [["2MB", 0n], ["1GB", 0n]]);
  assert.deepEqual(limits({}, { [page]: "8Mi" }), [["2MB", 8n * MIB], [
    "1GB",
    0n,
  ]]);
  assert.deepEqual(limits({ [page]: "4Mi" }, { [page]: "8Mi" }), [
    ["2MB", 4n * MIB],
    ["1GB", 0n],
  ]);
});
