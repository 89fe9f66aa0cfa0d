/**
 * Rules for fields that say where and how a pod is placed. A static pod has
 * its node already, so what only the scheduler reads is checked for its form,
 * not for what it would select.
 * Compat: kubelet 1.36 ValidateTolerations, validateAffinity,
 * validateTopologySpreadConstraints.
 */
import type { V1PodSpec } from "../api/types.ts";
import {
  forbidden,
  invalid,
  invalids,
  notSupported,
  type Path,
  required,
  type Violation,
} from "./field.ts";
import { labelValue, qualifiedName } from "./names.ts";
import type { Affinity, Spread, Toleration } from "./parts.ts";

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const UNSATISFIABLE = ["DoNotSchedule", "ScheduleAnyway"];
const MOST_WEIGHT = 100;

type Term = NonNullable<
  NonNullable<
    Affinity["nodeAffinity"]
  >["requiredDuringSchedulingIgnoredDuringExecution"]
>["nodeSelectorTerms"][number];

export function* validatePlacement(spec: V1PodSpec): Generator<Violation> {
  for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
    const at = ["spec", "nodeSelector", { key }];
    yield* invalids(["spec", "nodeSelector"], key, qualifiedName(key));
    yield* invalids(at, value, labelValue(value));
  }
  for (const [index, toleration] of (spec.tolerations ?? []).entries()) {
    yield* validateToleration(toleration, ["spec", "tolerations", index]);
  }
  if (spec.affinity !== undefined) {
    yield* validateAffinity(spec.affinity, ["spec", "affinity"]);
  }
  const spreads = spec.topologySpreadConstraints ?? [];
  for (const [index, spread] of spreads.entries()) {
    const path = ["spec", "topologySpreadConstraints", index];
    yield* validateSpread(spread, path);
  }
}

function* validateToleration(
  toleration: Toleration,
  path: Path,
): Generator<Violation> {
  const { key, operator, value, effect, tolerationSeconds } = toleration;
  const at = [...path, "operator"];
  if (key) yield* invalids([...path, "key"], key, qualifiedName(key));
  else if (operator !== "Exists") {
    const detail = "operator must be Exists when `key` is empty, which means " +
      '"match all values and all keys"';
    yield invalid(at, operator ?? "", detail);
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    yield invalid([...path, "effect"], effect ?? "", detail);
  }
  if (operator === undefined || operator === "" || operator === "Equal") {
    const wrong = labelValue(value ?? "");
    if (wrong.length > 0) yield invalid(at, value, wrong.join(";"));
  } else if (operator !== "Exists") {
    yield notSupported(at, operator, ["Equal", "Exists"]);
  } else if (value) {
    yield invalid(at, value, "value must be empty when `operator` is 'Exists'");
  }
  if (effect && !EFFECTS.includes(effect)) {
    yield notSupported([...path, "effect"], effect, EFFECTS);
  }
}

function* validateAffinity(
  affinity: Affinity,
  path: Path,
): Generator<Violation> {
  const hard = "requiredDuringSchedulingIgnoredDuringExecution";
  const soft = "preferredDuringSchedulingIgnoredDuringExecution";
  const required_ = affinity.nodeAffinity?.[hard];
  if (required_ !== undefined) {
    const at = [...path, "nodeAffinity", hard, "nodeSelectorTerms"];
    const terms = required_.nodeSelectorTerms ?? [];
    if (terms.length === 0) {
      yield required(at, "must have at least one node selector term");
    }
    for (const [index, term] of terms.entries()) {
      yield* validateTerm(term, [...at, index]);
    }
  }
  for (
    const [index, each] of (affinity.nodeAffinity?.[soft] ?? []).entries()
  ) {
    const at = [...path, "nodeAffinity", soft, index];
    yield* validateWeight(each.weight, at);
    yield* validateTerm(each.preference ?? {}, [...at, "preference"]);
  }
  for (const name of ["podAffinity", "podAntiAffinity"] as const) {
    for (const [index, each] of (affinity[name]?.[soft] ?? []).entries()) {
      yield* validateWeight(each.weight, [...path, name, soft, index]);
    }
    for (const [index, each] of (affinity[name]?.[hard] ?? []).entries()) {
      const at = [...path, name, hard, index, "topologyKey"];
      if (!each.topologyKey) yield required(at, "can not be empty");
      else {
        yield* invalids(at, each.topologyKey, qualifiedName(each.topologyKey));
      }
    }
  }
}

function* validateTerm(term: Term, path: Path): Generator<Violation> {
  for (const [index, each] of (term.matchExpressions ?? []).entries()) {
    const at = [...path, "matchExpressions", index];
    const { key, operator, values = [] } = each;
    yield* invalids([...at, "key"], key ?? "", qualifiedName(key ?? ""));
    const count = COUNTS.get(operator);
    if (count === undefined) {
      const detail = "not a valid selector operator";
      yield invalid([...at, "operator"], operator ?? "", detail);
    } else if (!count.isRight(values.length)) {
      const wrong = values.length === 0 || count === ONE ? required : forbidden;
      yield wrong([...at, "values"], count.detail);
    }
  }
}

interface Count {
  readonly isRight: (count: number) => boolean;
  readonly detail: string;
}

const SOME: Count = {
  isRight: (count) => count > 0,
  detail: "must be specified when `operator` is 'In' or 'NotIn'",
};
const NONE: Count = {
  isRight: (count) => count === 0,
  detail: "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
};
const ONE: Count = {
  isRight: (count) => count === 1,
  detail: "must be specified single value when `operator` is 'Lt' or 'Gt'",
};
const COUNTS: ReadonlyMap<string, Count> = new Map([
  ["In", SOME],
  ["NotIn", SOME],
  ["Exists", NONE],
  ["DoesNotExist", NONE],
  ["Gt", ONE],
  ["Lt", ONE],
]);

function* validateWeight(weight: number, path: Path): Generator<Violation> {
  if (weight > 0 && weight <= MOST_WEIGHT) return;
  yield invalid([...path, "weight"], weight ?? 0, "must be in the range 1-100");
}

function* validateSpread(spread: Spread, path: Path): Generator<Violation> {
  if (!(spread.maxSkew > 0)) {
    const detail = "must be greater than zero";
    yield invalid([...path, "maxSkew"], spread.maxSkew ?? 0, detail);
  }
  if (!spread.topologyKey) {
    yield required([...path, "topologyKey"], "can not be empty");
  }
  const policy = spread.whenUnsatisfiable ?? "";
  if (!UNSATISFIABLE.includes(policy)) {
    yield notSupported([...path, "whenUnsatisfiable"], policy, UNSATISFIABLE);
  }
}
