/** Rules about cgroups and what is reserved. */
import assert from "node:assert/strict";
import { load, refusalOf } from "./load_fixture.ts";
import { cpusIn, wholePercentage } from "./text_rules.ts";

Deno.test("qosReserved takes whole percentages of memory", () => {
  const refused = ["50", "-1%", "101%", "7.5%", "%", "1e1%"];
  for (const share of refused) {
    const message = refusalOf([], {
      file: `qosReserved: {memory: '${share}'}`,
    });
    assert.match(message, /qosReserved: .*from 0% to 100%$/, share);
  }
  for (const share of ["0%", "100%", "+7%"]) {
    load([], { file: `qosReserved: {memory: '${share}'}` });
  }
  assert.equal(wholePercentage("50%"), 50n);
  assert.equal(wholePercentage("1000%"), undefined);
});

Deno.test("no cgroup that is limited or filled is the root of all", () => {
  for (const field of ["systemReservedCgroup", "kubeReservedCgroup"]) {
    for (const path of ["/", "//"]) {
      const message = refusalOf([], { file: `${field}: ${path}` });
      assert.match(message, new RegExp(`${field}: .*below the root`));
    }
    load([], { file: `${field}: /x.slice` });
  }
  assert.match(
    refusalOf([], { file: "cgroupRoot: /\nsystemCgroups: /" }),
    /systemCgroups: .*below the root/,
  );
  load([], { file: "cgroupRoot: /\nsystemCgroups: /system" });
});

Deno.test("kubeletCgroups outside of kubeReservedCgroup is warned of", () => {
  const warnings = (own: string, reserved: string) =>
    load([], {
      file: `kubeletCgroups: ${own}\nkubeReservedCgroup: ${reserved}`,
    }).warnings.filter((line) => line.startsWith("kubeletCgroups"));
  assert.deepEqual(warnings("/kube/agent", "/kube"), []);
  assert.deepEqual(warnings("/agent", '""'), []);
  assert.deepEqual(warnings("/agent", "/kube"), [
    "kubeletCgroups: /agent is not within kubeReservedCgroup, which is /kube",
  ]);
});

Deno.test("fields about cgroups and swap are all acted on", () => {
  const { warnings } = load([], {
    file: "kubeletCgroups: /kube/agent\nkubeReservedCgroup: /kube\n" +
      "systemReservedCgroup: /system\ncgroupRoot: /\nsystemCgroups: /system\n" +
      "qosReserved: {memory: 50%}\noomScoreAdj: -5\nfailSwapOn: false\n" +
      "memoryReservationPolicy: TieredReservation\n" +
      "memoryThrottlingFactor: 0.8\nfeatureGates: {MemoryQoS: true}\n" +
      "memorySwap: {swapBehavior: LimitedSwap}\n",
  });
  assert.deepEqual(warnings, []);
});

Deno.test("cpusIn() counts up each part of a list", () => {
  assert.deepEqual([...cpusIn("0-2,7")], [0, 1, 2, 7]);
  assert.deepEqual([...cpusIn("")], []);
});
