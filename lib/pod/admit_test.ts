import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import type { V1PodSpec } from "../api/types.ts";
import { statusMessage } from "./admit.ts";
import {
  AFFINITY,
  check,
  NAME,
  PORTS,
  short,
  STATIC,
  TAINTS,
  using,
  wanting,
} from "./admit_fixture_test.ts";

Deno.test("admit() refuses a node the pod does not want", () => {
  const spec = (own: Partial<V1PodSpec>) => aPod({ spec: own });
  check([
    { title: "selected", pod: spec({ nodeSelector: { zone: "a" } }) },
    {
      title: "not selected",
      pod: spec({ nodeSelector: { zone: "b" } }),
      refused: ["NodeAffinity", AFFINITY],
    },
    {
      title: "the system label is as the agent says",
      pod: spec({ nodeSelector: { "kubernetes.io/os": "linux" } }),
    },
    {
      title: "but for a node without any labels",
      pod: spec({ nodeSelector: { "kubernetes.io/os": "linux" } }),
      node: { labels: new Map() },
      refused: ["NodeAffinity", AFFINITY],
    },
    {
      title: "malformed affinity is a mismatch",
      pod: spec({
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: "zone", operator: "Like" }] },
              ],
            },
          },
        },
      }),
      refused: ["NodeAffinity", AFFINITY],
    },
    { title: "named", pod: spec({ nodeName: "node-1" }) },
    { title: "not bound", pod: spec({ nodeName: "" }) },
    {
      title: "another name",
      pod: spec({ nodeName: "node-2" }),
      refused: ["NodeName", NAME],
    },
    {
      title: "resources come before affinity",
      pod: wanting({ cpu: "3" }, { spec: { nodeSelector: { zone: "b" } } }),
      refused: short("cpu", "3000 0 2000"),
    },
    {
      title: "affinity comes before the name",
      pod: spec({ nodeName: "node-2", nodeSelector: { zone: "b" } }),
      refused: ["NodeAffinity", AFFINITY],
    },
  ]);
});

Deno.test("admit() refuses ports that are taken, after names, before taints", () => {
  const container = aContainer({
    ports: [{ containerPort: 80, hostPort: 80 }],
  });
  const pod = aPod({ containers: [container] });
  const other = aPod({ containers: [container], uid: "another" });
  const taints = [{ key: "hard", effect: "NoExecute" }];
  const elsewhere = aPod({
    containers: [container],
    spec: { nodeName: "node-2" },
  });
  check([
    { title: "free", pod },
    { title: "its own", pod, others: [pod] },
    {
      title: "taken",
      pod,
      others: [other],
      node: { taints },
      refused: ["NodePorts", PORTS],
    },
    {
      title: "the name first",
      pod: elsewhere,
      others: [other],
      refused: ["NodeName", NAME],
    },
  ]);
});

Deno.test("admit() refuses API pods that do not stand the taints", () => {
  const taints = [
    { key: "soft", effect: "NoSchedule" },
    { key: "hard", value: "1", effect: "NoExecute" },
  ];
  const refused = ["TaintToleration", TAINTS] as const;
  const tolerations = [{ key: "hard", operator: "Exists" }];
  const mirror = { "kubernetes.io/config.mirror": "h" };
  check([
    { title: "not tolerated", pod: aPod(), node: { taints }, refused },
    {
      title: "tolerated",
      pod: aPod({ spec: { tolerations } }),
      node: { taints },
    },
    {
      title: "only NoExecute matters",
      pod: aPod(),
      node: { taints: taints.slice(0, 1) },
    },
    {
      title: "static pods stand everything",
      pod: aPod({ annotations: STATIC }),
      node: { taints },
    },
    {
      title: "other critical pods do not",
      pod: aPod({ spec: { priority: 2_000_000_000 } }),
      node: { taints },
      refused,
    },
    {
      title: "nor do mirrors",
      pod: aPod({ annotations: mirror }),
      node: { taints },
      refused,
    },
  ]);
});

Deno.test("admit() refuses no critical pod for resources", () => {
  const critical = { spec: { priority: 2_000_000_000 } };
  check([
    {
      title: "a static pod",
      pod: wanting({ cpu: "1" }, { annotations: STATIC }),
      others: [using({ cpu: "1500m" })],
    },
    {
      title: "what room does not help with comes first",
      pod: wanting({ cpu: "3" }, {
        spec: { priority: 2_000_000_000, nodeName: "node-2" },
      }),
      refused: ["NodeName", NAME],
    },
    { title: "enough", pod: wanting({ cpu: "2" }, critical) },
  ]);
});

Deno.test("statusMessage() is the message with what happened to the pod", () => {
  const found = statusMessage({ reason: "NodeName", message: NAME });
  assert.equal(found, `Pod was rejected: ${NAME}`);
});
