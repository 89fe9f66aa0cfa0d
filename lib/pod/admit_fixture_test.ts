/** A node that is asked for, and what is said of it. */
import assert from "node:assert/strict";
import { aContainer, aPod, type PodParts } from "../../tests/build.ts";
import type { V1Pod } from "../api/types.ts";
import { type AdmissionNode, admit } from "./admit.ts";

export const NODE: AdmissionNode = {
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

export const STATIC = { "kubernetes.io/config.source": "file" };
export const AFFINITY = "Predicate NodeAffinity failed: " +
  "node(s) didn't match Pod's node affinity/selector";
export const NAME = "Predicate NodeName failed: " +
  "node(s) didn't match the requested node name";
export const PORTS = "Predicate NodePorts failed: " +
  "node(s) didn't have free ports for the requested pod ports";
export const TAINTS = "Predicate TaintToleration failed: " +
  "node(s) had taints that the pod didn't tolerate";
export const asking = (requests: Record<string, string>) =>
  aContainer({ resources: { requests } });
export const wanting = (
  requests: Record<string, string>,
  parts: PodParts = {},
) => aPod({ containers: [asking(requests)], ...parts });
export const using = (requests: Record<string, string>) =>
  wanting(requests, { uid: "another" });
export interface Case {
  readonly title: string;
  readonly pod: V1Pod;
  readonly node?: Partial<AdmissionNode>;
  readonly others?: readonly V1Pod[];
  /** Reason and message; absent: admitted. */
  readonly refused?: readonly [string, string];
}

export function check(cases: readonly Case[]): void {
  for (const { title, pod, node, others = [], refused } of cases) {
    const found = admit(pod, { ...NODE, ...node }, others);
    const expected = refused && { reason: refused[0], message: refused[1] };
    assert.deepEqual(found, expected, title);
  }
}

export function short(resource: string, amounts: string): [string, string] {
  const [requested, used, capacity] = amounts.split(" ");
  const message = `Node didn't have enough resource: ${resource}, requested: ` +
    `${requested}, used: ${used}, capacity: ${capacity}`;
  return [`OutOf${resource}`, message];
}
