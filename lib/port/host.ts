/**
 * What the inside needs from the machine it runs on. Paths are absolute and
 * already below the host root; adapters never follow a symbolic link that a
 * pod could have placed.
 */

export interface FileStat {
  readonly kind: "file" | "directory" | "symlink" | "other";
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Permission bits, set-id and sticky bits; no type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Another text whenever the content may be another (inode, size, time). */
  readonly version: string;
}

/** Who may do what with a file or directory. */
export interface Access {
  readonly mode: number;
  /** Absent: as it is. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileStat["kind"];
}

export interface Files {
  /**
   * Undefined when nothing is there. Does not follow a final link (unless the
   * implementation was made for a folder whose links the admin vouches for).
   */
  stat(path: string): Promise<FileStat | undefined>;
  /** Undefined when the directory does not exist. */
  list(path: string): Promise<readonly DirectoryEntry[] | undefined>;
  /**
   * The bytes of a regular file; undefined when it does not exist. Rejects
   * (`give-up`) when it is longer than `limitBytes` or anything but a file;
   * a pipe or device is never waited for.
   */
  read(path: string, limitBytes: number): Promise<Uint8Array | undefined>;
  /** Replaces a file in one step: a reader sees the old or the new whole. */
  replace(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /**
   * Writes a file in place, made if it is not there: who has it open, or
   * mounted, sees the new content. Rejects (`give-up`) for anything but a
   * file; no link is followed.
   */
  overwrite(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /**
   * Writes a new file, which a power cut may still take away; rejects when
   * something of that name is there.
   */
  create(path: string, bytes: Uint8Array, access: Access): Promise<void>;
  /** Sets mode and owners of a file or directory; rejects for others. */
  own(path: string, access: Access): Promise<void>;
  /** Makes sure that a file is there; an existing one keeps its content. */
  touch(path: string, mode: number): Promise<void>;
  /** Creates the directory and its parents; an existing one keeps its mode. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Makes `path` a symbolic link in one step, replacing an older link. */
  link(path: string, target: string): Promise<void>;
  /** Where a symbolic link points; undefined when there is no link. */
  readLink(path: string): Promise<string | undefined>;
  /** Removes one file, link or empty directory. Absent is success. */
  remove(path: string): Promise<void>;
  /** Removes a tree without crossing a mount or following a link. */
  removeTree(path: string): Promise<void>;
  /**
   * Yields once as soon as it watches, then after each burst of changes to
   * entries directly in `path`, and returns when `signal` aborts. Rejects
   * with an `AgentError` (`retry`) when the directory cannot be watched: it
   * does not exist yet, or was removed or moved while being watched.
   */
  watch(path: string, signal: AbortSignal): AsyncIterable<void>;
}

/** One path inside of a volume, for one mount of one container. */
export interface SubPath {
  /** The volume on the host; links on the way to it are followed. */
  readonly volume: string;
  /** Relative to the volume, without `..`. */
  readonly path: string;
  /** Where it shall be bound, below the agent's own directories. */
  readonly target: string;
}

/** How a whole volume is given to a group. */
export interface GroupAsk {
  readonly gid: number;
  /** Nobody may write: the group gets to read only. */
  readonly isReadOnly: boolean;
  /** `on-root-mismatch`: not when the volume's root is as it should be. */
  readonly policy: "always" | "on-root-mismatch";
  /** Told now and then how many entries are done. */
  readonly progress: (count: number) => void;
  readonly signal: AbortSignal;
}

export interface BindHow {
  readonly isReadOnly: boolean;
  /** As of mount(8): `noexec`, `noatime`; those that a bind cannot have go. */
  readonly options: readonly string[];
}

/** A file system of another machine. */
export interface RemoteMount {
  readonly type: "nfs";
  readonly server: string;
  /** The exported directory. */
  readonly exported: string;
  readonly options: readonly string[];
  readonly isReadOnly: boolean;
}

/** The file system of a block device: `/dev/sdb`, `ext4`. */
export interface DeviceMount extends BindHow {
  readonly device: string;
  readonly type: string;
}

/** What is mounted below the agent's own directories, and whose it is. */
export interface Mounts {
  /**
   * Mounts an empty memory file system on an existing directory, kept out of
   * swap where the kernel can. Success when it is a mount already.
   */
  mountTmpfs(
    path: string,
    options: { readonly sizeBytes?: bigint },
  ): Promise<void>;
  /**
   * Mounts a file system of huge pages on an existing directory; `give-up`
   * where the kernel has none of this size. Success when it is a mount.
   */
  mountHugePages(path: string, pageBytes: bigint): Promise<void>;
  /** On an existing directory; success when it is a mount already. */
  mountDevice(path: string, how: DeviceMount): Promise<void>;
  /**
   * Binds a directory of the host to an existing directory of ours; links on
   * the way to the source are followed. Success when it is a mount already.
   */
  bind(source: string, path: string, how: BindHow): Promise<void>;
  /** Success when it is a mount already. */
  mountRemote(
    path: string,
    remote: RemoteMount,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Makes what is mounted below a directory of ours show up in containers,
   * and the other way round: binds the directory on itself where the mount it
   * lies in is private. Success when it is so already. `left`: it stays
   * private, because a bind would hide what is already mounted inside.
   */
  share(directory: string): Promise<"shared" | "left">;
  /** Where exactly this file or directory of the host is bound besides. */
  boundAt(source: string): Promise<readonly string[]>;
  /**
   * Creates the missing directories of a path inside of a volume, with the
   * mode of the volume's root; nothing when it leads to anything. Rejects when
   * something would have to be made outside.
   */
  makeInside(volume: string, path: string): Promise<void>;
  /**
   * Binds what is at a path inside of a volume, whatever it is. Success when
   * it is bound there already; anything else that was bound at the target is
   * taken away. Rejects when the way leads out of the volume: nothing outside
   * is ever bound, whoever changes the volume meanwhile.
   */
  bindInside(subPath: SubPath): Promise<void>;
  /**
   * Gives a volume and all in it to a group. Never follows a link; other
   * work goes on meanwhile.
   */
  giveGroup(path: string, ask: GroupAsk): Promise<void>;
  /**
   * Takes away all that is mounted at exactly this path. Success when nothing
   * is; rejects with `retry` while it is in use.
   */
  unmount(path: string): Promise<void>;
  /**
   * Takes away all that is mounted below a directory, the innermost first;
   * what is mounted at the directory itself stays.
   */
  unmountBelow(directory: string): Promise<void>;
  /** False when nothing is there. */
  isMounted(path: string): Promise<boolean>;
}

export type HostPathKind =
  | "file"
  | "directory"
  | "socket"
  | "char-device"
  | "block-device"
  | "other";

/**
 * Paths anywhere on the host that a pod names. Links are followed: whoever may
 * name host paths may reach them all.
 */
export interface HostPaths {
  /** Undefined when nothing is there. */
  kindOf(path: string): Promise<HostPathKind | undefined>;
  /** With parents. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** An empty file, if none is there; its directory must be. */
  makeFile(path: string, mode: number): Promise<void>;
}

/** What of the machine decides how containers are asked for. */
export interface HostTraits {
  readonly cgroupVersion: 1 | 2;
  /** Processors that are on: `0-3,7`. */
  readonly onlineCpus: string;
  /** The kernel can limit swap for each control group. */
  readonly hasSwapLimits: boolean;
  /** 0: no swap. */
  readonly swapBytes: bigint;
  /** Memory file systems can be kept out of swap. */
  readonly hasNoSwapTmpfs: boolean;
  /** Every size of huge pages that the kernel has, smallest first. */
  readonly hugePageSizes: readonly bigint[];
  /** `6.1.0-18-amd64`. */
  readonly kernelVersion: string;
  readonly hasAppArmor: boolean;
  /** What of /sys tells about other tenants, where the machine has it. */
  readonly maskedPaths: readonly string[];
}

/** A small text file of the node, or why there is none. */
export type NodeText =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "failed"; readonly message: string };

/** Text files that the node's admin writes and pods are given parts of. */
export interface NodeTexts {
  /** As it is now: it is read again when it has changed. */
  read(path: string): NodeText;
}

export interface HostFacts {
  /** The kernel's host name. */
  hostname(): string;
  /** Cores the scheduler may use. */
  cpuCount(): number;
  memoryBytes(): bigint;
  traits(): HostTraits;
  /** Changes with each boot. */
  bootId(): Promise<string>;
  /** Of this process, what is free and kept for later; where that is known. */
  giveBackMemory(): void;
}
