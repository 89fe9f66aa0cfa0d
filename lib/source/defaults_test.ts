import assert from "node:assert/strict";
import type { V1Pod, V1PodSpec } from "../api/types.ts";
import { withDefaults } from "./defaults.ts";

const container = { name: "a", image: "x" };
const specOf = (spec: Partial<V1PodSpec>): V1PodSpec => {
  const pod: V1Pod = { spec: { containers: [container], ...spec } };
  const before = JSON.stringify(pod);
  const after = withDefaults(pod).spec;
  assert.equal(JSON.stringify(pod), before, "the old pod is left alone");
  return after ?? { containers: [] };
};

Deno.test("withDefaults() fills a bare pod", () => {
  assert.deepEqual(specOf({}), {
    containers: [{
      name: "a",
      image: "x",
      imagePullPolicy: "Always",
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
    }],
    dnsPolicy: "ClusterFirst",
    enableServiceLinks: true,
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  });
});

Deno.test("withDefaults() chooses the pull policy by the tag", () => {
  const policies = [
    ["x", "Always"],
    ["x:latest", "Always"],
    ["x:1", "IfNotPresent"],
    ["host:5000/x", "Always"],
    ["host:5000/x:2", "IfNotPresent"],
    [`x@sha256:${"a".repeat(64)}`, "IfNotPresent"],
  ] as const;
  for (const [image, policy] of policies) {
    const { containers } = specOf({ containers: [{ name: "a", image }] });
    assert.equal(containers[0]?.imagePullPolicy, policy, image);
  }
});

Deno.test("withDefaults() takes missing requests from limits", () => {
  const resources = {
    limits: { cpu: "1", memory: "1Gi" },
    requests: { cpu: "500m" },
  };
  const { containers } = specOf({ containers: [{ ...container, resources }] });
  assert.deepEqual({ ...containers[0]?.resources?.requests }, {
    cpu: "500m",
    memory: "1Gi",
  });
});

Deno.test("withDefaults() takes a pod's requests from its containers", () => {
  const asking = (cpu: string) => ({
    ...container,
    resources: { requests: { cpu } },
  });
  const { resources } = specOf({
    resources: { limits: { cpu: "1", memory: "1Gi" } },
    containers: [asking("100m"), asking("0.2")],
    initContainers: [
      { ...asking("50m"), restartPolicy: "Always" },
      asking("100m"),
    ],
  });
  assert.deepEqual({ ...resources?.requests }, { cpu: "350m", memory: "1Gi" });
});

Deno.test("withDefaults() makes ports host ports on the host's network", () => {
  const ports = [{ containerPort: 80 }];
  const containers = [{ ...container, ports }];
  assert.deepEqual(specOf({ containers }).containers[0]?.ports, [
    { containerPort: 80, protocol: "TCP" },
  ]);
  const onHost = specOf({ hostNetwork: true, containers });
  assert.deepEqual(onHost.containers[0]?.ports, [
    { containerPort: 80, protocol: "TCP", hostPort: 80 },
  ]);
});

Deno.test("withDefaults() fills probes and volumes", () => {
  const { containers, volumes } = specOf({
    containers: [{
      ...container,
      livenessProbe: { httpGet: { port: 80 }, periodSeconds: 5 },
    }],
    volumes: [
      { name: "a" },
      { name: "b", hostPath: { path: "/" } },
      { name: "c", projected: { sources: [{ downwardAPI: {} }] } },
    ],
  });
  assert.deepEqual(containers[0]?.livenessProbe, {
    httpGet: { port: 80, path: "/", scheme: "HTTP" },
    periodSeconds: 5,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
  });
  assert.deepEqual(volumes, [
    { name: "a", emptyDir: {} },
    { name: "b", hostPath: { path: "/", type: "" } },
    {
      name: "c",
      projected: { defaultMode: 0o644, sources: [{ downwardAPI: {} }] },
    },
  ]);
});
