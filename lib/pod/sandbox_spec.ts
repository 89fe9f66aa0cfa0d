/**
 * The sandbox of a pod as the runtime is asked for it.
 * Compat: kubelet 1.36 generatePodSandboxConfig.
 */
import {
  containersOf,
  nameOf,
  namespaceOf,
  podNameOf,
  uidOf,
} from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type {
  Namespaces,
  PortMapping,
  Protocol,
  SandboxSpec,
} from "../port/runtime_spec.ts";
import type { Blocker } from "./action.ts";
import { podDns } from "./dns.ts";
import type { Facts } from "./facts.ts";
import { hostnameOf } from "./hostname.ts";
import { podAnnotations, podLabels } from "./labels.ts";
import { cgroupParent, podLogDirectory } from "./paths.ts";
import { sandboxResources } from "./runtime_resources.ts";
import { sandboxSecurity } from "./security.ts";
import { sandboxFault } from "./text_fault.ts";
import { idsFault, mappingsOf, wantsOwnIds } from "./userns.ts";

/** What a sandbox is made from: the pod, the node and what was decided. */
export type SandboxFacts = Pick<
  Facts,
  "settings" | "runtime" | "runtimeClasses" | "userIds"
>;

export type SandboxSpecResult =
  | { readonly kind: "ok"; readonly spec: SandboxSpec }
  /** Something has to be known or given first. */
  | { readonly kind: "wait"; readonly for: "runtime-class" | "user-ids" }
  /** Shown as the failure of the sandbox's creation. */
  | { readonly kind: "refused"; readonly message: string };

export function sandboxSpec(
  facts: SandboxFacts,
  pod: V1Pod,
  attempt: number,
): SandboxSpecResult {
  const { settings } = facts;
  if (settings.hostDnsFault !== undefined) {
    return { kind: "refused", message: settings.hostDnsFault };
  }
  const hostname = hostnameOf(settings, pod);
  if (hostname.kind === "refused") return hostname;
  const handler = runtimeHandler(facts, pod);
  if (handler.kind !== "ok") return handler;
  const ids = userNamespace(facts, pod, handler.name);
  if (ids.kind !== "ok") return ids;
  const spec: SandboxSpec = {
    podName: nameOf(pod),
    podNamespace: namespaceOf(pod),
    podUid: uidOf(pod),
    attempt,
    hostname: hostname.kernel,
    logDirectory: podLogDirectory(settings, podNameOf(pod)),
    dns: podDns(settings, pod),
    portMappings: portMappings(pod),
    labels: podLabels(pod),
    annotations: podAnnotations(pod),
    cgroupParent: cgroupParent(settings, pod),
    sysctls: new Map(
      (pod.spec?.securityContext?.sysctls ?? []).map((s) => [s.name, s.value]),
    ),
    security: sandboxSecurity(pod, ids.user),
    ...sandboxResources(settings, pod),
    runtimeHandler: handler.name,
  };
  const fault = sandboxFault(spec);
  return fault === undefined
    ? { kind: "ok", spec }
    : { kind: "refused", message: fault };
}

/** What a pod waits for that has no sandbox to ask for yet. */
export function specBlocker(
  wanted: Extract<SandboxSpecResult, { kind: "wait" }>,
): Blocker {
  const message = wanted.for === "user-ids"
    ? "The pod has no ids for its user namespace yet"
    : "The API server has not told of the runtime classes yet";
  return { what: wanted.for, message };
}

/** Compat: kubelet 1.36 LookupRuntimeHandler; the words are the lister's. */
function runtimeHandler(
  { runtimeClasses }: SandboxFacts,
  pod: V1Pod,
):
  | { readonly kind: "ok"; readonly name: string }
  | Exclude<SandboxSpecResult, { kind: "ok" }> {
  const name = pod.spec?.runtimeClassName ?? "";
  if (name === "") return { kind: "ok", name: "" };
  if (runtimeClasses === undefined) {
    return { kind: "wait", for: "runtime-class" };
  }
  const handler = runtimeClasses.get(name);
  return handler === undefined
    ? {
      kind: "refused",
      message: `runtimeclass.node.k8s.io "${name}" not found`,
    }
    : { kind: "ok", name: handler };
}

function userNamespace(
  { runtime, userIds }: SandboxFacts,
  pod: V1Pod,
  handler: string,
):
  | { readonly kind: "ok"; readonly user: Namespaces["user"] }
  | Exclude<SandboxSpecResult, { kind: "ok" }> {
  if (!wantsOwnIds(pod)) return { kind: "ok", user: undefined };
  const message = idsFault(runtime.handlers, handler);
  if (message !== undefined) return { kind: "refused", message };
  return userIds === undefined
    ? { kind: "wait", for: "user-ids" }
    : { kind: "ok", user: mappingsOf(userIds) };
}

/**
 * Every port of the regular containers, each once by its name or by what it
 * is. Compat: kubelet 1.36 MakePortMappings: once for each container.
 */
function portMappings(pod: V1Pod): PortMapping[] {
  return containersOf(pod).flatMap(({ ports = [] }) => {
    const seen = new Set<string>();
    return ports.flatMap((port) => {
      const mapping = {
        protocol: protocol(port.protocol),
        containerPort: port.containerPort,
        hostPort: port.hostPort ?? 0,
        hostIp: port.hostIP ?? "",
      };
      const key = port.name || Object.values(mapping).join("/");
      if (seen.has(key)) return [];
      seen.add(key);
      return [mapping];
    });
  });
}

function protocol(text: string | undefined): Protocol {
  return text === "UDP" || text === "SCTP" ? text : "TCP";
}
