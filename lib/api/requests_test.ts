import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { milliUnits } from "./quantity.ts";
import { type Amounts, requestsHeldBy, requestsOf } from "./requests.ts";
import type { V1Container, V1Pod, V1PodSpec, V1PodStatus } from "./types.ts";

const asking = (requests: Record<string, string>, name = "web") =>
  aContainer({ name, resources: { requests } });
const sidecar = (cpu: string, name = "side"): V1Container => ({
  ...asking({ cpu }, name),
  restartPolicy: "Always",
});
const shown = (amounts: Amounts) =>
  Object.fromEntries(
    [...amounts].map(([name, amount]) => [name, Number(milliUnits(amount))]),
  );

Deno.test("requestsOf() adds, takes the peak of the start, and the overhead", () => {
  const table: [string, Partial<V1PodSpec>, Record<string, number>][] = [
    ["nothing", {}, {}],
    [
      "containers side by side",
      { containers: [asking({ cpu: "1", memory: "2" }), asking({ cpu: "2" })] },
      { cpu: 3000, memory: 2000 },
    ],
    [
      "an init container that needs more",
      {
        containers: [asking({ cpu: "1" })],
        initContainers: [asking({ cpu: "3" })],
      },
      { cpu: 3000 },
    ],
    [
      "init containers one after the other",
      {
        containers: [asking({ cpu: "2" })],
        initContainers: [asking({ cpu: "1" }), asking({ cpu: "1500m" })],
      },
      { cpu: 2000 },
    ],
    [
      "sidecars stay",
      { containers: [asking({ cpu: "1" })], initContainers: [sidecar("500m")] },
      { cpu: 1500 },
    ],
    [
      "an init container beside the sidecars before it only",
      {
        containers: [asking({ cpu: "1" })],
        initContainers: [sidecar("1"), asking({ cpu: "4" }), sidecar("2")],
      },
      { cpu: 5000 },
    ],
    [
      "overhead on top",
      {
        containers: [asking({ cpu: "1" })],
        overhead: { cpu: "250m", memory: "1" },
      },
      { cpu: 1250, memory: 1000 },
    ],
    [
      "the pod's own requests replace the sum, where a pod may have them",
      {
        containers: [asking({ cpu: "1", memory: "1", "a.io/b": "1" })],
        resources: { requests: { cpu: "5", "a.io/b": "9" } },
        overhead: { cpu: "1" },
      },
      { cpu: 6000, memory: 1000, "a.io/b": 1000 },
    ],
    [
      "a pod's limits alone replace nothing",
      {
        containers: [asking({ cpu: "1" })],
        resources: { limits: { cpu: "5" } },
      },
      { cpu: 1000 },
    ],
    [
      "what is no quantity is absent",
      { containers: [asking({ cpu: "one" })] },
      {},
    ],
  ];
  for (
    const [title, { containers = [aContainer()], ...spec }, expected] of table
  ) {
    const found = shown(requestsOf(aPod({ containers, spec })));
    assert.deepEqual(found, expected, title);
  }
});

Deno.test("requestsOf() is exact above 2^53 and takes any name", () => {
  const requests = JSON.parse('{"memory":"9007199254740993","__proto__":"1"}');
  const found = requestsOf(aPod({ containers: [asking(requests)] }));
  assert.equal(found.get("memory"), 9007199254740993n * 10n ** 9n);
  assert.equal(found.get("__proto__"), 10n ** 9n);
});

function resized(status: V1PodStatus, spec: Partial<V1PodSpec> = {}): V1Pod {
  return { ...aPod({ containers: [asking({ cpu: "2" })], spec }), status };
}

const STATUS = {
  name: "web",
  image: "",
  imageID: "",
  ready: true,
  restartCount: 0,
};

Deno.test("requestsHeldBy() counts the most of what is asked for and had", () => {
  const cpu = (status: V1PodStatus, spec?: Partial<V1PodSpec>) =>
    shown(requestsHeldBy(resized(status, spec)))["cpu"];
  const had = (actual: string, allocated: string) => ({
    ...STATUS,
    resources: { requests: { cpu: actual } },
    allocatedResources: { cpu: allocated },
  });
  assert.equal(cpu({}), 2000);
  assert.equal(cpu({ containerStatuses: [STATUS] }), 2000);
  assert.equal(cpu({ containerStatuses: [had("1", "1")] }), 2000);
  assert.equal(cpu({ containerStatuses: [had("3", "1")] }), 3000);
  assert.equal(cpu({ containerStatuses: [had("1", "4")] }), 4000);
  const conditions = [
    { type: "PodResizePending", status: "True", reason: "Infeasible" },
  ];
  const shrunk = { containerStatuses: [had("1", "1500m")], conditions };
  assert.equal(cpu(shrunk), 1500, "what cannot be had is not counted");
  const initStatus = { ...had("9", "9"), name: "side" };
  const initContainerStatuses = [initStatus];
  const withInit = (container: V1Container) =>
    cpu({ initContainerStatuses }, { initContainers: [container] });
  assert.equal(withInit(sidecar("1")), 11_000);
  assert.equal(withInit(asking({ cpu: "1" }, "side")), 2000);
  const resources = { requests: { cpu: "5" } };
  assert.equal(cpu({}, { resources }), 5000);
  const more = { resources: { requests: { cpu: "7" } } };
  assert.equal(cpu(more, { resources }), 7000);
  assert.equal(cpu({ ...more, conditions }, { resources }), 7000);
});
