import assert from "node:assert/strict";
import { known, SETTINGS } from "./fixture_test.ts";
import {
  ATTACH_BY_CONTROLLER,
  initialAnnotations,
  initialLabels,
  initialTaints,
  mayLabel,
  providedAnnotation,
  reconciledAnnotations,
  reconciledLabels,
  requiredLabels,
} from "./labels.ts";

const labelled = (labels: Record<string, string>) =>
  known({ metadata: { labels } });

Deno.test("mayLabel() allows what NodeRestriction allows", () => {
  const yes = [
    "team",
    "example.com/team",
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "node.kubernetes.io/anything",
    "sub.node.kubernetes.io/anything",
    "kubelet.kubernetes.io/x",
    "notkubernetes.io/x",
  ];
  const no = [
    "kubernetes.io/role",
    "node-role.kubernetes.io/control-plane",
    "node-restriction.kubernetes.io/x",
    "foo.k8s.io/x",
    "k8s.io/x",
  ];
  for (const key of yes) assert.ok(mayLabel(key), key);
  for (const key of no) assert.ok(!mayLabel(key), key);
});

Deno.test("initialLabels() lets the operator replace defaults", () => {
  const labels = new Map([
    ["kubernetes.io/arch", "riscv64"],
    ["team", "blue"],
    ["node-role.kubernetes.io/worker", ""],
  ]);
  assert.deepEqual(initialLabels({ nodeName: "node-1", labels }, "amd64"), {
    "beta.kubernetes.io/arch": "amd64",
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": "riscv64",
    "kubernetes.io/hostname": "node-1",
    "kubernetes.io/os": "linux",
    team: "blue",
  });
});

Deno.test("initialTaints() adds the one a cloud controller takes away", () => {
  const taint = { key: "a", value: "b", effect: "NoSchedule" };
  const settings = { ...SETTINGS, taints: [taint] };
  assert.deepEqual(initialTaints(settings), [taint]);
  assert.deepEqual(initialTaints({ ...settings, isCloudExternal: true }), [
    taint,
    {
      key: "node.cloudprovider.kubernetes.io/uninitialized",
      value: "true",
      effect: "NoSchedule",
    },
  ]);
});

Deno.test("reconciledLabels() puts defaults right and nothing else", () => {
  const initial = {
    "kubernetes.io/hostname": "node-1",
    "topology.kubernetes.io/zone": "",
    "topology.kubernetes.io/region": "",
    team: "blue",
  };
  const node = labelled({
    "kubernetes.io/hostname": "old",
    "topology.kubernetes.io/zone": "z1",
    "beta.kubernetes.io/os": "linux",
    team: "red",
  });
  assert.deepEqual(reconciledLabels(initial, node), {
    "kubernetes.io/hostname": "node-1",
    "topology.kubernetes.io/zone": null,
  });
});

Deno.test("requiredLabels() repairs os and arch", () => {
  const good = labelled({
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
  });
  assert.deepEqual(requiredLabels(good, "amd64"), {});
  assert.deepEqual(requiredLabels(labelled({}), "amd64"), {
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
  });
});

Deno.test("annotations follow the settings", () => {
  const node = known({ metadata: { annotations: { a: "b" } } });
  assert.deepEqual(initialAnnotations(SETTINGS, "192.0.2.1"), {
    [ATTACH_BY_CONTROLLER]: "true",
    "alpha.kubernetes.io/provided-node-ip": "192.0.2.1",
  });
  assert.deepEqual(reconciledAnnotations(SETTINGS, node), {
    [ATTACH_BY_CONTROLLER]: "true",
  });
  const set = known({
    metadata: {
      annotations: {
        [ATTACH_BY_CONTROLLER]: "true",
        "alpha.kubernetes.io/provided-node-ip": "192.0.2.9",
      },
    },
  });
  const off = { ...SETTINGS, leavesAttachToController: false };
  assert.deepEqual(reconciledAnnotations(off, set), {
    [ATTACH_BY_CONTROLLER]: null,
  });
  assert.deepEqual(providedAnnotation(undefined, set), {
    "alpha.kubernetes.io/provided-node-ip": null,
  });
  assert.deepEqual(providedAnnotation(undefined, node), {});
});
