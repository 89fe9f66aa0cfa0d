import assert from "node:assert/strict";
import { objectIn } from "../base/json.ts";
import { anImage, facts, known, SEEN, SETTINGS } from "./fixture_test.ts";
import { newNode, project } from "./project.ts";

const UPDATE = { occasion: "update", pending: [] } as const;
const REGISTRATION = { occasion: "registration", pending: [] } as const;

Deno.test("newNode() is whole: what a status is made of goes along", () => {
  const settings = {
    ...SETTINGS,
    providerId: "cloud:///1",
    taints: [{ key: "a", value: "", effect: "NoSchedule" }],
  };
  const seen = { ...SEEN, images: [anImage()] };
  const node = newNode(facts({ settings, seen }));
  assert.deepEqual(node["metadata"], {
    name: "node-1",
    labels: {
      "beta.kubernetes.io/arch": "amd64",
      "beta.kubernetes.io/os": "linux",
      "kubernetes.io/arch": "amd64",
      "kubernetes.io/hostname": "node-1",
      "kubernetes.io/os": "linux",
    },
    annotations: {
      "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    },
  });
  assert.deepEqual(node["spec"], {
    providerID: "cloud:///1",
    taints: [{ key: "a", value: "", effect: "NoSchedule" }],
  });
  const { conditions: _conditions, ...status } = objectIn(node, "status");
  assert.deepEqual(JSON.parse(JSON.stringify(status)), {
    addresses: [
      { type: "InternalIP", address: "192.0.2.10" },
      { type: "Hostname", address: "node-1" },
    ],
    capacity: {
      cpu: "2",
      "ephemeral-storage": "100Gi",
      "hugepages-2Mi": "0",
      memory: "8Gi",
      pods: "110",
    },
    allocatable: {
      cpu: "2",
      "ephemeral-storage": "100Gi",
      "hugepages-2Mi": "0",
      memory: "8Gi",
      pods: "110",
    },
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    features: { supplementalGroupsPolicy: true },
    images: [{ names: ["a@sha256:1", "a:1"], sizeBytes: 1 }],
    nodeInfo: {
      architecture: "amd64",
      bootID: "boot-1",
      containerRuntimeVersion: "containerd://v2.4.2",
      kernelVersion: "6.18.0",
      kubeProxyVersion: "",
      kubeletVersion: "v1.36.3",
      machineID: "machine",
      operatingSystem: "linux",
      osImage: "Debian GNU/Linux 12 (bookworm)",
      systemUUID: "uuid",
    },
    runtimeHandlers: [
      {
        name: "",
        features: { recursiveReadOnlyMounts: true, userNamespaces: false },
      },
      {
        name: "runc",
        features: { recursiveReadOnlyMounts: true, userNamespaces: true },
      },
    ],
  });
});

Deno.test("newNode() for an external cloud has its taint and only a name", () => {
  const settings = { ...SETTINGS, isCloudExternal: true };
  const node = newNode(facts({ settings }));
  assert.deepEqual(node["spec"], {
    taints: [{
      key: "node.cloudprovider.kubernetes.io/uninitialized",
      value: "true",
      effect: "NoSchedule",
    }],
  });
  assert.deepEqual(objectIn(node, "status")["addresses"], [
    { type: "Hostname", address: "node-1" },
  ]);
});

Deno.test("newNode() says nothing that NodeRestriction refuses", () => {
  const labels = new Map([["node-restriction.kubernetes.io/a", "b"]]);
  const node = newNode(facts({ settings: { ...SETTINGS, labels } }));
  const text = JSON.stringify(node);
  assert.ok(!text.includes("ownerReferences"));
  assert.ok(!text.includes("node-restriction"));
  assert.ok(!text.includes("configSource"));
});

Deno.test("project() puts default labels right at registration only", () => {
  const node = known({
    metadata: {
      labels: {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "old",
      },
    },
  });
  assert.deepEqual(project(facts(), node, REGISTRATION).labels, {
    "kubernetes.io/hostname": "node-1",
    "beta.kubernetes.io/os": "linux",
    "beta.kubernetes.io/arch": "amd64",
  });
  assert.deepEqual(project(facts(), node, UPDATE).labels, {});
  assert.deepEqual(project(facts(), node, UPDATE).annotations, {});
});

Deno.test("project() keeps what it cannot see", () => {
  const node = known({
    status: {
      addresses: [{ type: "InternalIP", address: "198.51.100.1" }],
      nodeInfo: { containerRuntimeVersion: "containerd://v1", bootID: "b" },
      images: [{ names: ["a"] }],
    },
  });
  const seen = {
    ...SEEN,
    network: undefined,
    runtimeVersion: undefined,
    runtimeStatus: undefined,
    images: undefined,
  };
  const { status } = project(facts({ seen }), node, UPDATE);
  assert.deepEqual(status.addresses, node.addresses);
  assert.equal(status.images, undefined);
  assert.equal(status.features, undefined);
  assert.equal(
    status.nodeInfo["containerRuntimeVersion"],
    "containerd://v1",
  );
});

Deno.test("project() warns of an address it may not use", () => {
  const settings = { ...SETTINGS, nodeIps: ["127.0.0.1"] };
  const { status } = project(facts({ settings }), known({}), UPDATE);
  assert.equal(
    status.conditions[3]?.message,
    "kubelet is posting ready status. WARNING: failed to validate nodeIP: " +
      "nodeIP can't be loopback address",
  );
});

Deno.test("project() is not ready before the disk is measured", () => {
  const seen = { ...SEEN, rootBytes: undefined };
  const { status } = project(facts({ seen }), known({}), UPDATE);
  assert.equal(
    status.conditions[3]?.message,
    "missing node capacity for resources: ephemeral-storage",
  );
});

Deno.test("project() tells of swap where there is some", () => {
  const { machine } = SEEN;
  if (machine === undefined) throw new Error("The fixture has a machine");
  const seen = { ...SEEN, machine: { ...machine, swapBytes: 1024n } };
  const { status } = project(facts({ seen }), known({}), UPDATE);
  assert.deepEqual(status.nodeInfo["swap"], { capacity: 1024 });
});
