/**
 * The environment of a container: services, then what whole config maps and
 * secrets bring, then its own variables; later ones win. What they refer to
 * has been found by lib/reference.
 * Compat: kubelet 1.36 makeEnvironmentVariables.
 */
import { fieldText, subscriptOf, type TextResult } from "../api/field_path.ts";
import {
  boundsOf,
  containerNamed,
  resourceText,
} from "../api/resource_field.ts";
import type {
  V1Container,
  V1EnvVar,
  V1Pod,
  V1ResourceFieldSelector,
} from "../api/types.ts";
import type { FoundReferences } from "../reference/types.ts";
import { expand, LONGEST_TEXT, type Lookup } from "./env_expand.ts";

export interface EnvPair {
  readonly name: string;
  readonly value: string;
}

/** Where values come from that only the node knows. */
export interface EnvContext {
  readonly nodeName: string;
  readonly podIps: readonly string[];
  /** Empty while nobody knows them. */
  readonly hostIps: readonly string[];
  /** What pods may use of the node: the bound of what has no limit. */
  readonly allocatable: ReadonlyMap<string, string>;
  /** See env_services.ts. */
  readonly services: ReadonlyMap<string, string>;
  /** Undefined: the container refers to nothing. */
  readonly found: FoundReferences | undefined;
}

/** The environment, or why it cannot be made. */
export type EnvResult =
  | { readonly kind: "ok"; readonly env: readonly EnvPair[] }
  | { readonly kind: "refused"; readonly message: string };

interface Place {
  readonly pod: V1Pod;
  readonly container: V1Container;
  readonly context: EnvContext;
}

/** Paths that the API knows and that a container cannot be told. */
const UNSUPPORTED_FIELDS = [
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
];

/** Later variables see earlier ones; an unknown reference stays as it is. */
export function environment(
  pod: V1Pod,
  container: V1Container,
  context: EnvContext,
): EnvResult {
  const own = new Map<string, string>();
  for (const [index, { prefix = "" }] of (container.envFrom ?? []).entries()) {
    for (const [key, value] of context.found?.envFrom.get(index) ?? []) {
      own.set(prefix + key, value);
    }
  }
  const lookup: Lookup = (name) => own.get(name) ?? context.services.get(name);
  for (const [index, variable] of (container.env ?? []).entries()) {
    const value = valueOf({ pod, container, context }, { index, variable });
    if (value === undefined) continue;
    if (value.kind === "refused") return value;
    const isPlain = (variable.value ?? "") !== "";
    own.set(variable.name, isPlain ? expand(value.text, lookup) : value.text);
  }
  for (const [name, value] of context.services) {
    if (!own.has(name)) own.set(name, value);
  }
  return checked(own);
}

/** Undefined: the variable is left out. */
function valueOf(
  { pod, container, context }: Place,
  { index, variable }: {
    readonly index: number;
    readonly variable: V1EnvVar;
  },
): TextResult | undefined {
  const { value = "", valueFrom } = variable;
  if (value !== "" || valueFrom === undefined) return ok(value);
  const { fieldRef, resourceFieldRef } = valueFrom;
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef, context);
  if (resourceFieldRef !== undefined) {
    return resourceValue({ pod, container, context }, resourceFieldRef);
  }
  const found = context.found?.env.get(index);
  return found === undefined ? undefined : ok(found);
}

/** Compat: kubelet 1.36 podFieldSelectorRuntimeValue. */
function fieldValue(
  pod: V1Pod,
  { apiVersion = "v1", fieldPath }: {
    readonly apiVersion?: string;
    readonly fieldPath: string;
  },
  { podIps, hostIps, nodeName }: EnvContext,
): TextResult {
  if (apiVersion !== "v1") {
    return refused(`unsupported pod version: ${apiVersion}`);
  }
  const subscript = subscriptOf(fieldPath);
  if (subscript !== undefined) {
    return subscript.of.startsWith("metadata.")
      ? fieldText(pod, fieldPath)
      : refused(`field label does not support subscript: ${fieldPath}`);
  }
  switch (fieldPath) {
    case "spec.nodeName":
    case "spec.host":
      return ok(nodeName);
    case "spec.serviceAccountName":
      return ok(pod.spec?.serviceAccountName ?? "");
    case "status.podIP":
      return ok(podIps[0] ?? "");
    case "status.podIPs":
      return ok(podIps.join(","));
    case "status.hostIP":
    case "status.hostIPs":
      if (hostIps.length === 0) {
        return refused("host IP unknown; known addresses: []");
      }
      return ok(
        fieldPath === "status.hostIP" ? hostIps[0] ?? "" : hostIps.join(","),
      );
  }
  const isKnown = fieldPath.startsWith("metadata.") ||
    UNSUPPORTED_FIELDS.includes(fieldPath);
  return isKnown
    ? fieldText(pod, fieldPath)
    : refused(`field label not supported: ${fieldPath}`);
}

function resourceValue(
  { pod, container, context }: Place,
  selector: V1ResourceFieldSelector,
): TextResult {
  const { containerName = "" } = selector;
  const bounds = boundsOf(pod, context.allocatable);
  if (containerName === "") return resourceText(selector, container, bounds);
  const other = containerNamed(pod, containerName);
  if (other === undefined) {
    return refused(`container ${containerName} not found`);
  }
  // Compat: kubelet 1.36: of others only regular ones are bound by the node.
  const isRegular = pod.spec?.containers.includes(other) === true;
  return resourceText(selector, other, isRegular ? bounds : new Map());
}

/** What no program can be given is refused before the runtime is asked. */
function checked(own: ReadonlyMap<string, string>): EnvResult {
  const env: EnvPair[] = [];
  let length = 0;
  for (const [name, value] of own) {
    length += name.length + value.length;
    env.push({ name, value });
  }
  return length > LONGEST_TEXT
    ? refused(`the environment is longer than ${LONGEST_TEXT} characters`)
    : { kind: "ok", env };
}

/** Command or arguments with every `$(VAR)` replaced. */
export function expandAll(
  words: readonly string[] | undefined,
  env: readonly EnvPair[],
): string[] {
  const known = new Map(env.map(({ name, value }) => [name, value]));
  return (words ?? []).map((word) => expand(word, (name) => known.get(name)));
}

function ok(text: string): TextResult {
  return { kind: "ok", text };
}

function refused(message: string) {
  return { kind: "refused", message } as const;
}
