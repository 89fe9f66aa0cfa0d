/**
 * The steps of a resize, as `resize_steps.ts` orders them and
 * `sync/resize_pod.ts` takes them.
 */
import type { ContainerId } from "../api/id.ts";
import type { V1ResourceRequirements } from "../api/types.ts";
import type { CgroupValues } from "../port/cgroups.ts";
import type { LinuxResources, SandboxSpec } from "../port/runtime_spec.ts";

export type ResizeStep =
  /** The runtime is told first: it may refuse. */
  | {
    readonly kind: "cgroup";
    readonly resource: "memory" | "cpu";
    readonly path: string;
    readonly values: CgroupValues;
    readonly sandbox: Pick<SandboxSpec, "resources" | "overhead">;
  }
  | {
    readonly kind: "container";
    readonly id: ContainerId;
    readonly name: string;
    readonly resources: LinuxResources;
    /** What it has then, to be written down. */
    readonly given: V1ResourceRequirements;
  }
  /** Written down only: what is given for the pod as a whole has been set. */
  | { readonly kind: "pod"; readonly given: V1ResourceRequirements };

/** Memory limits that become less: nothing may use more by then. */
export interface LowerLimits {
  readonly podBytes: bigint | undefined;
  /** By container. */
  readonly containerBytes: ReadonlyMap<string, bigint>;
}
