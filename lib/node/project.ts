/**
 * Facts to what the cluster is told: the status, the whole Node for the first
 * registration, and the labels and annotations that must be put right. What
 * has not been seen is not told; a node that exists keeps it.
 */
import { objectIn } from "../base/json.ts";
import type { ApiObject } from "../port/cluster.ts";
import type { RuntimeHandler } from "../port/runtime.ts";
import { type Addresses, nodeAddresses } from "./addresses.ts";
import { missingCapacities, type Resources, resources } from "./capacity.ts";
import { nodeConditions, readyFailures } from "./conditions.ts";
import { imageList } from "./images.ts";
import {
  initialAnnotations,
  initialLabels,
  initialTaints,
  providedAnnotation,
  reconciledAnnotations,
  reconciledLabels,
  requiredLabels,
  type TextPatch,
} from "./labels.ts";
import type {
  KnownNode,
  NodeCondition,
  NodeFacts,
  NodeStatusJson,
} from "./types.ts";

/** What a node should be, next to what it is. */
export interface NodeProjection {
  readonly status: NodeStatusJson;
  readonly labels: TextPatch;
  readonly annotations: TextPatch;
}

/** The Node to register. Never has ownerReferences, which are refused. */
export function newNode(facts: NodeFacts): ApiObject {
  const { settings } = facts;
  const addresses = addressesOf(facts, undefined);
  const provided = addresses.kind === "found" ? addresses.provided : undefined;
  const taints = initialTaints(settings);
  const status = nodeStatus(facts, undefined, []);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: settings.nodeName,
      labels: initialLabels(settings, architectureOf(facts)),
      annotations: initialAnnotations(settings, provided),
    },
    spec: {
      ...settings.providerId === "" ? {} : { providerID: settings.providerId },
      ...taints.length === 0 ? {} : { taints },
    },
    status: Object.fromEntries(
      Object.entries(status).filter(([, value]) =>
        value !== undefined && !(Array.isArray(value) && value.length === 0)
      ),
    ),
  };
}

/**
 * What a known node should be. `occasion` "registration" also puts the default
 * labels and annotations right. `pending` are the conditions of the last
 * projection, sent or not.
 */
export function project(
  facts: NodeFacts,
  known: KnownNode,
  how: {
    readonly occasion: "registration" | "update";
    readonly pending: readonly NodeCondition[];
  },
): NodeProjection {
  const { settings } = facts;
  const architecture = architectureOf(facts);
  const addresses = addressesOf(facts, known);
  const isFirst = how.occasion === "registration";
  return {
    status: nodeStatus(facts, known, how.pending),
    labels: {
      ...requiredLabels(known, architecture),
      ...isFirst
        ? reconciledLabels(initialLabels(settings, architecture), known)
        : {},
    },
    annotations: {
      ...isFirst ? reconciledAnnotations(settings, known) : {},
      ...addresses.kind === "found"
        ? providedAnnotation(addresses.provided, known)
        : {},
    },
  };
}

function nodeStatus(
  facts: NodeFacts,
  known: KnownNode | undefined,
  pending: readonly NodeCondition[],
): NodeStatusJson {
  const { settings, seen } = facts;
  const addresses = addressesOf(facts, known);
  const { capacity, allocatable } = resourcesOf(facts, known);
  const missing = missingCapacities(capacity, settings);
  const problem = addresses.kind === "none" ? [addresses.problem] : [];
  return {
    addresses: addresses.kind === "found"
      ? addresses.addresses
      : known?.addresses ?? [],
    allocatable,
    capacity,
    conditions: nodeConditions(
      { known: known?.conditions ?? [], pending },
      {
        pressure: facts.pressure,
        failures: readyFailures(facts, missing),
        warnings: [...facts.problems, ...problem],
        nowMs: facts.nowMs,
      },
    ),
    daemonEndpoints: { kubeletEndpoint: { Port: settings.port } },
    declaredFeatures: facts.declaredFeatures,
    features: seen.runtimeStatus && {
      supplementalGroupsPolicy: seen.runtimeStatus.hasSupplementalGroupsPolicy,
    },
    images: seen.images && imageList(seen.images, settings.maxImages),
    nodeInfo: nodeInfo(facts, known),
    runtimeHandlers: seen.runtimeStatus &&
      runtimeHandlers(seen.runtimeStatus.handlers),
  };
}

function nodeInfo(facts: NodeFacts, known: KnownNode | undefined): ApiObject {
  const { machine, runtimeVersion } = facts.seen;
  const before = objectIn(known?.status ?? {}, "nodeInfo");
  const runtime = runtimeVersion === undefined
    ? before["containerRuntimeVersion"] ?? "://Unknown"
    : `${runtimeVersion.name}://${runtimeVersion.version}`;
  const kept = {
    ...before,
    containerRuntimeVersion: runtime,
    kubeProxyVersion: "",
    kubeletVersion: facts.settings.kubeletVersion,
    operatingSystem: "linux",
  };
  if (machine === undefined) return kept;
  const { swapBytes } = machine;
  return {
    ...kept,
    architecture: machine.architecture,
    bootID: machine.bootId,
    kernelVersion: machine.kernelVersion,
    machineID: machine.machineId,
    osImage: machine.osImage,
    systemUUID: machine.systemUuid,
    swap: swapBytes > 0n ? { capacity: Number(swapBytes) } : undefined,
  };
}

function resourcesOf(
  facts: NodeFacts,
  known: KnownNode | undefined,
): Resources {
  const { settings, seen, devices } = facts;
  const { machine, rootBytes } = seen;
  if (machine === undefined) {
    return {
      capacity: Object.fromEntries(known?.capacity ?? []),
      allocatable: Object.fromEntries(known?.allocatable ?? []),
    };
  }
  const before = known?.capacity ?? new Map<string, string>();
  return resources({ settings, machine, rootBytes, devices, known: before });
}

function addressesOf(
  { settings, seen }: NodeFacts,
  known: KnownNode | undefined,
): Addresses {
  if (seen.network === undefined) {
    return { kind: "none", problem: "network interfaces are not known yet" };
  }
  return nodeAddresses({
    nodeName: settings.nodeName,
    nodeIps: settings.nodeIps,
    isCloudExternal: settings.isCloudExternal,
    network: seen.network,
    resolved: seen.resolved ?? [],
    known: known?.addresses ?? [],
  });
}

function architectureOf({ seen }: NodeFacts): string {
  return seen.machine?.architecture ?? "";
}

function runtimeHandlers(
  handlers: readonly RuntimeHandler[],
): readonly ApiObject[] {
  return [...handlers].sort((a, b) => a.name < b.name ? -1 : 1)
    .map(({ name, hasRecursiveReadOnlyMounts, hasUserNamespaces }) => ({
      name,
      features: {
        recursiveReadOnlyMounts: hasRecursiveReadOnlyMounts,
        userNamespaces: hasUserNamespaces,
      },
    }));
}
