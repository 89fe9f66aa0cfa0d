/**
 * Does the pod want a node like this one? Its node selector and its required
 * node affinity; preferences are the scheduler's.
 * Compat: kubelet 1.36 GetRequiredNodeAffinity, LazyErrorNodeSelector. What is
 * malformed matches nothing and is not an error of its own.
 */
import { isLabelKey, isLabelValue } from "../api/label.ts";
import type {
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1Pod,
} from "../api/types.ts";

type Labels = ReadonlyMap<string, string>;

export interface SelectableNode {
  readonly labels: Labels;
  readonly name: string;
}

const NODE_NAME_FIELD = "metadata.name";
const WHOLE_NUMBER = /^[+-]?\d{1,30}$/;

export function wantsNode(pod: V1Pod, node: SelectableNode): boolean {
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  if (selector.some(([key, value]) => node.labels.get(key) !== value)) {
    return false;
  }
  const required = pod.spec?.affinity?.nodeAffinity
    ?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined ||
    matchesTerms(required.nodeSelectorTerms ?? [], node);
}

/** One of the terms must hold. */
export function matchesTerms(
  terms: readonly V1NodeSelectorTerm[],
  node: SelectableNode,
): boolean {
  return terms.some((term) => holds(term, node));
}

/** All of a term must hold; a term without content never does. */
function holds(term: V1NodeSelectorTerm, node: SelectableNode): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  return matchExpressions.every((each) => labelHolds(each, node.labels)) &&
    matchFields.every((each) => fieldHolds(each, node.name));
}

function labelHolds(wanted: V1NodeSelectorRequirement, labels: Labels) {
  const { key, operator, values = [] } = wanted;
  if (!isLabelKey(key) || !values.every(isLabelValue)) return false;
  const actual = labels.get(key);
  switch (operator) {
    case "In":
      return actual !== undefined && values.includes(actual);
    case "NotIn":
      return values.length > 0 &&
        (actual === undefined || !values.includes(actual));
    case "Exists":
      return values.length === 0 && actual !== undefined;
    case "DoesNotExist":
      return values.length === 0 && actual === undefined;
    case "Gt":
    case "Lt":
      return values.length === 1 && compares(actual, operator, values[0]);
    default:
      return false;
  }
}

function compares(
  actual: string | undefined,
  operator: "Gt" | "Lt",
  bound: string | undefined,
): boolean {
  const left = wholeNumber(actual);
  const right = wholeNumber(bound);
  if (left === undefined || right === undefined) return false;
  return operator === "Gt" ? left > right : left < right;
}

/** A number of 64 bits, or undefined. */
function wholeNumber(text: string | undefined): bigint | undefined {
  if (text === undefined || !WHOLE_NUMBER.test(text)) return undefined;
  const value = BigInt(text.replace("+", ""));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** The only field a node has here is its name; any other is empty. */
function fieldHolds(wanted: V1NodeSelectorRequirement, nodeName: string) {
  const { key, operator, values = [] } = wanted;
  if (values.length !== 1) return false;
  const isEqual = values[0] === (key === NODE_NAME_FIELD ? nodeName : "");
  if (operator === "In") return isEqual;
  return operator === "NotIn" && !isEqual;
}
