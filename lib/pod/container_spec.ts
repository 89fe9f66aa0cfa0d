/**
 * A container as the runtime is asked for it, or why it cannot be asked for.
 * Compat: kubelet 1.36 generateContainerConfig.
 */
import type { ContainerId } from "../api/id.ts";
import { podNameOf } from "../api/pod.ts";
import { oomScoreAdj } from "../api/qos.ts";
import { cpuAndMemory } from "../api/resources.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type {
  ContainerMount,
  ContainerSecurity,
  ContainerSpec,
  LinuxResources,
} from "../port/runtime_spec.ts";
import type { MountedVolume } from "../volume/types.ts";
import type { SubPathMount } from "./action.ts";
import { environment, expandAll } from "./env.ts";
import type { PodSettings } from "./facts.ts";
import { containerAnnotations, containerLabels } from "./labels.ts";
import { volumeGroups, volumeMounts } from "./mounts.ts";
import { containerLogFile, podDirectory } from "./paths.ts";
import {
  containerSecurity,
  type ImageUser,
  nonRootViolation,
} from "./security.ts";

/** What is known only when this very instance is about to start. */
export interface Start {
  readonly attempt: number;
  readonly crashDelayMs: number;
  readonly image: ImageUser & { readonly ref: string };
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** The container whose processes an ephemeral one sees. */
  readonly targetId?: ContainerId;
  /** By the volume's name; see lib/volume. */
  readonly volumePaths: ReadonlyMap<string, MountedVolume>;
  /** Image volumes by name, as the runtime calls them. */
  readonly imageVolumes: ReadonlyMap<string, string>;
  readonly hasRecursiveReadOnly: boolean;
}

export type ContainerSpecResult =
  | {
    readonly kind: "ok";
    readonly spec: ContainerSpec;
    /** To be created empty, mode 0666, before the container is. */
    readonly messageFile: string;
    /** To be bound before, too. */
    readonly subPaths: readonly SubPathMount[];
  }
  /** Shown as waiting reason `CreateContainerConfigError`. */
  | { readonly kind: "refused"; readonly message: string };

export function containerSpec(
  settings: PodSettings,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  start: Start,
): ContainerSpecResult {
  const { pod, container } = at;
  const violation = nonRootViolation(pod, container, start.image);
  if (violation !== undefined) return { kind: "refused", message: violation };
  const environ = environment(pod, container, {
    nodeName: settings.nodeName,
    podIps: start.podIps,
    hostIps: start.hostIps,
  });
  if (environ.kind === "refused") return environ;
  const mounts = volumeMounts(pod, container, {
    volumes: start.volumePaths,
    images: start.imageVolumes,
    env: environ.env,
    podDirectory: podDirectory(settings, podNameOf(pod).uid),
    hasRecursiveReadOnly: start.hasRecursiveReadOnly,
  });
  if (mounts.kind === "refused") return mounts;
  const messageFile = messageFileOf(settings, at, start.attempt);
  const spec: ContainerSpec = {
    name: container.name,
    attempt: start.attempt,
    imageRef: start.image.ref,
    userImage: container.image ?? "",
    runtimeHandler: "",
    command: expandAll(container.command, environ.env),
    args: expandAll(container.args, environ.env),
    workingDir: container.workingDir ?? "",
    env: environ.env,
    mounts: [...mounts.mounts, messageMount(container, messageFile)],
    devices: mounts.devices,
    cdiDevices: [],
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, start),
    logPath: containerLogFile(container.name, start.attempt),
    hasStdin: container.stdin === true,
    isStdinOnce: container.stdinOnce === true,
    hasTty: container.tty === true,
    resources: resources(settings, pod, container),
    security: withVolumeGroups(
      containerSecurity(pod, container, {
        image: start.image,
        isSeccompDefault: settings.isSeccompDefault,
        seccompDir: settings.seccompDir,
        targetId: start.targetId,
      }),
      start.volumePaths,
    ),
  };
  return { kind: "ok", spec, messageFile, subPaths: mounts.subPaths };
}

function withVolumeGroups(
  security: ContainerSecurity,
  volumes: ReadonlyMap<string, MountedVolume>,
): ContainerSecurity {
  const { supplementalGroups: own } = security;
  const supplementalGroups = [...own, ...volumeGroups(volumes, own)];
  return { ...security, supplementalGroups };
}

function messageFileOf(
  settings: PodSettings,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  attempt: number,
): string {
  const own = podDirectory(settings, podNameOf(at.pod).uid);
  const name = attempt.toString(16).padStart(8, "0");
  return `${own}/containers/${at.container.name}/${name}`;
}

function messageMount(container: V1Container, file: string): ContainerMount {
  return {
    containerPath: container.terminationMessagePath || "/dev/termination-log",
    hostPath: file,
    isReadOnly: false,
    isRecursiveReadOnly: false,
    isSelinuxRelabelled: true,
    propagation: "private",
    uidMappings: [],
    gidMappings: [],
  };
}

function resources(
  settings: PodSettings,
  pod: V1Pod,
  container: V1Container,
): LinuxResources {
  return {
    ...cpuAndMemory(container, settings.cpuPeriodUs),
    oomScoreAdj: oomScoreAdj(pod, container, settings.memoryBytes),
    cpusetCpus: "",
    cpusetMems: "",
    hugepageLimits: [],
    unified: new Map(),
    memorySwapLimitBytes: 0n,
  };
}
