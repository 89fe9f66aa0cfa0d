/**
 * The environment of a container and `$(VAR)` in its values, command and
 * arguments. Compat: kubelet 1.36 makeEnvironmentVariables and
 * third_party/forked/golang/expansion.
 */
import { nameOf, namespaceOf, uidOf } from "../api/pod.ts";
import type { V1Container, V1EnvVar, V1Pod } from "../api/types.ts";

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
}

/** The environment, or why it cannot be made. */
export type EnvResult =
  | { readonly kind: "ok"; readonly env: readonly EnvPair[] }
  | { readonly kind: "refused"; readonly message: string };

/** Later variables see earlier ones; an unknown reference stays as it is. */
export function environment(
  pod: V1Pod,
  container: V1Container,
  context: EnvContext,
): EnvResult {
  const known = new Map<string, string>();
  const env: EnvPair[] = [];
  if ((container.envFrom ?? []).length > 0) {
    return refused(`envFrom needs an API server; ${container.name} uses it`);
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(pod, variable, { context, known });
    if (value === undefined) {
      return refused(
        `env ${variable.name} of ${container.name}: this source is not supported`,
      );
    }
    known.set(variable.name, value);
    env.push({ name: variable.name, value });
  }
  return { kind: "ok", env };
}

function refused(message: string): EnvResult {
  return { kind: "refused", message };
}

function valueOf(
  pod: V1Pod,
  variable: V1EnvVar,
  from: { context: EnvContext; known: ReadonlyMap<string, string> },
): string | undefined {
  if (variable.valueFrom === undefined) {
    return expand(variable.value ?? "", from.known);
  }
  const path = variable.valueFrom.fieldRef?.fieldPath;
  return path === undefined ? undefined : fieldValue(pod, path, from.context);
}

function fieldValue(
  pod: V1Pod,
  path: string,
  context: EnvContext,
): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (subscript !== null) {
    const key = subscript[2] ?? "";
    const map = subscript[1] === "labels"
      ? pod.metadata?.labels
      : pod.metadata?.annotations;
    return map !== undefined && Object.hasOwn(map, key) ? map[key] : "";
  }
  switch (path) {
    case "metadata.name":
      return nameOf(pod);
    case "metadata.namespace":
      return namespaceOf(pod);
    case "metadata.uid":
      return uidOf(pod);
    case "spec.nodeName":
      return context.nodeName;
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "";
    case "status.podIP":
      return context.podIps[0] ?? "";
    case "status.podIPs":
      return context.podIps.join(",");
    case "status.hostIP":
      return context.hostIps[0];
    case "status.hostIPs":
      return context.hostIps.length > 0 ? context.hostIps.join(",") : undefined;
    default:
      return undefined;
  }
}

/**
 * Replaces `$(NAME)` by its value; `$$` is a literal `$`; a reference to an
 * unknown name, or an unclosed one, stays as it was written.
 */
export function expand(
  text: string,
  known: ReadonlyMap<string, string>,
): string {
  return text.replace(
    /\$(\$|\(([^)]*)\))/g,
    (whole, rest: string, name: string | undefined) =>
      rest === "$" ? "$" : known.get(name ?? "") ?? whole,
  );
}

/** Command or arguments with every `$(VAR)` replaced. */
export function expandAll(
  words: readonly string[] | undefined,
  env: readonly EnvPair[],
): string[] {
  const known = new Map(env.map(({ name, value }) => [name, value]));
  return (words ?? []).map((word) => expand(word, known));
}
