/**
 * What version 2 keeps of memory for those who asked for it, and where it
 * slows down those who take more: `memory.min`, `memory.low`, `memory.high`.
 * Only with the gate MemoryQoS (alpha); without it, protection that an agent
 * with other settings gave is taken back from the cgroups that are ours.
 * Compat: kubelet 1.36 setMemoryQoS, ResourceConfigForPod,
 * generateLinuxContainerResources.
 */
import { amountOf, type QosClass, qosClass } from "../api/qos.ts";
import { units } from "../api/quantity.ts";
import { requestsOf } from "../api/requests.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { PodSettings } from "./facts.ts";

const PAGE_BYTES = 4096;

interface Protection {
  readonly memoryMinBytes: bigint;
  readonly memoryLowBytes: bigint;
}

type Settings = Pick<
  PodSettings,
  "memoryQos" | "machine" | "allocatableMemoryBytes"
>;

const NONE: Protection = { memoryMinBytes: 0n, memoryLowBytes: 0n };

/** Bytes that pods of both upper classes ask for, by what keeps them. */
export function protectedBytes(
  { memoryQos }: Settings,
  active: readonly V1Pod[],
): { readonly min: bigint; readonly low: bigint } {
  if (memoryQos?.isTiered !== true) return { min: 0n, low: 0n };
  return {
    min: requestedMemory(active, "Guaranteed"),
    low: requestedMemory(active, "Burstable"),
  };
}

/** Above all pods: what is below can only be kept where this is kept. */
export function allPodsProtection(
  settings: Settings,
  active: readonly V1Pod[],
): CgroupValues {
  const { min, low } = protectedBytes(settings, active);
  return protection(settings, { ...NONE, memoryMinBytes: min + low });
}

/** Above the pods of a class. */
export function classProtection(
  settings: Settings,
  active: readonly V1Pod[],
  qos: "Burstable" | "BestEffort",
): CgroupValues {
  const { low } = protectedBytes(settings, active);
  const own = qos === "Burstable" ? { ...NONE, memoryLowBytes: low } : NONE;
  return protection(settings, own);
}

export function podProtection(settings: Settings, pod: V1Pod): CgroupValues {
  if (settings.memoryQos?.isTiered !== true) return protection(settings, NONE);
  const bytes = units(requestsOf(pod).get("memory") ?? 0n);
  return protection(
    settings,
    qosClass(pod) === "Guaranteed"
      ? { ...NONE, memoryMinBytes: bytes }
      : { ...NONE, memoryLowBytes: bytes },
  );
}

/** Files of a container's own cgroup, which the runtime makes. */
export function containerMemoryFiles(
  settings: Settings,
  pod: V1Pod,
  { resources }: V1Container,
): readonly (readonly [string, string])[] {
  const { memoryQos } = settings;
  if (memoryQos === undefined) return [];
  const request = units(amountOf(resources?.requests, "memory") ?? 0n);
  const limit = units(amountOf(resources?.limits, "memory") ?? 0n);
  const key = qosClass(pod) === "Guaranteed" ? "memory.min" : "memory.low";
  const kept = request > 0n && memoryQos.isTiered
    ? [[key, String(request)] as const]
    : [["memory.min", "0"] as const, ["memory.low", "0"] as const];
  const most = limit > 0n ? limit : settings.allocatableMemoryBytes;
  const high = highBytes(request, most, memoryQos.throttlingFactor);
  // Who asks for all that it may have is not slowed down.
  return request === limit || high <= request
    ? kept
    : [...kept, ["memory.high", String(high)]];
}

/** Compat: floating point, cut to whole pages. */
function highBytes(request: bigint, most: bigint, factor: number): bigint {
  if (most <= 0n) return 0n;
  const low = Number(request);
  const high = Math.floor(low + (Number(most) - low) * factor);
  return BigInt(Math.trunc(high / PAGE_BYTES)) * BigInt(PAGE_BYTES);
}

/** Bytes that the pods of a class ask for together. */
export function requestedMemory(
  active: readonly V1Pod[],
  qos: QosClass,
): bigint {
  return active.filter((pod) => qosClass(pod) === qos).reduce(
    (sum, pod) => sum + units(requestsOf(pod).get("memory") ?? 0n),
    0n,
  );
}

function protection({ machine }: Settings, own: Protection): CgroupValues {
  return machine.cgroupVersion === 2 ? own : {};
}
