import assert from "node:assert/strict";
import type { MachineFacts } from "../port/machine.ts";
import {
  type CapacityFacts,
  missingCapacities,
  reserved,
  resources,
} from "./capacity.ts";
import { GIB, MACHINE, quantity, SETTINGS } from "./fixture_test.ts";
import { NO_DEVICES } from "./types.ts";

const MIB = 1024n * 1024n;
const NOTHING_RESERVED = {
  system: new Map(),
  kube: new Map(),
  eviction: new Map(),
};

function of(
  change: Partial<CapacityFacts>,
  settings: Partial<CapacityFacts["settings"]> = {},
) {
  return resources({
    settings: { ...SETTINGS, ...settings },
    machine: { ...MACHINE, memoryBytes: 1024n, hugePages: [] },
    rootBytes: undefined,
    devices: NO_DEVICES,
    known: new Map(),
    ...change,
  });
}

function machine(change: Partial<MachineFacts>): MachineFacts {
  return { ...MACHINE, memoryBytes: 1024n, hugePages: [], ...change };
}

Deno.test("resources() tells cpu, memory and pods", () => {
  const { capacity, allocatable } = of({});
  assert.deepEqual(capacity, { cpu: "2", memory: "1Ki", pods: "110" });
  assert.deepEqual(allocatable, capacity);
});

Deno.test("resources() bounds pods by processor", () => {
  const cases = [[10, "20"], [100, "110"], [0, "110"]] as const;
  for (const [podsPerCore, pods] of cases) {
    assert.equal(of({}, { podsPerCore }).capacity["pods"], pods);
  }
});

Deno.test("resources() takes reservations off allocatable only", () => {
  const reservation = {
    system: new Map([["cpu", quantity("100m")], ["memory", quantity("1Gi")]]),
    kube: new Map([["cpu", quantity("50m")], ["memory", quantity("512Mi")]]),
    eviction: new Map([
      ["memory", { kind: "amount", quantity: quantity("100Mi") }] as const,
      ["ephemeral-storage", { kind: "share", percent: 10 }] as const,
    ]),
  };
  const { capacity, allocatable } = of({
    machine: machine({ memoryBytes: 8n * GIB }),
    rootBytes: 105_089_261_568n,
  }, { reservation });
  assert.deepEqual(capacity, {
    cpu: "2",
    "ephemeral-storage": "102626232Ki",
    memory: "8Gi",
    pods: "110",
  });
  assert.deepEqual(allocatable, {
    cpu: "1850m",
    // Compat: upstream's 10% is the 32-bit float 0.1.
    "ephemeral-storage": "94580335255",
    memory: "6556Mi",
    pods: "110",
  });
});

Deno.test("resources() never goes below nothing", () => {
  const reservation = {
    ...NOTHING_RESERVED,
    system: new Map([["cpu", quantity("5")], ["memory", quantity("2Ki")]]),
  };
  const { allocatable } = of({}, { reservation });
  assert.equal(allocatable["cpu"], "0");
  assert.equal(allocatable["memory"], "0");
});

Deno.test("resources() takes huge pages off memory", () => {
  const hugePages = [
    { sizeBytes: 2n * MIB, count: 64n },
    { sizeBytes: GIB, count: 1n },
  ];
  const { capacity, allocatable } = of({
    machine: machine({ memoryBytes: 4n * GIB, hugePages }),
  });
  assert.equal(capacity["hugepages-2Mi"], "128Mi");
  assert.equal(capacity["hugepages-1Gi"], "1Gi");
  assert.equal(capacity["memory"], "4Gi");
  assert.equal(allocatable["hugepages-1Gi"], "1Gi");
  assert.equal(allocatable["memory"], "2944Mi");
  const small = of({ machine: machine({ hugePages }) });
  assert.equal(small.allocatable["memory"], "0");
});

Deno.test("resources() leaves ephemeral storage out when not isolated", () => {
  const { capacity } = of({ rootBytes: GIB }, { isStorageIsolated: false });
  assert.equal(capacity["ephemeral-storage"], undefined);
});

Deno.test("resources() keeps what others advertise, not old huge pages", () => {
  const known = new Map([
    ["example.com/dongle", "4"],
    ["hugepages-64Ki", "1Mi"],
    ["cpu", "64"],
  ]);
  const { capacity, allocatable } = of({ known });
  assert.equal(capacity["example.com/dongle"], "4");
  assert.equal(allocatable["example.com/dongle"], "4");
  assert.equal(capacity["hugepages-64Ki"], undefined);
  assert.equal(capacity["cpu"], "2");
});

Deno.test("resources() tells devices, and removed ones as none", () => {
  const devices = {
    capacity: new Map([["example.com/gpu", "2"]]),
    allocatable: new Map([["example.com/gpu", "1"]]),
    removed: ["example.com/fpga"],
  };
  const { capacity, allocatable } = of({ devices });
  assert.equal(capacity["example.com/gpu"], "2");
  assert.equal(allocatable["example.com/gpu"], "1");
  assert.equal(capacity["example.com/fpga"], "0");
});

Deno.test("reserved() adds system, kube and eviction", () => {
  const reservation = {
    system: new Map([["memory", quantity("1Ki")]]),
    kube: new Map([["memory", quantity("2Ki")]]),
    eviction: new Map([
      ["memory", { kind: "share", percent: 50 }] as const,
    ]),
  };
  assert.equal(
    reserved(reservation, "memory", quantity("4Ki")),
    quantity("5Ki"),
  );
  assert.equal(reserved(reservation, "pods", quantity("110")), 0n);
});

Deno.test("missingCapacities() names what the node cannot be ready without", () => {
  assert.deepEqual(missingCapacities({ cpu: "1" }, SETTINGS), [
    "memory",
    "pods",
    "ephemeral-storage",
  ]);
  const loose = { isStorageIsolated: false };
  assert.deepEqual(
    missingCapacities({ cpu: "1", memory: "1", pods: "1" }, loose),
    [],
  );
});
