import assert from "node:assert/strict";
import { parseQuantity } from "../api/quantity.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import {
  overReserved,
  reservedCgroups,
  type ReservedFacts,
} from "./reserved.ts";

const MIB = 1024n ** 2n;
const GIB = 1024n ** 3n;

function amounts(list: Readonly<Record<string, string>>) {
  return new Map(
    Object.entries(list).map((
      [name, text],
    ) => [name, parseQuantity(text) ?? 0n]),
  );
}

const FACTS: ReservedFacts = {
  enforced: ["pods", "kube-reserved", "system-reserved"],
  reservation: {
    system: amounts({ cpu: "500m", memory: "1Gi", pid: "1000" }),
    kube: amounts({ cpu: "1", "ephemeral-storage": "1Gi" }),
  },
  cgroups: { system: "/system.slice", kube: "/kube-reserved.slice" },
  driver: "systemd",
  hugePageSizes: [],
  isMemoryKept: false,
};
const NO_PAGES = { hugePageLimits: new Map() };

function plan(facts: Partial<ReservedFacts> = {}) {
  return reservedCgroups({ ...FACTS, ...facts });
}

Deno.test("reservedCgroups() is what is enforced, the system's first", () => {
  assert.deepEqual(plan(), [
    {
      owner: "system",
      configured: "/system.slice",
      title: "System Reserved",
      name: '["system"]',
      wanted: {
        path: "/system.slice",
        values: {
          ...NO_PAGES,
          cpuShares: 512n,
          memoryLimitBytes: GIB,
          pidsLimit: 1000n,
        },
      },
    },
    {
      owner: "kube",
      configured: "/kube-reserved.slice",
      title: "Kube Reserved",
      name: '["kube" "reserved"]',
      wanted: {
        path: "/kube.slice/kube-reserved.slice",
        values: { ...NO_PAGES, cpuShares: 1024n },
      },
    },
  ]);
  for (const enforced of [[], ["pods"], ["none"]]) {
    assert.deepEqual(plan({ enforced }), []);
  }
});

Deno.test("reservedCgroups() gives what upstream's getCgroupConfig has", () => {
  const table: [string, Record<string, string>, CgroupValues, CgroupValues][] =
    [
      ["cpu alone", { cpu: "100m" }, { cpuShares: 102n }, { cpuShares: 102n }],
      ["no cpu", { cpu: "0" }, { cpuShares: 2n }, { cpuShares: 2n }],
      ["memory alone", { memory: "100Mi" }, {
        memoryLimitBytes: 100n * MIB,
      }, {}],
      ["no memory", { memory: "0" }, {}, {}],
      ["processes", { pid: "64" }, { pidsLimit: 64n }, {}],
      ["everything", { cpu: "2", memory: "1Gi", pid: "100" }, {
        cpuShares: 2048n,
        memoryLimitBytes: GIB,
        pidsLimit: 100n,
      }, { cpuShares: 2048n }],
      ["more than there is", { cpu: "1000" }, { cpuShares: 262_144n }, {
        cpuShares: 262_144n,
      }],
    ];
  for (const [name, list, whole, part] of table) {
    const reservation = { system: amounts(list), kube: new Map() };
    const values = (word: string) =>
      plan({ enforced: [word], reservation }).map(({ wanted }) =>
        typeof wanted === "string" ? wanted : wanted.values
      );
    assert.deepEqual(
      values("system-reserved"),
      [{ ...NO_PAGES, ...whole }],
      name,
    );
    assert.deepEqual(values("system-reserved-compressible"), [
      { ...NO_PAGES, ...part },
    ], name);
  }
});

Deno.test("reservedCgroups() keeps memory where memory QoS is on", () => {
  const kept = (word: string) => {
    const [first] = plan({ enforced: [word], isMemoryKept: true });
    assert.ok(typeof first?.wanted === "object");
    return first.wanted.values.memoryMinBytes;
  };
  assert.equal(kept("system-reserved"), GIB);
  assert.equal(kept("kube-reserved"), undefined, "nothing is reserved");
  assert.equal(kept("system-reserved-compressible"), undefined);
});

Deno.test("reservedCgroups() leaves no huge pages, of any size", () => {
  const [first] = plan({ hugePageSizes: [2n * MIB, GIB] });
  assert.ok(typeof first?.wanted === "object");
  const expected = new Map([[2n * MIB, 0n], [GIB, 0n]]);
  assert.deepEqual(first.wanted.values.hugePageLimits, expected);
});

Deno.test("reservedCgroups() says what makes no sense", () => {
  const wanted = (facts: Partial<ReservedFacts>) =>
    plan({ enforced: ["kube-reserved"], ...facts })[0]?.wanted;
  const nothing = { ...FACTS.reservation, kube: new Map() };
  assert.equal(
    wanted({ reservation: nothing }),
    '["kube" "reserved"] cgroup is not configured properly',
  );
  const cgroups = { ...FACTS.cgroups, kube: "/kube--x.slice" };
  assert.equal(
    wanted({ cgroups }),
    '["kube" "" "x"] cgroup is not configured properly',
  );
});

Deno.test("reservedCgroups() never plans the root or a limit of nothing", () => {
  const paths = ["/", "/a", "a/b", "/a.slice", "/a-b.slice", "/-.slice", ""];
  const lists = [{}, { cpu: "1" }, { memory: "0" }, { memory: "1", pid: "1" }];
  for (const driver of ["systemd", "cgroupfs"] as const) {
    for (const path of paths) {
      for (const list of lists) {
        const made = plan({
          driver,
          enforced: ["system-reserved", "kube-reserved-compressible"],
          cgroups: { system: path, kube: path },
          reservation: { system: amounts(list), kube: amounts(list) },
        });
        assert.equal(made.length, 2);
        for (const { wanted } of made) {
          if (typeof wanted === "string") continue;
          assert.match(wanted.path, /^\/[^/]/);
          const { memoryLimitBytes: limit, cpuShares } = wanted.values;
          assert.ok(limit === undefined || limit > 0n);
          assert.ok(cpuShares === undefined || cpuShares >= 2n);
        }
      }
    }
  }
});

Deno.test("overReserved() says what the node has not enough of", () => {
  const machine = { cpuCount: 2, memoryBytes: 4n * GIB };
  const over = (
    system: Record<string, string>,
    kube: Record<string, string> = {},
    eviction: readonly [string, bigint][] = [],
  ) =>
    overReserved(
      {
        system: amounts(system),
        kube: amounts(kube),
        eviction: new Map(
          eviction.map(([name, bytes]) => [name, {
            kind: "amount",
            quantity: bytes * 1_000_000_000n,
          }]),
        ),
      },
      machine,
      10n * GIB,
    );
  assert.equal(over({}), undefined);
  assert.equal(over({ cpu: "1", memory: "2Gi" }, { cpu: "1" }), undefined);
  assert.equal(
    over({ cpu: "1500m" }, { cpu: "600m" }),
    'invalid Node Allocatable configuration. Resource "cpu" has a ' +
      "reservation of 2100m but capacity of 2. Expected capacity >= " +
      "reservation.",
  );
  assert.match(
    over({ memory: "3Gi" }, { memory: "1Gi" }, [["memory", 1n]]) ?? "",
    /Resource "memory" has a reservation of 4294967297 but capacity of 4Gi/,
  );
  assert.match(
    over({ "ephemeral-storage": "11Gi" }) ?? "",
    /"ephemeral-storage" has a reservation of 11Gi but capacity of 10Gi/,
  );
});
