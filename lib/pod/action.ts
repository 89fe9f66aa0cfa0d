/**
 * What a pass may do to the world: a closed union of plain values. The
 * executor (`sync/apply.ts`) is total over it by type.
 */
import type { ContainerId, SandboxId } from "../api/id.ts";
import type {
  V1Container,
  V1Pod,
  V1ResourceRequirements,
} from "../api/types.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { SubPath } from "../port/host.ts";
import type { PullPolicy } from "../image/types.ts";
import type { ContainerSpec, SandboxSpec } from "../port/runtime_spec.ts";
import type { Hook } from "./hook.ts";
import type { LowerLimits, ResizeStep } from "./resize_step.ts";

export interface ContainerToStop {
  readonly id: ContainerId;
  readonly name: string;
  /** From now on; without any there is no hook and no order. */
  readonly graceSeconds: number;
  /** The event text: `Stopping container web`. */
  readonly message: string;
  /** Epoch milliseconds; absent: the grace, from now on. */
  readonly killAtMs?: number;
  readonly preStop?: Hook;
  /** Those that end before it, as long as the grace allows. */
  readonly after?: readonly ContainerId[];
}

/** What is run once a container has started, and its end if that fails. */
export interface PostStart {
  readonly hook: Hook;
  readonly stop: Omit<ContainerToStop, "id">;
}

/** A path inside of a volume to bind before the container is created. */
export interface SubPathMount extends SubPath {
  /** As the pod names the volume. */
  readonly volumeName: string;
}

export type Action =
  /** Only asks; the image runner wakes the pod when it knows. */
  | {
    readonly kind: "ensure-image";
    readonly container: string;
    readonly image: string;
    readonly policy: PullPolicy;
    /** For which it is pulled; absent: not known. */
    readonly sandbox?: SandboxSpec;
  }
  /** Only asks; the volume runner wakes the pod when it knows. */
  | { readonly kind: "ensure-volumes"; readonly pod: V1Pod }
  /** Only asks; the reference runner wakes the pod when it knows. */
  | {
    readonly kind: "ensure-references";
    readonly pod: V1Pod;
    readonly container: V1Container;
    /** Volume name → host path, for variables that are read from files. */
    readonly volumePaths: ReadonlyMap<string, string>;
  }
  /** Unmounts them and lets go of what is in them. */
  | { readonly kind: "release-volumes" }
  | {
    readonly kind: "make-pod-files";
    readonly directories: readonly {
      readonly path: string;
      readonly mode: number;
    }[];
    readonly files: readonly {
      readonly path: string;
      readonly text: string;
      readonly mode: number;
    }[];
  }
  /** With its values, before the runtime puts anything into it. */
  | {
    readonly kind: "make-cgroup";
    readonly path: string;
    readonly values: CgroupValues;
    /** Given for the pod as a whole, to be written down. */
    readonly given?: V1ResourceRequirements;
  }
  /** Gives what runs more or less, one step after the other. */
  | {
    readonly kind: "resize-pod";
    readonly sandboxId: SandboxId;
    readonly lower: LowerLimits;
    readonly steps: readonly ResizeStep[];
  }
  | { readonly kind: "run-sandbox"; readonly spec: SandboxSpec }
  /** There is no sandbox to ask for, and why; fails as its creation would. */
  | { readonly kind: "refuse-sandbox"; readonly message: string }
  /** Gives the pod ids of its own for its user namespace, and keeps them. */
  | { readonly kind: "allocate-user-ids" }
  | {
    readonly kind: "start-container";
    readonly sandboxId: SandboxId;
    readonly sandbox: SandboxSpec;
    readonly container: ContainerSpec;
    /** Directory to create before, and the link for log collectors. */
    readonly log: LogPlace;
    readonly messageFile: string;
    /** The resources it is made with, to be written down. */
    readonly given: V1ResourceRequirements;
    readonly subPaths: readonly SubPathMount[];
    /** Images it mounts, as the image runner knows them. */
    readonly imageVolumes: readonly string[];
    readonly postStart?: PostStart;
    /** The pod's /etc/hosts, written in place at each start. */
    readonly hosts?: { readonly path: string; readonly text: string };
  }
  /** A container that was created when the agent died, but not started. */
  | {
    readonly kind: "start-created-container";
    readonly id: ContainerId;
    readonly name: string;
    readonly log: LogPlace;
    readonly postStart?: PostStart;
  }
  /** Only orders; the pod is woken as they end, or fail to. */
  | {
    readonly kind: "stop-containers";
    readonly containers: readonly ContainerToStop[];
  }
  | { readonly kind: "stop-sandbox"; readonly id: SandboxId }
  | { readonly kind: "remove-sandbox"; readonly id: SandboxId }
  | {
    readonly kind: "remove-container";
    readonly id: ContainerId;
    readonly name: string;
    /** Its log file and its link; absent: they stay. */
    readonly log?: { readonly file: string; readonly link: string };
  }
  | {
    readonly kind: "remove-pod-files";
    readonly trees: readonly string[];
    readonly links: readonly string[];
  }
  | { readonly kind: "remove-cgroup"; readonly path: string }
  /** Says something dated in the ledger; changes nothing. */
  | {
    readonly kind: "note";
    readonly type: "Normal" | "Warning";
    readonly reason: string;
    readonly message: string;
    /** What the node is told to have at the same time. */
    readonly ofNode?: string;
  };

export interface LogPlace {
  readonly directory: string;
  readonly file: string;
  /** Without the container's id, which is known only after creation. */
  readonly linkPrefix: string;
}

/** The one thing that a pod waits for, for `denolet explain`. */
export interface Blocker {
  /** `image`, `crash-loop`, `sandbox`, … */
  readonly what: string;
  readonly message: string;
  /** When it will be tried again by itself; undefined: on a change only. */
  readonly untilMs?: number;
  readonly count?: number;
}

/** The same stops, for a reason that their event tells. */
export function saying(message: string, actions: readonly Action[]): Action[] {
  return actions.map((action) =>
    action.kind === "stop-containers"
      ? {
        ...action,
        containers: action.containers.map((each) => ({ ...each, message })),
      }
      : action
  );
}
