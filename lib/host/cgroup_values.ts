/**
 * Makes a cgroup and sets its values, in one hierarchy or in many. Called by
 * `cgroups.ts`. The way down is walked beneath the root of a hierarchy, so no
 * link leads out of it.
 *
 * With the systemd driver the same files are written: systemd is not told. It
 * may set a slice back to its own idea, at the latest when it makes the first
 * scope in it, so whoever keeps the tree writes again from time to time.
 */
import { AgentError } from "../base/errors.ts";
import type { CgroupFault, CgroupValues } from "../port/cgroups.ts";
import {
  AT_FDCWD,
  cString,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import { STRICT } from "./beneath.ts";
import { type CgroupWrite, cgroupWrites, isSet } from "./cgroup_text.ts";
import {
  EACCES,
  EBUSY,
  EEXIST,
  EINVAL,
  ENODEV,
  EPERM,
  EROFS,
  failure,
  isAbsent,
} from "./errno.ts";
import type { Libc } from "./libc.ts";

/** Compat: kubelet 1.36 getSupportedUnifiedControllers. */
const CONTROLLERS = ["cpu", "cpuset", "memory", "hugetlb", "pids"];
const CONTROLLER_FILE = "cgroup.controllers";
const SUBTREE_FILE = "cgroup.subtree_control";
const DIRECTORY = O_RDONLY | O_DIRECTORY;
const DIRECTORY_MODE = 0o755;
const LONGEST_TEXT = 4096;

export interface Ask {
  readonly libc: Libc;
  /** `/sys/fs/cgroup`, as this process sees it. */
  readonly top: string;
  /** Without a slash in front. */
  readonly relative: string;
  readonly ifMissing: "make" | "leave";
}

export async function applyValues(
  ask: Ask,
  values: CgroupValues,
): Promise<readonly CgroupFault[]> {
  const faults: CgroupFault[] = [];
  if (isUnified(ask)) {
    const fd = openLeaf(ask, ask.top, faults);
    if (fd === undefined) return faults;
    return [...faults, ...await set(ask, fd, cgroupWrites(2, values))];
  }
  const writes = cgroupWrites(1, values);
  for (const controller of new Set(writes.map((each) => each.controller))) {
    const own = writes.filter((each) => each.controller === controller);
    const root = `${ask.top}/${controller}`;
    const fd = openLeaf(ask, root, faults);
    if (fd !== undefined) faults.push(...await set(ask, fd, own));
  }
  return faults;
}

export function isUnified({ libc, top }: Pick<Ask, "libc" | "top">): boolean {
  const fd = openRoot(libc, top);
  if (fd < 0) throw failure(`Cannot open ${top}`, -fd);
  const found = readSmall(libc, fd, CONTROLLER_FILE);
  libc.closeFd(fd);
  return typeof found === "string";
}

/** The open cgroup, `.` for the root; undefined when there is none, and a fault tells why. */
export function openLeaf(
  ask: Ask,
  root: string,
  faults: CgroupFault[],
): number | undefined {
  const { libc, relative, ifMissing } = ask;
  const top = openRoot(libc, root);
  if (top < 0) {
    const what = root.slice(ask.top.length + 1);
    // Compat: huge pages that the kernel cannot limit are not missed.
    if (what !== "hugetlb") faults.push(faultOf(what, -top));
    return undefined;
  }
  const leaf = libc.openAt(top, cString(relative), {
    flags: DIRECTORY,
    resolve: STRICT,
  });
  const isWhole = leaf >= 0 && lackOf(libc, top, leaf).length === 0;
  if (isWhole || ifMissing === "leave") {
    libc.closeFd(top);
    return leaf < 0 ? undefined : leaf;
  }
  if (leaf >= 0) libc.closeFd(leaf);
  return walk(ask, top, faults);
}

/** Makes what is missing on the way down, and hands controllers on. */
function walk(
  { libc, relative, top }: Ask,
  root: number,
  faults: CgroupFault[],
): number | undefined {
  const available = controllersOf(libc, root);
  let fd = root;
  for (const part of relative.split("/")) {
    faults.push(...enable(libc, fd, available));
    const name = cString(part);
    const made = libc.makeDirectoryAt(fd, name, DIRECTORY_MODE);
    const how = { flags: DIRECTORY, resolve: STRICT };
    const next = made < 0 && made !== -EEXIST
      ? made
      : libc.openAt(fd, name, how);
    libc.closeFd(fd);
    if (next < 0 && isForbidden(-next)) {
      faults.push(faultOf("a new cgroup", -next));
      return undefined;
    }
    if (next < 0) {
      throw failure(`Cannot make cgroup ${top}/${relative}`, -next);
    }
    fd = next;
  }
  return fd;
}

/** Version 1 has no such files, so nothing to hand on. */
function enable(
  libc: Libc,
  fd: number,
  available: readonly string[],
): CgroupFault[] {
  if (available.length === 0) return [];
  const on = words(readSmall(libc, fd, SUBTREE_FILE));
  return available.filter((each) => !on.includes(each)).flatMap((each) => {
    // One by one: a controller that is refused shall not take others along.
    const file = libc.openAt(fd, cString(SUBTREE_FILE), {
      flags: O_WRONLY,
      resolve: STRICT,
    });
    if (file < 0) return [faultOf(`controller ${each}`, -file)];
    const done = libc.writeNow(file, new TextEncoder().encode(`+${each}`));
    libc.closeFd(file);
    return done < 0 ? [faultOf(`controller ${each}`, -done)] : [];
  });
}

/** Controllers that the root has and the leaf was not given. */
export function lackOf(
  libc: Libc,
  root: number,
  leaf: number,
): readonly string[] {
  const has = controllersOf(libc, leaf);
  return controllersOf(libc, root).filter((each) => !has.includes(each));
}

function controllersOf(libc: Libc, fd: number): readonly string[] {
  const found = words(readSmall(libc, fd, CONTROLLER_FILE));
  return CONTROLLERS.filter((each) => found.includes(each));
}

/** Closes the cgroup. */
async function set(
  ask: Ask,
  fd: number,
  writes: readonly CgroupWrite[],
): Promise<CgroupFault[]> {
  try {
    const faults: CgroupFault[] = [];
    for (const write of writes) {
      const done = await setOne(ask.libc, fd, write);
      const mayLack = write.isOptional === true ||
        write.controller === "hugetlb" || ask.ifMissing === "leave";
      if (done >= 0 || isGoneOrLacking(-done) && mayLack) continue;
      faults.push(faultOf(write.file, -done));
    }
    return faults;
  } finally {
    ask.libc.closeFd(fd);
  }
}

async function setOne(
  libc: Libc,
  fd: number,
  write: CgroupWrite,
): Promise<number> {
  const shown = readSmall(libc, fd, write.file);
  if (typeof shown === "string" && isSet(shown, write)) return 0;
  const done = isBelowUse(libc, fd, write)
    ? -EBUSY
    : await writeText(libc, fd, write);
  if (done !== -EBUSY || write.orUseIn === undefined) return done;
  // Compat: kubelet 1.36 retrySetMemoryReserve: no further growth at least.
  const used = readSmall(libc, fd, write.orUseIn);
  if (typeof used === "number") return used;
  return await writeText(libc, fd, { ...write, text: used.trim() });
}

async function writeText(
  libc: Libc,
  fd: number,
  write: CgroupWrite,
): Promise<number> {
  const file = libc.openAt(fd, cString(write.file), {
    flags: O_WRONLY,
    resolve: STRICT,
  });
  if (file < 0) return file;
  // Aside: to lower a memory limit, the kernel may have to free some first.
  const done = await libc.write(file, new TextEncoder().encode(write.text));
  libc.closeFd(file);
  return done;
}

/**
 * Version 2 would end processes to get below a new limit; version 1 refuses.
 */
function isBelowUse(libc: Libc, fd: number, write: CgroupWrite): boolean {
  if (write.file !== "memory.max") return false;
  const used = readSmall(libc, fd, "memory.current");
  return typeof used === "string" && /^\d+/.test(used) &&
    BigInt(used.trim()) > BigInt(write.text);
}

export function faultOf(what: string, errno: number): CgroupFault {
  const { message } = failure(what, errno);
  if (errno === EBUSY) return { kind: "in-use", message };
  return { kind: isForbidden(errno) ? "forbidden" : "missing", message };
}

function isForbidden(errno: number): boolean {
  return errno === EROFS || errno === EACCES || errno === EPERM;
}

/** The cgroup went away meanwhile, or its kernel has no such file. */
function isGoneOrLacking(errno: number): boolean {
  return isAbsent(errno) || errno === ENODEV || errno === EINVAL;
}

export function openRoot(libc: Libc, path: string): number {
  return libc.openAt(AT_FDCWD, cString(path), {
    flags: DIRECTORY,
    resolve: RESOLVE_NO_MAGICLINKS,
  });
}

/** A file of the kernel's, whole; a negated errno on failure. */
export function readSmall(
  libc: Libc,
  fd: number,
  name: string,
): string | number {
  const file = libc.openAt(fd, cString(name), {
    flags: O_RDONLY,
    resolve: STRICT,
  });
  if (file < 0) return file;
  const bytes = new Uint8Array(LONGEST_TEXT);
  const length = libc.readNow(file, bytes);
  libc.closeFd(file);
  if (length < 0) return length;
  return new TextDecoder().decode(bytes.subarray(0, length));
}

function words(found: string | number): readonly string[] {
  return typeof found === "string"
    ? found.split(/\s+/).filter((word) => word !== "")
    : [];
}

/** Relative to a root; refuses the root itself and what would lead out. */
export function plainRelative(cgroupPath: string): string {
  const parts = cgroupPath.split("/").filter((part) => part !== "");
  const isPlain = !parts.includes("..") && !parts.includes(".") &&
    !cgroupPath.includes("\0");
  if (parts.length > 0 && isPlain) return parts.join("/");
  throw new AgentError(
    `Cannot make cgroup ${JSON.stringify(cgroupPath)}: ` +
      "the path is empty or not plain",
    { next: "give-up" },
  );
}
