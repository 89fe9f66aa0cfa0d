/**
 * Everything the API server would check of a new pod, in one list. Pure. The
 * pod has its defaults and its identity already.
 * Compat: kubelet 1.36 pkg/apis/core/validation ValidatePodCreate, as the
 * kubelet applies it to static pods.
 */
import type { V1Pod, V1PodSpec } from "../api/types.ts";
import {
  forbidden,
  invalid,
  invalids,
  notSupported,
  required,
  tooLong,
  type Violation,
} from "./field.ts";
import {
  dnsLabel,
  dnsSearch,
  dnsSubdomain,
  inRange,
  ipAddress,
  labelValue,
  qualifiedName,
} from "./names.ts";
import { validateContainers } from "./validate_container.ts";
import { validatePlacement } from "./validate_placement.ts";
import {
  validatePodResources,
  validateResources,
} from "./validate_resources.ts";
import { validatePodSecurity } from "./validate_security.ts";
import { validateVolumes } from "./validate_volume.ts";

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = [
  "ClusterFirstWithHostNet",
  "ClusterFirst",
  "Default",
  "None",
];
const PREEMPTION_POLICIES = ["PreemptLowerPriority", "Never"];
const FINALIZERS = ["kubernetes", "orphan", "foregroundDeletion"];
const SYSTEMS = ["linux", "windows"];
const GREATEST_SECONDS = 2 ** 31 - 1;
const MOST_ANNOTATION_BYTES = 256 * 1024;
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;
const LONGEST_SEARCH_LIST = 2048;
const LONGEST_HOSTNAME = 64;

export function validatePod(pod: V1Pod): readonly Violation[] {
  return [...violationsOf(pod)];
}

function* violationsOf(pod: V1Pod): Generator<Violation> {
  const spec = pod.spec ?? { containers: [] };
  yield* validateMetadata(pod);
  const path = ["spec", "volumes"];
  const volumes = yield* validateVolumes(spec.volumes ?? [], path);
  yield* validateContainers({ spec, volumes });
  if (spec.ephemeralContainers?.length) {
    yield forbidden(["spec", "ephemeralContainers"], "cannot be set on create");
  }
  yield* validatePodResources(spec, ["spec", "resources"]);
  yield* validateHostPorts(spec);
  yield* validatePolicies(spec);
  yield* validatePodSecurity(spec, ["spec", "securityContext"]);
  yield* validateDns(spec);
  yield* validateNames(spec);
  yield* validateSeconds(spec);
  yield* validatePlacement(spec);
  if (spec.overhead !== undefined) {
    const overhead = { limits: spec.overhead };
    yield* validateResources(overhead, "container", ["spec", "overhead"]);
  }
}

function* validateMetadata(pod: V1Pod): Generator<Violation> {
  const { name = "", namespace = "", labels, annotations, finalizers } =
    pod.metadata ?? {};
  if (name === "") {
    const detail = "name or generateName is required";
    yield required(["metadata", "name"], detail);
  } else yield* invalids(["metadata", "name"], name, dnsSubdomain(name));
  if (namespace === "") yield required(["metadata", "namespace"]);
  else {
    yield* invalids(["metadata", "namespace"], namespace, dnsLabel(namespace));
  }
  for (const [key, value] of Object.entries(labels ?? {})) {
    const at = ["metadata", "labels", { key }];
    yield* invalids(["metadata", "labels"], key, qualifiedName(key));
    yield* invalids(at, value, labelValue(value));
  }
  let size = 0;
  const encoder = new TextEncoder();
  for (const [key, value] of Object.entries(annotations ?? {})) {
    const lower = key.toLowerCase();
    yield* invalids(["metadata", "annotations"], key, qualifiedName(lower));
    size += encoder.encode(key).length + encoder.encode(value).length;
  }
  if (size > MOST_ANNOTATION_BYTES) {
    yield tooLong(["metadata", "annotations"], MOST_ANNOTATION_BYTES);
  }
  for (const [index, each] of (finalizers ?? []).entries()) {
    const at = ["metadata", "finalizers", index];
    yield* invalids(at, each, qualifiedName(each));
    if (each.includes("/") || FINALIZERS.includes(each)) continue;
    const detail = "name is neither a standard finalizer name nor is it " +
      "fully qualified";
    yield invalid(at, each, detail);
  }
}

function* validateHostPorts(spec: V1PodSpec): Generator<Violation> {
  if (!spec.hostNetwork) return;
  for (const [index, container] of spec.containers.entries()) {
    for (const [nth, port] of (container.ports ?? []).entries()) {
      if ((port.hostPort ?? 0) === port.containerPort) continue;
      const at = ["spec", "containers", index, "ports", nth, "hostPort"];
      const detail = "must match `containerPort` when `hostNetwork` is true";
      yield invalid(at, port.hostPort ?? 0, detail);
    }
  }
}

function* validatePolicies(spec: V1PodSpec): Generator<Violation> {
  const policies = [
    ["restartPolicy", spec.restartPolicy ?? "", RESTART_POLICIES],
    ["dnsPolicy", spec.dnsPolicy ?? "", DNS_POLICIES],
    ["preemptionPolicy", spec.preemptionPolicy, PREEMPTION_POLICIES],
    ["os", spec.os?.name || undefined, SYSTEMS],
  ] as const;
  for (const [name, value, allowed] of policies) {
    if (value === undefined || allowed.includes(value)) continue;
    yield notSupported(["spec", name], value, allowed);
  }
  if (spec.os !== undefined && !spec.os.name) {
    yield required(["spec", "os", "name"]);
  }
  if (spec.schedulingGates?.length) {
    const detail = "cannot be set until all schedulingGates have been cleared";
    yield forbidden(["spec", "nodeName"], detail);
  }
}

function* validateDns(spec: V1PodSpec): Generator<Violation> {
  const path = ["spec", "dnsConfig"];
  const { dnsConfig } = spec;
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  if (spec.dnsPolicy === "None" && nameservers.length === 0) {
    const at = dnsConfig === undefined ? path : [...path, "nameservers"];
    const what = dnsConfig === undefined
      ? "`dnsConfig`"
      : "at least one DNS nameserver";
    return yield required(
      at,
      `must provide ${what} when \`dnsPolicy\` is None`,
    );
  }
  if (nameservers.length > MOST_NAMESERVERS) {
    const detail = `must not have more than ${MOST_NAMESERVERS} nameservers`;
    yield invalid([...path, "nameservers"], nameservers, detail);
  }
  for (const [index, address] of nameservers.entries()) {
    const at = [...path, "nameservers", index];
    yield* invalids(at, address, ipAddress(address));
  }
  if (searches.length > MOST_SEARCHES) {
    const detail = `must not have more than ${MOST_SEARCHES} search paths`;
    yield invalid([...path, "searches"], searches, detail);
  }
  if (searches.join(" ").length > LONGEST_SEARCH_LIST) {
    const detail = `must not have more than ${LONGEST_SEARCH_LIST} ` +
      "characters (including spaces) in the search list";
    yield invalid([...path, "searches"], searches, detail);
  }
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    const name = search.replace(/\.$/, "");
    yield* invalids([...path, "searches", index], name, dnsSearch(name));
  }
  for (const [index, option] of options.entries()) {
    if (option.name) continue;
    yield required([...path, "options", index], "must not be empty");
  }
}

function* validateNames(spec: V1PodSpec): Generator<Violation> {
  for (const field of ["hostname", "subdomain"] as const) {
    const name = spec[field];
    if (name) yield* invalids(["spec", field], name, dnsLabel(name));
  }
  for (
    const field of [
      "nodeName",
      "priorityClassName",
      "runtimeClassName",
      "hostnameOverride",
    ] as const
  ) {
    const name = spec[field];
    if (name) yield* invalids(["spec", field], name, dnsSubdomain(name));
  }
  if (spec.hostnameOverride !== undefined) {
    const at = ["spec", "hostnameOverride"];
    for (const field of ["setHostnameAsFQDN", "hostNetwork"] as const) {
      if (!spec[field]) continue;
      yield forbidden(at, `may not be specified when ${field} is true`);
    }
    if (spec.hostnameOverride.length > LONGEST_HOSTNAME) {
      yield tooLong(at, LONGEST_HOSTNAME);
    }
  }
  for (const [index, alias] of (spec.hostAliases ?? []).entries()) {
    const at = ["spec", "hostAliases", index];
    yield* invalids([...at, "ip"], alias.ip ?? "", ipAddress(alias.ip ?? ""));
    for (const [nth, name] of (alias.hostnames ?? []).entries()) {
      yield* invalids([...at, "hostnames", nth], name, dnsSubdomain(name));
    }
  }
  for (const [index, gate] of (spec.readinessGates ?? []).entries()) {
    const at = ["spec", "readinessGates", index, "conditionType"];
    const type = gate.conditionType ?? "";
    yield* invalids(at, type, qualifiedName(type));
  }
}

function* validateSeconds(spec: V1PodSpec): Generator<Violation> {
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  if (grace < 0) {
    // Compat: the kubelet lets it pass and takes 1; we say what is wrong.
    const at = ["spec", "terminationGracePeriodSeconds"];
    yield invalid(at, grace, "must be greater than or equal to 0");
  }
  const deadline = spec.activeDeadlineSeconds;
  if (deadline === undefined) return;
  const at = ["spec", "activeDeadlineSeconds"];
  yield* invalids(at, deadline, inRange(deadline, 1, GREATEST_SECONDS));
}
