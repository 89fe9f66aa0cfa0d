import assert from "node:assert/strict";
import { aContainer, aPod, type PodParts } from "../../tests/build.ts";
import type { V1Pod, V1PodSpec } from "../api/types.ts";
import { type AdmissionNode, admit, statusMessage } from "./admit.ts";

const NODE: AdmissionNode = {
  name: "node-1",
  os: "linux",
  labels: new Map([["zone", "a"]]),
  taints: [],
  allocatable: new Map([
    ["pods", "3"],
    ["cpu", "2"],
    ["memory", "1Ki"],
    ["ephemeral-storage", "100"],
    ["hugepages-2Mi", "4Mi"],
    ["example.com/gpu", "1"],
  ]),
};

const STATIC = { "kubernetes.io/config.source": "file" };
const AFFINITY = "Predicate NodeAffinity failed: " +
  "node(s) didn't match Pod's node affinity/selector";
const NAME = "Predicate NodeName failed: " +
  "node(s) didn't match the requested node name";
const PORTS = "Predicate NodePorts failed: " +
  "node(s) didn't have free ports for the requested pod ports";
const TAINTS = "Predicate TaintToleration failed: " +
  "node(s) had taints that the pod didn't tolerate";
const asking = (requests: Record<string, string>) =>
  aContainer({ resources: { requests } });
const wanting = (requests: Record<string, string>, parts: PodParts = {}) =>
  aPod({ containers: [asking(requests)], ...parts });
const using = (requests: Record<string, string>) =>
  wanting(requests, { uid: "another" });
interface Case {
  readonly title: string;
  readonly pod: V1Pod;
  readonly node?: Partial<AdmissionNode>;
  readonly others?: readonly V1Pod[];
  /** Reason and message; absent: admitted. */
  readonly refused?: readonly [string, string];
}

function check(cases: readonly Case[]): void {
  for (const { title, pod, node, others = [], refused } of cases) {
    const found = admit(pod, { ...NODE, ...node }, others);
    const expected = refused && { reason: refused[0], message: refused[1] };
    assert.deepEqual(found, expected, title);
  }
}

function short(resource: string, amounts: string): [string, string] {
  const [requested, used, capacity] = amounts.split(" ");
  const message = `Node didn't have enough resource: ${resource}, requested: ` +
    `${requested}, used: ${used}, capacity: ${capacity}`;
  return [`OutOf${resource}`, message];
}

Deno.test("admit() refuses what the node's system cannot run", () => {
  const labelled = (os: string) => aPod({ labels: { "kubernetes.io/os": os } });
  const byField = (name: string) => aPod({ spec: { os: { name } } });
  const grouped = (supplementalGroupsPolicy: string) =>
    aPod({ spec: { securityContext: { supplementalGroupsPolicy } } });
  check([
    { title: "the same label", pod: labelled("linux") },
    {
      title: "another label",
      pod: labelled("windows"),
      refused: [
        "PodOSSelectorNodeLabelDoesNotMatch",
        "Failed to admit pod as the `kubernetes.io/os` label doesn't match " +
        "node label",
      ],
    },
    { title: "the same field", pod: byField("linux") },
    {
      title: "another field",
      pod: byField("windows"),
      refused: [
        "PodOSNotSupported",
        "Failed to admit pod as the OS field doesn't match node OS",
      ],
    },
    { title: "merged groups", pod: grouped("Merge") },
    {
      title: "strict groups",
      pod: grouped("Strict"),
      refused: [
        "SupplementalGroupsPolicyNotSupported",
        "SupplementalGroupsPolicy=Strict is not supported in this node",
      ],
    },
    {
      title: "strict groups on a node that has them",
      pod: grouped("Strict"),
      node: { hasGroupsPolicy: true },
    },
    {
      title: "system before everything else",
      pod: wanting({ cpu: "9" }, { spec: { os: { name: "windows" } } }),
      refused: [
        "PodOSNotSupported",
        "Failed to admit pod as the OS field doesn't match node OS",
      ],
    },
  ]);
});

Deno.test("admit() counts what the others leave", () => {
  const two = [using({}), aPod({ uid: "third" })];
  check([
    { title: "nothing asked", pod: aPod(), others: [using({ cpu: "9" })] },
    { title: "all of it", pod: wanting({ cpu: "2", memory: "1Ki" }) },
    {
      title: "cpu in thousandths",
      pod: wanting({ cpu: "1" }),
      others: [using({ cpu: "1500m" })],
      refused: short("cpu", "1000 1500 2000"),
    },
    {
      title: "memory",
      pod: wanting({ memory: "1025" }),
      refused: short("memory", "1025 0 1024"),
    },
    {
      title: "cpu before memory",
      pod: wanting({ memory: "1Mi", cpu: "3" }),
      refused: short("cpu", "3000 0 2000"),
    },
    {
      title: "ephemeral storage",
      pod: wanting({ "ephemeral-storage": "60" }),
      others: [using({ "ephemeral-storage": "50" })],
      refused: short("ephemeral-storage", "60 50 100"),
    },
    {
      title: "huge pages",
      pod: wanting({ "hugepages-2Mi": "6Mi" }),
      refused: short("hugepages-2Mi", "6291456 0 4194304"),
    },
    {
      title: "huge pages the node has never heard of",
      pod: wanting({ "hugepages-1Gi": "1Gi" }),
      refused: short("hugepages-1Gi", "1073741824 0 0"),
    },
    {
      title: "extended resources",
      pod: wanting({ "example.com/gpu": "1" }),
      others: [using({ "example.com/gpu": "1" })],
      refused: short("example.com/gpu", "1 1 1"),
    },
    { title: "the last slot", pod: aPod(), others: [using({}), using({})] },
    {
      title: "too many pods",
      pod: wanting({ cpu: "9" }),
      others: [...two, using({})],
      refused: short("pods", "1 3 3"),
    },
    {
      title: "a node without anything",
      pod: aPod(),
      node: { allocatable: new Map() },
      refused: short("pods", "1 0 0"),
    },
    {
      title: "the pod itself does not count twice",
      pod: wanting({ cpu: "2" }),
      others: [wanting({ cpu: "2" })],
    },
    {
      title: "each pod is rounded up by itself",
      pod: wanting({ cpu: "1m" }),
      others: [using({ cpu: "1998500u" }), using({ cpu: "100n" })],
      refused: short("cpu", "1 2000 2000"),
    },
    {
      title: "exact above 2^53",
      pod: wanting({ memory: "2" }),
      node: {
        allocatable: new Map([["pods", "9"], ["memory", "9007199254740994"]]),
      },
      others: [using({ memory: "9007199254740993" })],
      refused: short("memory", "2 9007199254740993 9007199254740994"),
    },
    {
      title: "init containers and overhead",
      pod: wanting({ cpu: "1" }, {
        spec: {
          initContainers: [asking({ cpu: "2" })],
          overhead: { cpu: "1m" },
        },
      }),
      refused: short("cpu", "2001 0 2000"),
    },
  ]);
});

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
