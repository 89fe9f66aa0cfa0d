/**
 * Types of the figures: what is measured, which the wiring tells, and what came
 * of it, which the server shows.
 */
import type { ContainerId, PodUid, SandboxId } from "../api/id.ts";
import type { FilesystemUsage } from "../port/runtime_status.ts";
import type {
  CgroupUse,
  FilesystemCounts,
  InterfaceCounts,
  MachineDisk,
} from "../port/usage.ts";

export interface MeasuredContainer {
  readonly id: ContainerId;
  readonly name: string;
  /** As the runtime names it to people. */
  readonly image: string;
  readonly startedAtMs: number;
  /** Directory of its logs. */
  readonly logDirectory: string;
}

export interface MeasuredVolume {
  readonly name: string;
  readonly path: string;
  /** `file-system`: it is one of its own, which tells what is used. */
  readonly measuredBy: "walk" | "file-system";
  /** In memory it is no use of the disk. */
  readonly medium: "disk" | "memory";
  /** Only this pod writes to it, and it goes with the pod. */
  readonly isEphemeral: boolean;
  /** Name of its claim, of the pod's own namespace. */
  readonly claim?: string;
}

/** A pod with what of it runs. */
export interface MeasuredPod {
  readonly uid: PodUid;
  readonly namespace: string;
  readonly name: string;
  /** What its containers' cgroups are below of; empty: the root. */
  readonly cgroup: string;
  /** That cgroup is the pod's alone, and so tells of the whole pod. */
  readonly hasOwnCgroup: boolean;
  readonly sandbox: SandboxId | undefined;
  readonly sandboxStartedAtMs: number | undefined;
  readonly isHostNetwork: boolean;
  /** RFC 3339; undefined until its first status. */
  readonly startTime: string | undefined;
  readonly containers: readonly MeasuredContainer[];
  readonly volumes: readonly MeasuredVolume[];
}

/** One cgroup at one moment. */
export interface Sample {
  readonly cgroup: string;
  readonly use: CgroupUse;
  /** Since the last look; undefined at the first. */
  readonly nanoCores: bigint | undefined;
}

/** Bytes and inodes that something takes. */
export interface Taken {
  readonly usedBytes: bigint;
  readonly inodes: bigint;
  readonly atMs: number;
}

export interface ContainerFigures extends Sample {
  readonly container: MeasuredContainer;
}

export interface PodFigures {
  readonly pod: MeasuredPod;
  readonly whole: Sample | undefined;
  /** The sandbox's own. */
  readonly sandbox: Sample | undefined;
  /** Empty: the runtime does not tell, or not yet. */
  readonly sandboxImage: string;
  readonly network: readonly InterfaceCounts[] | undefined;
  readonly containers: readonly ContainerFigures[];
}

export interface Figures {
  readonly atMs: number;
  readonly node: Sample;
  readonly nodeNetwork: readonly InterfaceCounts[];
  /** Empty where nobody asked for everything. */
  readonly nodeDisks: readonly MachineDisk[];
  /** All pods together; undefined where there is no such cgroup. */
  readonly allPods: Sample | undefined;
  /** All pods of one class of service, where they have a cgroup. */
  readonly classes: readonly Sample[];
  readonly pods: readonly PodFigures[];
}

/** What a summary tells besides. */
export interface DiskFigures {
  readonly atMs: number;
  readonly root: FilesystemCounts | undefined;
  readonly image: Disk | undefined;
  readonly containers: Disk | undefined;
  /** Writable layers. */
  readonly layers: ReadonlyMap<ContainerId, FilesystemUsage>;
  readonly logs: ReadonlyMap<ContainerId, Taken>;
  /** By pod, then by the volume's name. */
  readonly volumes: ReadonlyMap<PodUid, ReadonlyMap<string, VolumeTaken>>;
  readonly processes: { readonly count: bigint; readonly limit: bigint };
}

/** A file system of the runtime, and what of it is the runtime's. */
export interface Disk {
  readonly whole: FilesystemCounts;
  readonly own: FilesystemUsage;
}

/** What the logs of one container take. */
export interface LogFigures {
  readonly pod: Pick<MeasuredPod, "uid" | "namespace" | "name">;
  readonly container: string;
  readonly usedBytes: bigint;
}

/** A claim that some pod here uses. */
export interface ClaimFigures {
  readonly namespace: string;
  readonly claim: string;
  readonly whole: FilesystemCounts;
}

export interface VolumeTaken extends Taken {
  /** The file system it lies on. */
  readonly whole: FilesystemCounts | undefined;
}
