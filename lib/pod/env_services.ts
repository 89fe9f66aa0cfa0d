/**
 * The variables that tell a container where services are. Pure.
 * Compat: kubelet 1.36 getServiceEnvVarMap, envvars.FromServices.
 */
import { MASTER } from "../api/master_service.ts";
import { namespaceOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { ServiceFacts } from "../reference/types.ts";

/** `services`: those of the pod's namespace and of `default`, others too. */
export function serviceVariables(
  pod: V1Pod,
  services: Iterable<ServiceFacts>,
): ReadonlyMap<string, string> {
  const hasLinks = pod.spec?.enableServiceLinks !== false;
  const found = new Map<string, ServiceFacts>();
  for (const service of services) {
    const { namespace, name, clusterIp } = service;
    if (clusterIp === "" || clusterIp === "None") continue;
    if (namespace === MASTER.namespace && name === MASTER.name) {
      // One of the pod's own namespace is nearer.
      if (!found.has(name)) found.set(name, service);
    } else if (hasLinks && namespace === namespaceOf(pod)) {
      found.set(name, service);
    }
  }
  const variables = new Map<string, string>();
  for (const name of [...found.keys()].sort()) {
    const service = found.get(name);
    if (service !== undefined) addVariables(variables, service);
  }
  return variables;
}

function addVariables(
  variables: Map<string, string>,
  { name, clusterIp, ports }: ServiceFacts,
): void {
  const prefix = variableName(name);
  const [first] = ports;
  if (first === undefined) return;
  variables.set(`${prefix}_SERVICE_HOST`, clusterIp);
  variables.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const { name, port } of ports) {
    if (name === "") continue;
    variables.set(
      `${prefix}_SERVICE_PORT_${variableName(name)}`,
      String(port),
    );
  }
  for (const [index, { port, protocol }] of ports.entries()) {
    const scheme = protocol.toLowerCase();
    const host = clusterIp.includes(":") ? `[${clusterIp}]` : clusterIp;
    const url = `${scheme}://${host}:${port}`;
    if (index === 0) variables.set(`${prefix}_PORT`, url);
    const own = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    variables.set(own, url);
    variables.set(`${own}_PROTO`, scheme);
    variables.set(`${own}_PORT`, String(port));
    variables.set(`${own}_ADDR`, clusterIp);
  }
}

function variableName(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}
