/**
 * Rules for the containers of a pod, one by one and among each other.
 * Compat: kubelet 1.36 validateContainers, validateInitContainers,
 * validateContainerCommon and what they call.
 */
import type { V1Container } from "../api/types.ts";
import {
  duplicate,
  invalid,
  invalids,
  notSupported,
  type Path,
  required,
  tooMany,
  type Violation,
} from "./field.ts";
import { dnsLabel, portName, portNumber } from "./names.ts";
import type { Surroundings } from "./parts.ts";
import { validateEnv } from "./validate_env.ts";
import { refuseHandlers, validateHandlers } from "./validate_handler.ts";
import { validateClaims, validateResources } from "./validate_resources.ts";
import { validateContainerSecurity } from "./validate_security.ts";
import { validateMounts } from "./validate_volume.ts";

const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const RESTART_POLICIES = ["Always", "Never", "OnFailure"];
const RULE_ACTIONS = ["Restart", "RestartAllContainers"];
const RULE_OPERATORS = ["In", "NotIn"];
const RESIZE_POLICIES = ["NotRequired", "RestartContainer"];
const RESIZE_RESOURCES = ["cpu", "memory"];
const MOST_RULES = 20;
const MOST_EXIT_CODES = 255;

export function* validateContainers(
  around: Surroundings,
): Generator<Violation> {
  const { containers, initContainers = [] } = around.spec;
  if (containers.length === 0) yield required(["spec", "containers"]);
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const path = ["spec", "containers", index];
    yield* validateContainer(container, around, path);
    yield* noteName(container.name, names, path);
    yield* validateHandlers(container, around.spec, path);
  }
  yield* conflictingPorts(containers, "containers", 0);
  for (const [index, container] of initContainers.entries()) {
    const path = ["spec", "initContainers", index];
    yield* validateContainer(container, around, path);
    yield* noteName(container.name, names, path);
    yield* refuseResize(container, path);
    yield* container.restartPolicy === "Always"
      ? validateHandlers(container, around.spec, path)
      : refuseHandlers(container, path);
    // They run one by one, so only its own ports can be in its way.
    yield* conflictingPorts([container], "initContainers", index);
  }
}

function* noteName(
  name: string,
  names: Set<string>,
  path: Path,
): Generator<Violation> {
  if (name && names.has(name)) yield duplicate([...path, "name"], name);
  names.add(name);
}

function* validateContainer(
  container: V1Container,
  around: Surroundings,
  path: Path,
): Generator<Violation> {
  const { name, image, imagePullPolicy: pull } = container;
  if (!name) yield required([...path, "name"]);
  else yield* invalids([...path, "name"], name, dnsLabel(name));
  if (!image) yield required([...path, "image"]);
  else if (image.trim() !== image) {
    const detail = "must not have leading or trailing whitespace";
    yield invalid([...path, "image"], image, detail);
  }
  const policy = container.terminationMessagePolicy ?? "";
  if (!MESSAGE_POLICIES.includes(policy)) {
    const at = [...path, "terminationMessagePolicy"];
    yield notSupported(at, policy, MESSAGE_POLICIES);
  }
  if (!PULL_POLICIES.includes(pull ?? "")) {
    yield notSupported([...path, "imagePullPolicy"], pull, PULL_POLICIES);
  }
  yield* validatePorts(container, path);
  yield* validateEnv(container, around, path);
  yield* validateMounts(container, around, path);
  const resources = container.resources ?? {};
  const at = [...path, "resources"];
  yield* validateResources(resources, "container", at);
  yield* validateClaims(resources, around.spec, at);
  yield* validateResize(container, around, path);
  yield* validateRestart(container, path);
  if (container.securityContext !== undefined) {
    yield* validateContainerSecurity(
      container.securityContext,
      around.spec,
      [...path, "securityContext"],
    );
  }
}

function* validatePorts(
  container: V1Container,
  path: Path,
): Generator<Violation> {
  const names = new Set<string>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    const at = [...path, "ports", index];
    if (port.name) {
      yield* invalids([...at, "name"], port.name, portName(port.name));
      if (names.has(port.name)) yield duplicate([...at, "name"], port.name);
      names.add(port.name);
    }
    for (const field of ["containerPort", "hostPort"] as const) {
      const number = port[field];
      if (number) yield* invalids([...at, field], number, portNumber(number));
    }
    if (!port.containerPort) yield required([...at, "containerPort"]);
    if (!PROTOCOLS.includes(port.protocol ?? "")) {
      yield notSupported([...at, "protocol"], port.protocol, PROTOCOLS);
    }
  }
}

function* conflictingPorts(
  containers: readonly V1Container[],
  list: "containers" | "initContainers",
  first: number,
): Generator<Violation> {
  const taken = new Set<string>();
  for (const [index, container] of containers.entries()) {
    for (const [nth, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
      const path = ["spec", list, first + index, "ports", nth, "hostPort"];
      if (taken.has(key)) yield duplicate(path, key);
      taken.add(key);
    }
  }
}

function* validateResize(
  container: V1Container,
  around: Surroundings,
  path: Path,
): Generator<Violation> {
  const seen = new Set<string>();
  for (const [index, each] of (container.resizePolicy ?? []).entries()) {
    const at = [...path, "resizePolicy", index];
    const { resourceName, restartPolicy } = each;
    if (seen.has(resourceName)) yield duplicate(at, resourceName);
    seen.add(resourceName);
    if (!RESIZE_RESOURCES.includes(resourceName)) {
      yield notSupported(at, resourceName ?? "", RESIZE_RESOURCES);
    }
    if (!RESIZE_POLICIES.includes(restartPolicy)) {
      yield notSupported(at, restartPolicy ?? "", RESIZE_POLICIES);
    } else if (
      around.spec.restartPolicy === "Never" && restartPolicy !== "NotRequired"
    ) {
      const detail =
        "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
      yield invalid(at, restartPolicy, detail);
    }
  }
}

/** An init container that ends is not resized by restarting it. */
function* refuseResize(
  container: V1Container,
  path: Path,
): Generator<Violation> {
  if (container.restartPolicy === "Always") return;
  for (const [index, each] of (container.resizePolicy ?? []).entries()) {
    if (each.restartPolicy !== "RestartContainer") continue;
    const at = [...path, "resizePolicy", index, "restartPolicy"];
    const detail = "must not be set to 'RestartContainer' for non-sidecar " +
      "initContainers";
    yield invalid(at, each.restartPolicy, detail);
  }
}

/** Compat: gate ContainerRestartRules (on). */
function* validateRestart(
  container: V1Container,
  path: Path,
): Generator<Violation> {
  const { restartPolicy, restartPolicyRules: rules = [] } = container;
  const at = [...path, "restartPolicyRules"];
  if (restartPolicy === undefined) {
    if (rules.length === 0) return;
    const detail = "must specify restartPolicy when restart rules are used";
    yield required([...path, "restartPolicy"], detail);
  } else if (!RESTART_POLICIES.includes(restartPolicy)) {
    const field = [...path, "restartPolicy"];
    yield notSupported(field, restartPolicy, RESTART_POLICIES);
  }
  if (rules.length > MOST_RULES) yield tooMany(at, rules.length, MOST_RULES);
  for (const [index, { action, exitCodes }] of rules.entries()) {
    if (!RULE_ACTIONS.includes(action)) {
      yield notSupported([...at, index, "action"], action ?? "", RULE_ACTIONS);
    }
    const codes = [...at, index, "exitCodes"];
    if (exitCodes === undefined) {
      yield required(codes, "must be specified");
      continue;
    }
    const { operator, values = [] } = exitCodes;
    if (!RULE_OPERATORS.includes(operator)) {
      yield notSupported([...codes, "operator"], operator, RULE_OPERATORS);
    }
    if (values.length > MOST_EXIT_CODES) {
      yield tooMany([...codes, "values"], values.length, MOST_EXIT_CODES);
    }
  }
}
