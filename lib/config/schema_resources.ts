/**
 * Settings about cgroups, processors, memory and what is kept back from pods.
 * Part of the KubeletConfiguration table.
 */
import { atLeast, field } from "./field.ts";
import {
  bool,
  duration,
  float,
  int32,
  int64,
  oneOf,
  optional,
  text,
} from "./kind.ts";
import {
  listOf,
  type TextMap,
  textMap,
  unsplitTextMap,
} from "./kind_collection.ts";
import { type MemoryReservation, reservations } from "./kind_record.ts";
import {
  isBelowRoot,
  isCpuSet,
  quantitySign,
  wholePercentage,
} from "./text_rules.ts";

const RESERVABLE = ["cpu", "memory", "ephemeral-storage", "pid"] as const;

const RESERVED = {
  allowed: "quantities that are not negative of cpu, memory, " +
    "ephemeral-storage and pid",
  isAllowed: (map: TextMap) =>
    [...map].every(([name, amount]) =>
      RESERVABLE.some((known) => known === name) &&
      (quantitySign(amount) ?? -1) >= 0
    ),
} as const;

/** Limits on everything would be nobody's. */
const NOT_ROOT = {
  allowed: "a cgroup below the root, such as /system.slice",
  isAllowed: (path: string) => path === "" || isBelowRoot(path),
} as const;

const ENFORCEMENTS = [
  "none",
  "pods",
  "system-reserved",
  "system-reserved-compressible",
  "kube-reserved",
  "kube-reserved-compressible",
] as const;

export const RESOURCE_FIELDS = {
  kubeletCgroups: field(text, "", {
    help: "Cgroup of the agent",
    flag: "kubelet-cgroups",
  }),
  systemCgroups: field(text, "", {
    help: "Cgroup for processes that are in none; needs cgroupRoot",
    flag: "system-cgroups",
    ...NOT_ROOT,
  }),
  cgroupRoot: field(text, "", {
    help: "Cgroup that holds all pods; empty: the runtime's",
    flag: "cgroup-root",
  }),
  cgroupsPerQOS: field(bool, true, {
    help: "A cgroup per QoS class and pod",
    flag: "cgroups-per-qos",
    keepsZero: true,
  }),
  cgroupDriver: field(oneOf(["cgroupfs", "systemd"]), "cgroupfs", {
    help: "Who makes cgroups, unless the runtime says",
    flag: "cgroup-driver",
  }),
  cpuManagerPolicy: field(oneOf(["none", "static"]), "none", {
    help: "Whether pods may own processors",
    flag: "cpu-manager-policy",
  }),
  cpuManagerPolicyOptions: field(textMap, new Map(), {
    help: "Options of cpuManagerPolicy",
    flag: "cpu-manager-policy-options",
    flagKind: unsplitTextMap,
  }),
  cpuManagerReconcilePeriod: field(duration, 10_000, {
    help: "Time between two repairs of processor sets",
    flag: "cpu-manager-reconcile-period",
  }),
  singleProcessOOMKill: field(optional(bool), undefined, {
    help: "Kill one process instead of the container when memory runs out",
    keepsZero: true,
  }),
  memoryManagerPolicy: field(oneOf(["None", "Static"]), "None", {
    help: "Whether pods get memory of one NUMA node",
    flag: "memory-manager-policy",
  }),
  reservedMemory: field(reservations, [], {
    help: "Memory kept back per NUMA node",
    flag: "reserved-memory",
    allowed: "quantities above 0 of memory or hugepages-<size>, each once " +
      "per NUMA node",
    isAllowed: areReservations,
  }),
  topologyManagerPolicy: field(
    oneOf(["none", "best-effort", "restricted", "single-numa-node"]),
    "none",
    {
      help: "How resources are aligned to NUMA nodes",
      flag: "topology-manager-policy",
    },
  ),
  topologyManagerScope: field(oneOf(["container", "pod"]), "container", {
    help: "What is aligned as one",
    flag: "topology-manager-scope",
  }),
  topologyManagerPolicyOptions: field(textMap, new Map(), {
    help: "Options of topologyManagerPolicy",
    flag: "topology-manager-policy-options",
  }),
  qosReserved: field(textMap, new Map(), {
    help: "Share of requests kept from lower QoS classes",
    flag: "qos-reserved",
    allowed: "memory with a whole percentage from 0% to 100%",
    isAllowed: (map) =>
      [...map].every(([name, share]) =>
        name === "memory" && wholePercentage(share) !== undefined
      ),
  }),
  maxPods: field(int32, 110, {
    help: "Most pods on this node",
    flag: "max-pods",
    ...atLeast(0),
  }),
  podsPerCore: field(int32, 0, {
    help: "Most pods per processor; 0: no such limit",
    flag: "pods-per-core",
    ...atLeast(0),
  }),
  podPidsLimit: field(int64, -1, {
    help: "Most processes per pod; -1: the node's",
    flag: "pod-max-pids",
    keepsZero: true,
  }),
  cpuCFSQuota: field(bool, true, {
    help: "Enforce processor limits",
    flag: "cpu-cfs-quota",
    keepsZero: true,
  }),
  cpuCFSQuotaPeriod: field(duration, 100, {
    help: "Period over which processor limits are enforced",
    flag: "cpu-cfs-quota-period",
    keepsZero: true,
    allowed: "a duration from 1ms to 1s",
    isAllowed: (value) => value >= 1 && value <= 1_000,
  }),
  systemReserved: field(textMap, new Map(), {
    help: "Resources kept back for the system",
    flag: "system-reserved",
    ...RESERVED,
  }),
  kubeReserved: field(textMap, new Map(), {
    help: "Resources kept back for Kubernetes",
    flag: "kube-reserved",
    ...RESERVED,
  }),
  reservedSystemCPUs: field(text, "", {
    help: "Processors kept back for the system and Kubernetes",
    flag: "reserved-cpus",
    allowed: 'a processor list such as "0-3,7"',
    isAllowed: (list) => list === "" || isCpuSet(list),
  }),
  systemReservedCgroup: field(text, "", {
    help: "Cgroup that systemReserved is enforced on",
    flag: "system-reserved-cgroup",
    ...NOT_ROOT,
  }),
  kubeReservedCgroup: field(text, "", {
    help: "Cgroup that kubeReserved is enforced on",
    flag: "kube-reserved-cgroup",
    ...NOT_ROOT,
  }),
  enforceNodeAllocatable: field(listOf(text), ["pods"], {
    help: "Where reserved resources are enforced",
    flag: "enforce-node-allocatable",
    allowed: `each once: ${ENFORCEMENTS.join(", ")}; none stands alone`,
    isAllowed: (list) =>
      new Set(list).size === list.length &&
      list.every((word) => ENFORCEMENTS.some((known) => known === word)) &&
      (list.length < 2 || !list.includes("none")),
  }),
  memoryThrottlingFactor: field(float, 0.9, {
    help: "Share of the memory limit at which throttling begins",
    keepsZero: true,
    allowed: "a number above 0, at most 1",
    isAllowed: (factor) => factor > 0 && factor <= 1,
  }),
  memoryReservationPolicy: field(
    oneOf(["None", "TieredReservation"]),
    "None",
    { help: "How memory requests are protected" },
  ),
} as const;

/** Compat: kubelet 1.36 validateReservedMemoryConfiguration */
function areReservations(list: readonly MemoryReservation[]): boolean {
  const pairs = list.flatMap(({ numaNode, limits }) =>
    [...limits].map(([name, amount]) => ({ numaNode, name, amount }))
  );
  const seen = new Set(
    pairs.map(({ numaNode, name }) => `${numaNode}:${name}`),
  );
  return seen.size === pairs.length &&
    pairs.every(({ name, amount }) =>
      (name === "memory" || name.startsWith("hugepages-")) &&
      quantitySign(amount) === 1
    );
}
