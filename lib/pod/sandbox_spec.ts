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
  usesHostNetwork,
} from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type {
  PortMapping,
  Protocol,
  SandboxSpec,
} from "../port/runtime_spec.ts";
import { podDns } from "./dns.ts";
import type { PodSettings } from "./facts.ts";
import { podAnnotations, podLabels } from "./labels.ts";
import { cgroupParent, podLogDirectory } from "./paths.ts";
import { sandboxSecurity } from "./security.ts";

const LONGEST_HOSTNAME = 63;

export function sandboxSpec(
  settings: PodSettings,
  pod: V1Pod,
  attempt: number,
): SandboxSpec {
  return {
    podName: nameOf(pod),
    podNamespace: namespaceOf(pod),
    podUid: uidOf(pod),
    attempt,
    hostname: hostname(settings, pod),
    logDirectory: podLogDirectory(settings, podNameOf(pod)),
    dns: podDns(settings, pod),
    portMappings: portMappings(pod),
    labels: podLabels(pod),
    annotations: podAnnotations(pod),
    cgroupParent: cgroupParent(settings, pod),
    sysctls: new Map(
      (pod.spec?.securityContext?.sysctls ?? []).map((s) => [s.name, s.value]),
    ),
    security: sandboxSecurity(pod),
    runtimeHandler: "",
  };
}

/** Empty with host network: the host's own name is used. */
function hostname(settings: PodSettings, pod: V1Pod): string {
  if (usesHostNetwork(pod)) return "";
  const short = (pod.spec?.hostname ?? nameOf(pod))
    .slice(0, LONGEST_HOSTNAME).replace(/[-.]+$/, "");
  const subdomain = pod.spec?.subdomain;
  if (pod.spec?.setHostnameAsFQDN !== true || !subdomain) return short;
  return `${short}.${subdomain}.${
    namespaceOf(pod)
  }.svc.${settings.clusterDomain}`;
}

/** Every container port, each host port once. */
function portMappings(pod: V1Pod): PortMapping[] {
  const seen = new Set<string>();
  const mappings: PortMapping[] = [];
  for (const port of containersOf(pod).flatMap((c) => c.ports ?? [])) {
    const mapping = {
      protocol: protocol(port.protocol),
      containerPort: port.containerPort,
      hostPort: port.hostPort ?? 0,
      hostIp: port.hostIP ?? "",
    };
    const key = Object.values(mapping).join("/");
    if (seen.has(key)) continue;
    seen.add(key);
    mappings.push(mapping);
  }
  return mappings;
}

function protocol(text: string | undefined): Protocol {
  return text === "UDP" || text === "SCTP" ? text : "TCP";
}
