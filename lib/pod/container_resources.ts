/**
 * What a status says of a container's resources, user and volume mounts.
 * Compat: kubelet 1.36 convertContainerStatusResources,
 * toKubeContainerResources, convertContainerStatusUser.
 */
import { canonicalText, quantityText } from "../api/quantity_text.ts";
import { parseQuantity } from "../api/quantity.ts";
import type {
  Amounts,
  ContainerStatusJson,
  ContainerUserJson,
  ResourcesJson,
  VolumeMountStatusJson,
} from "../api/status.ts";
import type { V1Container, V1ResourceRequirements } from "../api/types.ts";
import type { LinuxResources } from "../port/runtime_spec.ts";
import type { ObservedContainer } from "./facts.ts";

const NANO = 1_000_000_000n;
const MILLI = NANO / 1000n;
/** At or below these the kernel's least holds, so the spec's word does. */
const LEAST_CPU_LIMIT = 10n * MILLI;
const LEAST_CPU_REQUEST = 2n * MILLI;

/**
 * Of a container of which the runtime has `instance`. What the runtime does
 * not tell is as it was set, by the `record`.
 */
export function containerResources(
  container: V1Container,
  instance: ObservedContainer,
  record?: V1ResourceRequirements,
): Pick<ContainerStatusJson, "resources" | "allocatedResources"> {
  const requests = amounts(container.resources?.requests);
  const limits = amounts(container.resources?.limits);
  const isRunning = instance.state === "running";
  const set = isRunning ? instance.resources : undefined;
  const known = isRunning ? record : undefined;
  const memory = amounts(known?.requests)["memory"];
  const requested = set === undefined
    ? { ...requests, ...computeOf(known?.requests) }
    : {
      ...requests,
      ...memory === undefined ? {} : { memory },
      ...cpuText(requests["cpu"], cpuRequestMilli(set), LEAST_CPU_REQUEST),
    };
  const limited = set === undefined
    ? { ...limits, ...computeOf(known?.limits) }
    : {
      ...limits,
      ...cpuText(limits["cpu"], cpuLimitMilli(set), LEAST_CPU_LIMIT),
      ...set.memoryLimitBytes > 0n
        ? { memory: quantityText(set.memoryLimitBytes * NANO, "binary") }
        : {},
    };
  return {
    ...isEmpty(requests) ? {} : { allocatedResources: requests },
    resources: resourcesOf(
      isEmpty(requests) ? requests : requested,
      isEmpty(limits) ? limits : limited,
    ),
  };
}

/** Only these change while a container runs. */
function computeOf(list: V1ResourceRequirements["limits"]): Amounts {
  const { cpu, memory } = amounts(list);
  return {
    ...cpu === undefined ? {} : { cpu },
    ...memory === undefined ? {} : { memory },
  };
}

export function resourcesOf(requests: Amounts, limits: Amounts): ResourcesJson {
  return {
    ...isEmpty(limits) ? {} : { limits },
    ...isEmpty(requests) ? {} : { requests },
  };
}

/** A list of the spec as the API server keeps it. */
export function amounts(
  list: Readonly<Record<string, string>> | undefined,
): Amounts {
  return Object.fromEntries(
    Object.entries(list ?? {})
      .map(([name, text]) => [name, canonicalText(String(text))]),
  );
}

export function isEmpty(list: Amounts): boolean {
  return Object.keys(list).length === 0;
}

/** What the runtime has set, unless that and the spec are both tiny. */
function cpuText(
  text: string | undefined,
  milli: bigint,
  least: bigint,
): Amounts {
  const actual = milli * MILLI;
  const wanted = text === undefined ? 0n : parseQuantity(text) ?? 0n;
  if (actual <= 0n || (actual <= least && wanted <= least)) return {};
  return { cpu: quantityText(actual, "decimal") };
}

/** Compat: kubelet 1.36 SharesToMilliCPU. */
export function cpuRequestMilli({ cpuShares }: LinuxResources): bigint {
  return cpuShares < 2n ? 0n : (cpuShares * 1000n + 1023n) / 1024n;
}

/** Compat: kubelet 1.36 QuotaToMilliCPU. */
export function cpuLimitMilli(
  { cpuQuotaUs, cpuPeriodUs }: LinuxResources,
): bigint {
  return cpuPeriodUs <= 0n || cpuQuotaUs <= 0n
    ? 0n
    : cpuQuotaUs * 1000n / cpuPeriodUs;
}

export function containerUser(
  { user }: ObservedContainer,
): { readonly user?: ContainerUserJson } {
  if (user === undefined) return {};
  const groups = user.supplementalGroups.map(Number);
  return {
    user: {
      linux: {
        uid: Number(user.uid),
        gid: Number(user.gid),
        ...groups.length === 0 ? {} : { supplementalGroups: groups },
      },
    },
  };
}

/** Whether a mount is read-only all the way down, the runtime knows best. */
export function volumeMounts(
  container: V1Container,
  instance: ObservedContainer | undefined,
  old: ContainerStatusJson | undefined,
): { readonly volumeMounts?: readonly VolumeMountStatusJson[] } {
  const wanted = container.volumeMounts ?? [];
  if (wanted.length === 0) return {};
  return {
    volumeMounts: wanted.map((mount) => {
      const { name, mountPath, recursiveReadOnly: wish } = mount;
      if (mount.readOnly !== true) return { name, mountPath };
      const made = instance?.mounts
        .find(({ containerPath }) => containerPath === mountPath);
      const before = old?.volumeMounts
        ?.find((each) => each.mountPath === mountPath)?.recursiveReadOnly;
      const isWhole = wish === "Enabled" ||
        (wish === "IfPossible" &&
          (made?.isRecursiveReadOnly ?? before === "Enabled"));
      return {
        name,
        mountPath,
        readOnly: true,
        recursiveReadOnly: isWhole ? "Enabled" : "Disabled",
      };
    }),
  };
}
