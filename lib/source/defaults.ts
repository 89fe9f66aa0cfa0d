/**
 * Fills in what a manifest leaves out, as the API server would. Pure: gives a
 * new pod and leaves the old one alone.
 * Compat: kubelet 1.36 pkg/apis/core/v1/defaults.go, SetDefaults_*.
 */
import type {
  V1Container,
  V1EnvVar,
  V1Lifecycle,
  V1Pod,
  V1PodSpec,
  V1Probe,
  V1ResourceRequirements,
} from "../api/types.ts";
import { defaultVolume } from "./defaults_volume.ts";
import { defaultPodResources } from "./defaults_resources.ts";
import { imageTag } from "./image_tag.ts";

export function withDefaults(pod: V1Pod): V1Pod {
  const spec = pod.spec ?? { containers: [] };
  return { ...pod, spec: defaultSpec(spec) };
}

function defaultSpec(spec: V1PodSpec): V1PodSpec {
  const containers = (list: readonly V1Container[] | undefined) =>
    (list ?? []).map((each) => defaultContainer(each, spec));
  const full: V1PodSpec = {
    ...spec,
    containers: containers(spec.containers),
    dnsPolicy: spec.dnsPolicy || "ClusterFirst",
    enableServiceLinks: spec.enableServiceLinks ?? true,
    restartPolicy: spec.restartPolicy || "Always",
    schedulerName: spec.schedulerName || "default-scheduler",
    securityContext: spec.securityContext ?? {},
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
  };
  if (spec.initContainers !== undefined) {
    full.initContainers = containers(spec.initContainers);
  }
  if (spec.volumes !== undefined) {
    full.volumes = spec.volumes.map(defaultVolume);
  }
  // Compat: the old name of the field, kept in step by conversion.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    full.serviceAccountName = account;
    full.serviceAccount = account;
  }
  return defaultPodResources(full);
}

function defaultContainer(given: V1Container, spec: V1PodSpec): V1Container {
  const isLatest = imageTag(given.image ?? "") === "latest";
  const full: V1Container = {
    ...given,
    imagePullPolicy: given.imagePullPolicy ||
      (isLatest ? "Always" : "IfNotPresent"),
    resources: requestsFromLimits(given.resources ?? {}),
    terminationMessagePath: given.terminationMessagePath ||
      "/dev/termination-log",
    terminationMessagePolicy: given.terminationMessagePolicy || "File",
  };
  if (given.ports !== undefined) full.ports = defaultPorts(given.ports, spec);
  if (given.env !== undefined) full.env = given.env.map(defaultEnv);
  for (
    const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const
  ) {
    const probe = given[name];
    if (probe !== undefined) full[name] = defaultProbe(probe);
  }
  if (given.lifecycle !== undefined) {
    full.lifecycle = defaultLifecycle(given.lifecycle);
  }
  if (given.securityContext?.procMount === "") {
    full.securityContext = { ...given.securityContext, procMount: "Default" };
  }
  return full;
}

function defaultPorts(
  ports: NonNullable<V1Container["ports"]>,
  spec: V1PodSpec,
): NonNullable<V1Container["ports"]> {
  return ports.map((port) => {
    const full = { ...port, protocol: port.protocol || "TCP" };
    // With the host's network a container port is a host port.
    if (spec.hostNetwork && !full.hostPort && full.containerPort) {
      full.hostPort = full.containerPort;
    }
    return full;
  });
}

function defaultEnv(env: V1EnvVar): V1EnvVar {
  const field = env.valueFrom?.fieldRef;
  if (field === undefined || field.apiVersion) return env;
  const fieldRef = { ...field, apiVersion: "v1" };
  return { ...env, valueFrom: { ...env.valueFrom, fieldRef } };
}

function defaultProbe(probe: V1Probe): V1Probe {
  const full: V1Probe = {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
  if (probe.httpGet !== undefined) full.httpGet = defaultHttp(probe.httpGet);
  if (probe.grpc !== undefined) {
    full.grpc = { ...probe.grpc, service: probe.grpc.service ?? "" };
  }
  return full;
}

function defaultLifecycle(lifecycle: V1Lifecycle): V1Lifecycle {
  const full: V1Lifecycle = { ...lifecycle };
  for (const name of ["postStart", "preStop"] as const) {
    const handler = lifecycle[name];
    if (handler?.httpGet === undefined) continue;
    full[name] = { ...handler, httpGet: defaultHttp(handler.httpGet) };
  }
  return full;
}

function defaultHttp(
  http: NonNullable<V1Probe["httpGet"]>,
): NonNullable<V1Probe["httpGet"]> {
  return { ...http, path: http.path || "/", scheme: http.scheme || "HTTP" };
}

function requestsFromLimits(
  resources: V1ResourceRequirements,
): V1ResourceRequirements {
  if (resources.limits === undefined) return resources;
  const requests: Record<string, string> = Object.create(null);
  Object.assign(requests, resources.limits, resources.requests);
  return { ...resources, requests };
}
