/**
 * The Linux ABI as far as we use it: flags, call numbers, the layout of the
 * structures that cross it. Pure; `libc.ts` makes the calls.
 */
import { AgentError } from "../base/errors.ts";

export const AT_FDCWD = -100;
export const AT_REMOVEDIR = 0x200;

export const O_RDONLY = 0o0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const O_NOCTTY = 0o400;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const O_PATH = 0o10000000;

export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;

export const SEEK_END = 2;
export const POLLIN = 0x1;
export const POLLPRI = 0x2;
const POLL_BYTES = 8;

/** An owner that stays as it is. */
export const NOBODY = 0xffff_ffff;

export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_REMOUNT = 0x20;
export const MS_DIRSYNC = 0x80;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_SLAVE = 0x80000;
export const MS_SHARED = 0x100000;
export const MS_RELATIME = 0x200000;
export const MS_STRICTATIME = 0x1000000;
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

export const IN_ATTRIB = 0x4;
export const IN_CLOSE_WRITE = 0x8;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
export const IN_MOVE_SELF = 0x800;
export const IN_IGNORED = 0x8000;
export const IN_ONLYDIR = 0x1000000;

export const AT_EMPTY_PATH = 0x1000n;
export const STATX_BASIC_STATS = 0x7ffn;
/** The root of a mount; told since Linux 5.8. */
export const STATX_ATTR_MOUNT_ROOT = 0x2000n;
export const STATX_BYTES = 256;
export const HOW_BYTES = 24;
const INOTIFY_HEAD_BYTES = 16;
export const DIRENT_BYTES = 32 * 1024;

/** What differs between the two architectures we run on. */
const MACHINES = {
  x86_64: {
    openat2: 437n,
    statx: 332n,
    getdents64: 217n,
    O_DIRECTORY: 0o200000,
    O_NOFOLLOW: 0o400000,
  },
  aarch64: {
    openat2: 437n,
    statx: 291n,
    getdents64: 61n,
    O_DIRECTORY: 0o40000,
    O_NOFOLLOW: 0o100000,
  },
} as const;

export const MACHINE = MACHINES[Deno.build.arch];
export const O_DIRECTORY = MACHINE.O_DIRECTORY;
export const O_NOFOLLOW = MACHINE.O_NOFOLLOW;

/** Calls that are young enough to have one number everywhere. */
export const SYS_FSOPEN = 430n;
export const SYS_FSCONFIG = 431n;
export const FSCONFIG_SET_FLAG = 0n;

export type Bytes = Uint8Array<ArrayBuffer>;

export interface OpenHow {
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: number;
}

export interface MountHow {
  readonly flags: number;
  /** `none` when absent, as for binds. */
  readonly type?: string;
  /** Options of the file system, joined by commas. */
  readonly data?: string;
}

/** What `statx` tells; `mode` includes the type bits. */
export interface Statx {
  readonly mode: number;
  readonly sizeBytes: number;
  /** What it takes on its file system. */
  readonly usedBytes: bigint;
  readonly links: number;
  readonly modifiedAtMs: number;
  readonly uid: number;
  readonly gid: number;
  readonly isMountRoot: boolean;
  /** Device number and inode. */
  readonly identity: string;
  /** Changes with the identity, the size and the inode's change time. */
  readonly version: string;
}

const STATX_BLOCK_BYTES = 512n;

/** One entry of a directory, its name as the kernel's NUL-ended bytes. */
/** The type of directories. */
export const DT_DIR = 4;

export interface RawEntry {
  readonly name: Bytes;
  /** The `DT_…` type; 0 when the file system does not say. */
  readonly type: number;
}

/** A string as C takes it. A NUL inside would silently shorten the path. */
export function cString(text: string): Bytes {
  if (text.includes("\0")) {
    throw new AgentError(`Cannot use path ${JSON.stringify(text)}: has a NUL`, {
      next: "give-up",
    });
  }
  return new TextEncoder().encode(`${text}\0`);
}

/** The kernel's `struct pollfd`, one after the other. */
export function pollBytes(
  polls: readonly { readonly fd: number; readonly events: number }[],
): Bytes {
  const bytes = new Uint8Array(polls.length * POLL_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [at, { fd, events }] of polls.entries()) {
    view.setInt32(at * POLL_BYTES, fd, true);
    view.setInt16(at * POLL_BYTES + 4, events, true);
  }
  return bytes;
}

/** The kernel's `struct open_how`. */
export function howBytes(how: OpenHow): Bytes {
  const bytes = new Uint8Array(HOW_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(how.flags | O_CLOEXEC), true);
  view.setBigUint64(8, BigInt(how.mode ?? 0), true);
  view.setBigUint64(16, BigInt(how.resolve), true);
  return bytes;
}

/** Reads the kernel's `struct statx`. */
export function statxFrom(view: DataView): Statx {
  const identity = `${view.getUint32(136, true)}:${view.getUint32(140, true)}` +
    `:${view.getBigUint64(32, true)}`;
  const size = view.getBigUint64(40, true);
  const changed = `${view.getBigInt64(96, true)}.${view.getUint32(104, true)}`;
  return {
    mode: view.getUint16(28, true),
    sizeBytes: Number(size),
    usedBytes: view.getBigUint64(48, true) * STATX_BLOCK_BYTES,
    links: view.getUint32(16, true),
    modifiedAtMs: Number(view.getBigInt64(112, true)) * 1000 +
      Math.floor(view.getUint32(120, true) / 1e6),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    isMountRoot: (view.getBigUint64(8, true) & STATX_ATTR_MOUNT_ROOT) !== 0n,
    identity,
    version: `${identity}:${size}:${changed}`,
  };
}

/** Reads the kernel's `linux_dirent64` records; skips `.` and `..`. */
export function collectEntries(bytes: Bytes, into: RawEntry[]): void {
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint16(at + 16, true);
    const end = bytes.indexOf(0, at + 19) + 1;
    const name = bytes.slice(at + 19, end);
    const isDot = name[0] === 0x2e &&
      (name.length === 2 || (name.length === 3 && name[1] === 0x2e));
    if (!isDot) into.push({ name, type: view.getUint8(at + 18) });
    at += length;
  }
}

/** The masks of the kernel's `inotify_event` records, all in one. */
export function inotifyMask(bytes: Bytes): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let mask = 0;
  for (let at = 0; at < bytes.length;) {
    mask |= view.getUint32(at + 4, true);
    at += INOTIFY_HEAD_BYTES + view.getUint32(at + 12, true);
  }
  return mask;
}
