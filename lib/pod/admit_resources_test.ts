import { aPod } from "../../tests/build.ts";
import { asking, check, short, using, wanting } from "./admit_fixture_test.ts";

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
