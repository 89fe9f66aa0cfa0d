/**
 * Rules for requests and limits, of a container and of a pod.
 * Compat: kubelet 1.36 validateResourceRequirements and
 * validatePodResourceConsistency.
 */
import { parseQuantity, type Quantity } from "../api/quantity.ts";
import type { V1PodSpec, V1ResourceRequirements } from "../api/types.ts";
import {
  isExtendedResource,
  isPodLevelResource,
} from "../api/resource_name.ts";
import { sum } from "./defaults_resources.ts";
import {
  duplicate,
  forbidden,
  invalid,
  invalids,
  notFound,
  notSupported,
  type Path,
  required,
  type Violation,
} from "./field.ts";
import { qualifiedName } from "./names.ts";

const STANDARD = ["cpu", "memory", "ephemeral-storage"];
/** Resources of other objects than containers. */
const KNOWN = ["storage", "pods", "services", "secrets", "configmaps"];
const COMPUTE = ["cpu", "memory"];
const HUGE_PAGES = "hugepages-";
const NANO = 1_000_000_000n;

type Owner = "container" | "pod";
type Amounts = Readonly<Record<string, string>>;

export function* validateResources(
  resources: V1ResourceRequirements,
  owner: Owner,
  path: Path,
): Generator<Violation> {
  const { limits = {}, requests = {} } = resources;
  const named = Object.keys({ ...limits, ...requests });
  yield* validateSide(limits, owner, [...path, "limits"]);
  yield* validateSide(requests, owner, [...path, "requests"]);
  for (const [name, text] of Object.entries(requests)) {
    yield* compare(name, { request: text, limit: limits[name] }, path);
  }
  const hasHugePages = named.some((name) => name.startsWith(HUGE_PAGES));
  if (hasHugePages && !named.some((name) => COMPUTE.includes(name))) {
    yield forbidden(path, "HugePages require cpu or memory");
  }
}

/** Each claim is named by the pod, and taken once. */
export function* validateClaims(
  resources: V1ResourceRequirements,
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  const known = new Set(spec.resourceClaims?.map(({ name }) => name));
  const seen = new Set<string>();
  for (const [index, claim] of (resources.claims ?? []).entries()) {
    const at = [...path, "claims", index];
    const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
    if (!claim.name) yield required([...at, "name"]);
    else if (!known.has(claim.name)) yield notFound(at, claim.name);
    else if (seen.has(key)) yield duplicate(at, key);
    seen.add(key);
  }
}

/** A pod's own amounts against those of its containers. */
export function* validatePodResources(
  spec: V1PodSpec,
  path: Path,
): Generator<Violation> {
  if (spec.resources === undefined) return;
  const { requests = {}, limits = {} } = spec.resources;
  yield* validateResources(spec.resources, "pod", path);
  if (spec.resources.claims !== undefined) {
    const detail = "claims may not be set for Resources at pod-level";
    yield forbidden([...path, "claims"], detail);
  }
  for (const [name, { amount, text }] of sum(spec, "requests")) {
    if (amount <= (amountOf(requests[name]) ?? amount)) continue;
    const detail = "must be greater than or equal to aggregate container " +
      `requests of ${text}`;
    yield invalid([...path, "requests", { key: name }], requests[name], detail);
  }
  // Huge pages are had whole: containers together may have no more.
  for (const [name, { amount, text }] of sum(spec, "limits")) {
    if (!name.startsWith(HUGE_PAGES)) continue;
    if (amount <= (amountOf(limits[name]) ?? amount)) continue;
    const detail = "must be greater than or equal to aggregate container " +
      `limits of ${text}`;
    yield invalid([...path, "limits", { key: name }], limits[name], detail);
  }
  for (const [index, container] of spec.containers.entries()) {
    for (
      const [name, text] of Object.entries(container.resources?.limits ?? {})
    ) {
      const amount = amountOf(text) ?? 0n;
      if (amount <= (amountOf(limits[name]) ?? amount)) continue;
      const at = ["spec", "containers", index, "resources", "limits"];
      const detail = `must be less than or equal to pod limits of ` +
        `${limits[name]}`;
      yield invalid([...at, { key: name }], text, detail);
    }
  }
}

function* validateSide(
  amounts: Amounts,
  owner: Owner,
  path: Path,
): Generator<Violation> {
  for (const [name, text] of Object.entries(amounts)) {
    const at = [...path, { key: name }];
    yield* validateName(name, owner, at);
    const amount = amountOf(text) ?? 0n;
    if (amount < 0n) {
      yield invalid(at, text, "must be greater than or equal to 0");
    }
    if (isExtendedResource(name) && amount % NANO !== 0n) {
      yield invalid(at, text, "must be an integer");
    }
    if (name.startsWith(HUGE_PAGES)) yield* validateHugePage(name, text, at);
  }
}

function* validateName(
  name: string,
  owner: Owner,
  path: Path,
): Generator<Violation> {
  const wrong = qualifiedName(name);
  if (wrong.length > 0) return yield* invalids(path, name, wrong);
  if (owner === "pod") {
    if (isPodLevelResource(name)) return;
    const allowed = [...COMPUTE, "hugepages-<size>"];
    return yield notSupported(path, name, allowed);
  }
  if (!name.includes("/")) {
    if (STANDARD.includes(name) || name.startsWith(HUGE_PAGES)) return;
    const isKnown = KNOWN.includes(name);
    if (!isKnown) {
      const detail = "must be a standard resource type or fully qualified";
      yield invalid(path, name, detail);
    }
    yield invalid(path, name, "must be a standard resource for containers");
  } else if (!name.includes("kubernetes.io/") && !isExtendedResource(name)) {
    yield invalid(path, name, "doesn't follow extended resource name standard");
  }
}

function* compare(
  name: string,
  sides: { readonly request: string; readonly limit: string | undefined },
  path: Path,
): Generator<Violation> {
  const { request, limit } = sides;
  // What cannot be shared must be had whole: request and limit are equal.
  const isShared = !name.startsWith(HUGE_PAGES) &&
    (!name.includes("/") || name.includes("kubernetes.io/"));
  if (limit === undefined) {
    if (isShared) return;
    const detail = "Limit must be set for non overcommitable resources";
    return yield required([...path, "limits"], detail);
  }
  const wanted = amountOf(request) ?? 0n;
  const most = amountOf(limit) ?? 0n;
  const at = [...path, "requests"];
  if (!isShared && wanted !== most) {
    yield invalid(at, request, `must be equal to ${name} limit of ${limit}`);
  } else if (wanted > most) {
    const detail = `must be less than or equal to ${name} limit of ${limit}`;
    yield invalid(at, request, detail);
  }
}

function* validateHugePage(
  name: string,
  text: string,
  path: Path,
): Generator<Violation> {
  const size = amountOf(name.slice(HUGE_PAGES.length));
  if (size === undefined || size <= 0n) {
    yield invalid(path, text, `${name} does not name a page size`);
  } else if ((amountOf(text) ?? 0n) % size !== 0n) {
    yield invalid(
      path,
      text,
      `${text} is not positive integer multiple of ` +
        `${name.slice(HUGE_PAGES.length)}`,
    );
  }
}

function amountOf(text: string | undefined): Quantity | undefined {
  return text === undefined ? undefined : parseQuantity(text);
}
