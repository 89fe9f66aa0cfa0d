/** Numbers of upstream's own tables: cm/helpers_linux_test.go. */
import assert from "node:assert/strict";
import type { V1Pod, V1PodSpec } from "../api/types.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import { aContainer, aPod, SETTINGS } from "../../tests/build.ts";
import { classCgroups, podCgroup } from "./pod_cgroup.ts";

const MIB = 1024n ** 2n;
/** Protection that is not asked for is taken back. */
const UNKEPT = { memoryMinBytes: 0n, memoryLowBytes: 0n };
const BASE = { ...UNKEPT, hugePageLimits: new Map() };

type List = Readonly<Record<string, string>>;

function sized(requests: List, limits: List) {
  return aContainer({ resources: { requests, limits } });
}

function valuesOf(
  spec: Partial<V1PodSpec>,
  settings: Partial<typeof SETTINGS> = {},
): CgroupValues | undefined {
  return podCgroup({ ...SETTINGS, ...settings }, podOf(spec))?.values;
}

function podOf(spec: Partial<V1PodSpec>): V1Pod {
  const pod = aPod();
  return {
    ...pod,
    spec: { containers: [aContainer()], ...pod.spec, ...spec },
  };
}

const SMALL = { cpu: "100m", memory: "100Mi" };
const LARGE = { cpu: "200m", memory: "200Mi" };

Deno.test("podCgroup() gives what upstream's table has", () => {
  const cases: [string, Partial<V1PodSpec>, CgroupValues][] = [
    ["best effort", { containers: [sized({}, {})] }, { cpuShares: 2n }],
    ["burstable without limits", { containers: [sized(SMALL, {})] }, {
      cpuShares: 102n,
    }],
    ["burstable with limits", { containers: [sized(SMALL, LARGE)] }, {
      cpuShares: 102n,
      cpuQuotaUs: 20_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 200n * MIB,
    }],
    ["burstable with partial limits", {
      containers: [sized(SMALL, LARGE), sized(SMALL, {})],
    }, { cpuShares: 204n }],
    ["only memory limited everywhere", {
      containers: [sized(SMALL, LARGE), sized(SMALL, { memory: "100Mi" })],
    }, { cpuShares: 204n, memoryLimitBytes: 300n * MIB }],
    ["an init container without limits", {
      initContainers: [sized({}, {})],
      containers: [sized(SMALL, LARGE)],
    }, { cpuShares: 102n }],
    ["guaranteed", { containers: [sized(SMALL, SMALL)] }, {
      cpuShares: 102n,
      cpuQuotaUs: 10_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 100n * MIB,
    }],
    ["guaranteed with an init container", {
      containers: [sized(SMALL, SMALL)],
      initContainers: [sized(LARGE, LARGE)],
    }, {
      cpuShares: 204n,
      cpuQuotaUs: 20_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 200n * MIB,
    }],
    ["overhead", {
      containers: [sized(SMALL, SMALL)],
      overhead: { cpu: "100m", memory: "28Mi" },
    }, {
      cpuShares: 204n,
      cpuQuotaUs: 20_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 128n * MIB,
    }],
    ["overhead without limits", {
      containers: [sized(SMALL, {})],
      overhead: { cpu: "100m", memory: "28Mi" },
    }, { cpuShares: 204n }],
    ["for the pod as a whole", {
      containers: [sized({}, {}), sized(SMALL, {})],
      resources: { requests: SMALL, limits: LARGE },
    }, {
      cpuShares: 102n,
      cpuQuotaUs: 20_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 200n * MIB,
    }],
    ["for the pod, by requests alone", {
      containers: [sized({ cpu: "10m", memory: "50Mi" }, {})],
      resources: { requests: SMALL },
    }, { cpuShares: 102n }],
    ["for the pod, containers limited less", {
      containers: [
        sized({ cpu: "10m", memory: "50Mi" }, { cpu: "50m", memory: "100Mi" }),
      ],
      resources: { requests: SMALL, limits: LARGE },
    }, {
      cpuShares: 102n,
      cpuQuotaUs: 20_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 200n * MIB,
    }],
    ["for the pod by requests, limited by containers", {
      containers: [sized(LARGE, LARGE)],
      resources: { requests: { cpu: "200m", memory: "300Mi" } },
    }, {
      cpuShares: 204n,
      cpuQuotaUs: 20_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 200n * MIB,
    }],
    ["guaranteed as a whole", {
      containers: [aContainer({})],
      initContainers: [
        sized({ cpu: "10m", memory: "50Mi" }, { cpu: "50m", memory: "50Mi" }),
      ],
      resources: { requests: SMALL, limits: SMALL },
    }, {
      cpuShares: 102n,
      cpuQuotaUs: 10_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: 100n * MIB,
    }],
    ["best effort as a whole", {
      containers: [aContainer({})],
      resources: { requests: {}, limits: {} },
    }, { cpuShares: 2n }],
    ["a limit for the pod alone", {
      containers: [sized({ cpu: "100m" }, {}), sized({ cpu: "100m" }, {})],
      resources: { limits: { memory: "200Mi" } },
    }, { cpuShares: 204n, memoryLimitBytes: 200n * MIB }],
    ["the least quota", {
      containers: [sized({}, { cpu: "1m", memory: "1Mi" })],
    }, {
      cpuShares: 2n,
      cpuQuotaUs: 1_000n,
      cpuPeriodUs: 100_000n,
      memoryLimitBytes: MIB,
    }],
  ];
  for (const [name, spec, expected] of cases) {
    assert.deepEqual(valuesOf(spec), { ...BASE, ...expected }, name);
  }
});

Deno.test("podCgroup() asks for no quota where quotas are off", () => {
  const spec = { containers: [sized(SMALL, SMALL)] };
  assert.deepEqual(valuesOf(spec, { cpuPeriodUs: undefined }), {
    ...BASE,
    cpuShares: 102n,
    cpuQuotaUs: -1n,
    memoryLimitBytes: 100n * MIB,
  });
  assert.equal(valuesOf(spec, { cpuPeriodUs: 5_000n })?.cpuQuotaUs, 1_000n);
});

Deno.test("podCgroup() limits processes only where that is configured", () => {
  const spec = { containers: [sized({}, {})] };
  assert.equal(valuesOf(spec, { podPidsLimit: 1024n })?.pidsLimit, 1024n);
  for (const podPidsLimit of [-1n, 0n]) {
    assert.equal(valuesOf(spec, { podPidsLimit })?.pidsLimit, undefined);
  }
});

Deno.test("podCgroup() limits huge pages of every size there is", () => {
  const machine = {
    ...SETTINGS.machine,
    hugePageSizes: [2n * MIB, 1024n * MIB],
  };
  const pages = { ...SMALL, "hugepages-2Mi": "4Mi" };
  const values = valuesOf({ containers: [sized(pages, pages)] }, { machine });
  assert.deepEqual(
    values?.hugePageLimits,
    new Map([[2n * MIB, 4n * MIB], [1024n * MIB, 0n]]),
  );
});

Deno.test("podCgroup() counts huge pages of the pod as a whole", () => {
  const machine = { ...SETTINGS.machine, hugePageSizes: [2n * MIB] };
  const limits = { ...SMALL, "hugepages-2Mi": "8Mi" };
  const own = { ...SMALL, "hugepages-2Mi": "4Mi" };
  const values = valuesOf({
    containers: [sized(own, own)],
    resources: { requests: limits, limits },
  }, { machine });
  assert.deepEqual(values?.hugePageLimits, new Map([[2n * MIB, 8n * MIB]]));
});

Deno.test("podCgroup() has the quotas of upstream's table", () => {
  // Of a pod that is limited to so many thousandths: MilliCPUToQuota.
  const table: [string, bigint, bigint][] = [
    ["5m", 100_000n, 1_000n],
    ["9m", 100_000n, 1_000n],
    ["10m", 100_000n, 1_000n],
    ["200m", 100_000n, 20_000n],
    ["500m", 100_000n, 50_000n],
    ["1000m", 100_000n, 100_000n],
    ["1500m", 100_000n, 150_000n],
    ["100m", 5_000n, 1_000n],
    ["1", 1_000n, 1_000n],
    ["1", 1_000_000n, 1_000_000n],
  ];
  for (const [cpu, cpuPeriodUs, quota] of table) {
    const list = { cpu, memory: "1Mi" };
    const values = valuesOf({ containers: [sized(list, list)] }, {
      cpuPeriodUs,
    });
    assert.equal(values?.cpuQuotaUs, quota, `${cpu} of ${cpuPeriodUs} us`);
    assert.equal(values?.cpuPeriodUs, cpuPeriodUs);
  }
});

Deno.test("podCgroup() is none where the agent keeps no cgroups", () => {
  const spec = { containers: [sized(SMALL, SMALL)] };
  assert.equal(valuesOf(spec, { usesQosCgroups: false }), undefined);
});

Deno.test("classCgroups() adds up what burstable pods ask for", () => {
  const settings = {
    ...SETTINGS,
    machine: { ...SETTINGS.machine, hugePageSizes: [2n * MIB] },
  };
  const hugePageLimits = new Map([[2n * MIB, 1n << 62n]]);
  const pods = [
    podOf({ containers: [sized(SMALL, {})] }),
    podOf({ containers: [sized({ cpu: "400m" }, {})] }),
    podOf({
      containers: [sized({ cpu: "2", memory: "1Gi" }, {
        cpu: "2",
        memory: "1Gi",
      })],
    }),
    podOf({ containers: [sized({}, {})] }),
  ];
  const shares = (active: readonly V1Pod[]) => classCgroups(settings, active);
  assert.deepEqual(shares(pods), [
    {
      path: "/kubepods.slice/kubepods-burstable.slice",
      values: { ...UNKEPT, cpuShares: 512n, hugePageLimits },
    },
    {
      path: "/kubepods.slice/kubepods-besteffort.slice",
      values: { ...UNKEPT, cpuShares: 2n, hugePageLimits },
    },
  ]);
  assert.equal(shares([])[0]?.values.cpuShares, 2n);
});

Deno.test("classCgroups() keeps what upper classes ask for from lower ones", () => {
  const GIB = 1024n * MIB;
  const sure = { cpu: "1", memory: "2Gi" };
  const pods = [
    podOf({ containers: [sized(sure, sure)] }),
    podOf({ containers: [sized({ memory: "1Gi" }, {})] }),
    podOf({ containers: [sized({}, {})] }),
  ];
  const limits = (percent: bigint | undefined, allocatable = 8n * GIB) =>
    classCgroups({
      ...SETTINGS,
      memoryReservePercent: percent,
      allocatableMemoryBytes: allocatable,
    }, pods).map(({ values }) => values.memoryLimitBytes);
  assert.deepEqual(limits(undefined), [undefined, undefined]);
  assert.deepEqual(limits(0n), [8n * GIB, 8n * GIB]);
  assert.deepEqual(limits(50n), [7n * GIB, 7n * GIB - 512n * MIB]);
  assert.deepEqual(limits(100n), [6n * GIB, 5n * GIB]);
  assert.deepEqual(limits(100n, GIB), [0n, 0n], "never below nothing");
  assert.deepEqual(limits(100n, 0n), [undefined, undefined], "unknown");
  const [burstable] = classCgroups(
    { ...SETTINGS, memoryReservePercent: 50n },
    pods,
  );
  assert.equal(burstable?.values.mayLimitToUse, true);
});
