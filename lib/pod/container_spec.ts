/**
 * A container as the runtime is asked for it, or why it cannot be asked for.
 * Compat: kubelet 1.36 generateContainerConfig.
 */
import { podNameOf } from "../api/pod.ts";
import { oomScoreAdj } from "../api/qos.ts";
import { cpuAndMemory } from "../api/resources.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type {
  ContainerMount,
  ContainerSpec,
  LinuxResources,
} from "../port/runtime_spec.ts";
import { type EnvContext, environment, expandAll } from "./env.ts";
import { LONGEST_TEXT } from "./env_expand.ts";
import type { PodSettings } from "./facts.ts";
import { containerAnnotations, containerLabels } from "./labels.ts";
import { volumeMounts } from "./mounts.ts";
import { containerLogFile, podDirectory } from "./paths.ts";
import {
  containerSecurity,
  type ImageUser,
  nonRootViolation,
} from "./security.ts";

/** What is known only when this very instance is about to start. */
export interface Start extends Omit<EnvContext, "nodeName"> {
  readonly attempt: number;
  readonly crashDelayMs: number;
  readonly image: ImageUser & { readonly ref: string };
  /** Volume name → host path; see lib/volume. */
  readonly volumePaths: ReadonlyMap<string, string>;
}

export type ContainerSpecResult =
  | {
    readonly kind: "ok";
    readonly spec: ContainerSpec;
    /** To be created empty, mode 0666, before the container is. */
    readonly messageFile: string;
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
  const { nodeName } = settings;
  const environ = environment(pod, container, { ...start, nodeName });
  if (environ.kind === "refused") return environ;
  const command = expandAll(container.command, environ.env);
  const args = expandAll(container.args, environ.env);
  const fault = faultIn([...command, ...args]);
  if (fault !== undefined) return { kind: "refused", message: fault };
  const mounts = volumeMounts(pod, container, start.volumePaths);
  if (mounts.kind === "refused") return mounts;
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
    mounts: [...mounts.mounts, messageMount(container, messageFile)],
    devices: [],
    cdiDevices: [],
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, start),
    logPath: containerLogFile(container.name, start.attempt),
    hasStdin: container.stdin === true,
    isStdinOnce: container.stdinOnce === true,
    hasTty: container.tty === true,
    resources: resources(settings, pod, container),
    security: containerSecurity(pod, container, {
      image: start.image,
      isSeccompDefault: settings.isSeccompDefault,
      seccompDir: settings.seccompDir,
    }),
  };
  return { kind: "ok", spec, messageFile };
}

/** What no program can be given is refused before the runtime is asked. */
function faultIn(words: readonly string[]): string | undefined {
  if (words.some((word) => word.includes("\0"))) {
    return "the command or its arguments contain a NUL byte";
  }
  const length = words.reduce((sum, word) => sum + word.length, 0);
  return length > LONGEST_TEXT
    ? `the command and its arguments are longer than ${LONGEST_TEXT} characters`
    : undefined;
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
