import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { podResources } from "./pod_resources.ts";

Deno.test("podResources() adds up what the containers ask for", () => {
  const pod = aPod({
    containers: [
      aContainer({
        name: "a",
        resources: {
          requests: { cpu: "100m", memory: "32Mi" },
          limits: { cpu: "150m", memory: "64Mi" },
        },
      }),
      aContainer({
        name: "b",
        resources: {
          requests: { cpu: "1", memory: "32Mi" },
          limits: { cpu: "1", memory: "32Mi" },
        },
      }),
      aContainer({
        name: "d",
        resources: { requests: { cpu: "1m", memory: "1M" } },
      }),
      aContainer({ name: "e" }),
    ],
  });
  assert.deepEqual(podResources(pod), {
    allocatedResources: { cpu: "1101m", memory: "68108864" },
    resources: {
      requests: { cpu: "1101m", memory: "68108864" },
      limits: { cpu: "1150m", memory: "96Mi" },
    },
  });
});

Deno.test("podResources() adds overhead, but makes no limit of it", () => {
  const overhead = { cpu: "250m", memory: "64Mi" };
  const limits = { memory: "64Mi" };
  const pod = aPod({
    spec: { overhead },
    containers: [aContainer({ resources: { limits, requests: limits } })],
  });
  assert.deepEqual(podResources(pod).resources, {
    requests: { cpu: "250m", memory: "128Mi" },
    limits: { memory: "128Mi" },
  });
  assert.deepEqual(podResources(aPod()), { resources: {} });
});

Deno.test("podResources() counts sidecars, and what initialising takes", () => {
  const of = (cpu: string) => ({ resources: { requests: { cpu } } });
  const pod = (first: string) =>
    aPod({
      containers: [aContainer(of("100m"))],
      spec: {
        initContainers: [
          aContainer({ name: "s", restartPolicy: "Always", ...of("50m") }),
          aContainer({ name: "i", ...of(first) }),
        ],
      },
    });
  const small = podResources(pod("90m"));
  assert.deepEqual(small.allocatedResources, { cpu: "150m" });
  const large = podResources(pod("1"));
  assert.deepEqual(large.allocatedResources, { cpu: "1050m" });
});

Deno.test("podResources() tells what is given from what is set", () => {
  const of = (cpu: string) => ({ requests: { cpu }, limits: { cpu } });
  const pod = (cpu: string) =>
    aPod({ containers: [aContainer({ resources: of(cpu) })] });
  assert.deepEqual(podResources(pod("2"), pod("1")), {
    allocatedResources: { cpu: "2" },
    resources: of("1"),
  });
});

Deno.test("podResources() takes what is given for the pod as a whole", () => {
  const resources = { requests: { cpu: "1", memory: "32Mi" } };
  const pod = aPod({
    containers: [aContainer({ resources })],
    spec: {
      overhead: { cpu: "250m" },
      resources: { requests: { cpu: "2" }, limits: { cpu: "3" } },
    },
  });
  assert.deepEqual(podResources(pod), {
    allocatedResources: { cpu: "2250m", memory: "32Mi" },
    resources: {
      requests: { cpu: "2250m", memory: "32Mi" },
      limits: { cpu: "3250m" },
    },
  });
});
