/**
 * The part of PodStatus that we project, as plain JSON (times are RFC 3339
 * text). Kept apart from client-node's classes, whose times are Date objects.
 * A field that the API server shows as null is absent here.
 */

export type PodPhase =
  | "Pending"
  | "Running"
  | "Succeeded"
  | "Failed"
  | "Unknown";

export interface WaitingState {
  readonly reason: string;
  readonly message?: string;
}

export interface TerminatedState {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly containerID?: string;
}

/** Exactly one member is present. */
export interface ContainerState {
  readonly waiting?: WaitingState;
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: TerminatedState;
}

/** Quantities by the name of the resource. */
export type Amounts = Readonly<Record<string, string>>;

export interface ResourcesJson {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}

export interface VolumeMountStatusJson {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  /** Present when `readOnly` is. */
  readonly recursiveReadOnly?: "Enabled" | "Disabled";
}

export interface ContainerUserJson {
  readonly linux?: {
    readonly uid: number;
    readonly gid: number;
    readonly supplementalGroups?: readonly number[];
  };
}

export interface ContainerStatusJson {
  readonly name: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly ready: boolean;
  /** Absent of an ephemeral container. */
  readonly started?: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  /** Once there is an instance: the requests of the spec. */
  readonly allocatedResources?: Amounts;
  /** Once there is an instance: what the runtime has set. */
  readonly resources?: ResourcesJson;
  readonly volumeMounts?: readonly VolumeMountStatusJson[];
  readonly user?: ContainerUserJson;
  readonly stopSignal?: string;
}

export interface PodConditionJson {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly lastTransitionTime: string;
  /** Of the pod that was looked at; absent for pods without a generation. */
  readonly observedGeneration?: number;
  readonly reason?: string;
  readonly message?: string;
}

export interface PodStatusJson {
  readonly observedGeneration?: number;
  readonly phase: PodPhase;
  /** Ours only; those of others stay where they are. */
  readonly conditions: readonly PodConditionJson[];
  readonly message?: string;
  readonly reason?: string;
  readonly hostIP?: string;
  readonly hostIPs?: readonly { readonly ip: string }[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly startTime?: string;
  readonly qosClass: string;
  readonly containerStatuses: readonly ContainerStatusJson[];
  /** In the order of the spec; absent where there are none. */
  readonly initContainerStatuses?: readonly ContainerStatusJson[];
  readonly ephemeralContainerStatuses?: readonly ContainerStatusJson[];
  /** Of the whole pod. */
  readonly allocatedResources?: Amounts;
  readonly resources?: ResourcesJson;
}

/** The statuses of all containers, in the order in which they start. */
export function allStatusesOf(
  status:
    | Pick<
      PodStatusJson,
      | "containerStatuses"
      | "initContainerStatuses"
      | "ephemeralContainerStatuses"
    >
    | undefined,
): readonly ContainerStatusJson[] {
  return [
    ...status?.initContainerStatuses ?? [],
    ...status?.containerStatuses ?? [],
    ...status?.ephemeralContainerStatuses ?? [],
  ];
}

type OrNull<T> = { readonly [Key in keyof T]?: T[Key] | null };

/** A condition to write; null takes a field away. */
export type PodConditionChange =
  & Pick<PodConditionJson, "type" | "status" | "lastTransitionTime">
  & OrNull<
    Pick<PodConditionJson, "observedGeneration" | "reason" | "message">
  >;

/** Maps are merged by key, everywhere. */
export type AmountsChange = Readonly<Record<string, string | null>>;

/** What a status is to be changed by; null takes a field away. */
export type PodStatusChange =
  & OrNull<
    Omit<PodStatusJson, "conditions" | "allocatedResources" | "resources">
  >
  & {
    readonly allocatedResources?: AmountsChange | null;
    readonly resources?: {
      readonly requests?: AmountsChange | null;
      readonly limits?: AmountsChange | null;
    } | null;
    /** The others stay as they are. */
    readonly conditions?: readonly PodConditionChange[];
    /** Types of conditions to take away. */
    readonly conditionsGone?: readonly string[];
  };
