/**
 * A container as the runtime is asked for it, or why it cannot be asked for.
 * Compat: kubelet 1.36 generateContainerConfig.
 */
import type { ContainerId } from "../api/id.ts";
import { podNameOf } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type {
  ContainerMount,
  ContainerSecurity,
  ContainerSpec,
  Namespaces,
} from "../port/runtime_spec.ts";
import type { MountedVolume } from "../volume/types.ts";
import type { SubPathMount } from "./action.ts";
import { type EnvContext, environment, expandAll } from "./env.ts";
import { LONGEST_TEXT } from "./env_expand.ts";
import type { PodSettings } from "./facts.ts";
import {
  type HostsFile,
  hostsFile,
  hostsMount,
  type HostsResult,
} from "./hosts.ts";
import { containerAnnotations, containerLabels } from "./labels.ts";
import { ownFileMount, volumeGroups, volumeMounts } from "./mounts.ts";
import { containerLogFile, podDirectory } from "./paths.ts";
import { containerResources } from "./runtime_resources.ts";
import {
  containerSecurity,
  type ImageUser,
  nonRootViolation,
} from "./security.ts";
import { profileFault } from "./security_profile.ts";
import { containerFault } from "./text_fault.ts";

/** What is known only when this very instance is about to start. */
export interface Start extends Omit<EnvContext, "nodeName"> {
  readonly attempt: number;
  readonly crashDelayMs: number;
  readonly image: ImageUser & { readonly ref: string };
  /** The container whose processes an ephemeral one sees. */
  readonly targetId?: ContainerId;
  /** The pod's own user namespace, as its sandbox has it. */
  readonly user?: Namespaces["user"];
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
    /** To be written before the container is; absent: it mounts none. */
    readonly hosts?: HostsFile;
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
  const violation = nonRootViolation(pod, container, start.image) ??
    profileFault(pod, container);
  if (violation !== undefined) return { kind: "refused", message: violation };
  const { nodeName } = settings;
  const environ = environment(pod, container, { ...start, nodeName });
  if (environ.kind === "refused") return environ;
  const command = expandAll(container.command, environ.env);
  const args = expandAll(container.args, environ.env);
  const long = tooLong([...command, ...args]);
  if (long !== undefined) return long;
  const mounts = volumeMounts(pod, container, {
    volumes: start.volumePaths,
    images: start.imageVolumes,
    env: environ.env,
    podDirectory: podDirectory(settings, podNameOf(pod).uid),
    hasRecursiveReadOnly: start.hasRecursiveReadOnly,
  });
  if (mounts.kind === "refused") return mounts;
  const hosts = hostsFile(settings, at, start.podIps);
  if (hosts.kind === "refused") return hosts;
  const messageFile = messageFileOf(settings, at, start.attempt);
  const spec: ContainerSpec = {
    name: container.name,
    attempt: start.attempt,
    imageRef: start.image.ref,
    userImage: container.image ?? "",
    runtimeHandler: "",
    command,
    args,
    workingDir: container.workingDir ?? "",
    env: environ.env,
    mounts: mapped([
      ...mounts.mounts,
      ...hosts.kind === "ok" ? [hostsMount(hosts.file)] : [],
      messageMount(container, messageFile),
    ], start.user),
    devices: mounts.devices,
    cdiDevices: [],
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, start),
    logPath: containerLogFile(container.name, start.attempt),
    hasStdin: container.stdin === true,
    isStdinOnce: container.stdinOnce === true,
    hasTty: container.tty === true,
    resources: containerResources(settings, pod, container),
    security: securityOf(settings, at, start),
    ...stopSignal(settings, container),
  };
  const fault = containerFault(spec);
  if (fault !== undefined) return { kind: "refused", message: fault };
  const { subPaths } = mounts;
  return { kind: "ok", spec, messageFile, subPaths, ...written(hosts) };
}

function securityOf(
  settings: PodSettings,
  { pod, container }: Parameters<typeof containerSpec>[1],
  start: Start,
): ContainerSecurity {
  const security = containerSecurity(pod, container, {
    image: start.image,
    isSeccompDefault: settings.isSeccompDefault,
    seccompDir: settings.seccompDir,
    maskedPaths: settings.machine.maskedPaths,
    user: start.user,
    targetId: start.targetId,
  });
  const { supplementalGroups: own } = security;
  const supplementalGroups = [
    ...own,
    ...volumeGroups(start.volumePaths, own),
  ];
  return { ...security, supplementalGroups };
}

function written(hosts: HostsResult): { readonly hosts?: HostsFile } {
  return hosts.kind === "ok" ? { hosts: hosts.file } : {};
}

/**
 * Files keep their owners inside: the ids of the pod's namespace are the
 * host's. Compat: kubelet 1.36 applyPlatformSpecificContainerConfig.
 */
function mapped(
  mounts: readonly ContainerMount[],
  user: Namespaces["user"],
): readonly ContainerMount[] {
  if (user === undefined) return mounts;
  const { uids: uidMappings, gids: gidMappings } = user;
  return mounts.map((mount) => ({ ...mount, uidMappings, gidMappings }));
}

/** Absent: the image's own. */
function stopSignal(
  { hasStopSignals }: PodSettings,
  { lifecycle }: Pick<V1Container, "lifecycle">,
): { readonly stopSignal?: string } {
  const signal = lifecycle?.stopSignal;
  return hasStopSignals && signal ? { stopSignal: signal } : {};
}

/** The kernel would refuse it anyway, after everybody had carried it. */
function tooLong(words: readonly string[]) {
  if (words.reduce((sum, { length }) => sum + length, 0) <= LONGEST_TEXT) {
    return undefined;
  }
  const message = "the command and its arguments are longer than " +
    `${LONGEST_TEXT} characters`;
  return { kind: "refused", message } as const;
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
  const path = container.terminationMessagePath || "/dev/termination-log";
  return ownFileMount(path.startsWith("/") ? path : `/${path}`, file);
}
