/**
 * Writes values into the files of one cgroup, each only where it is another.
 * Called by `cgroup_values.ts`.
 */
import type { CgroupFault } from "../port/cgroups.ts";
import { cString, O_WRONLY } from "./abi.ts";
import { STRICT } from "./beneath.ts";
import { faultOf, readSmall } from "./cgroup_files.ts";
import { type CgroupWrite, isSet } from "./cgroup_text.ts";
import { EBUSY, EINVAL, ENODEV, isAbsent } from "./errno.ts";
import type { Libc } from "./libc.ts";

/** Of either version. */
const MEMORY_LIMITS = new Set(["memory.max", "memory.limit_in_bytes"]);

/** The open cgroup. */
interface Leaf {
  readonly libc: Libc;
  readonly fd: number;
  readonly ifMissing: "make" | "leave";
}

/** What came of it so far, over all hierarchies. */
export interface Progress {
  readonly faults: CgroupFault[];
  isThere: boolean;
  isChanged: boolean;
  isInUse: boolean;
}

/** Closes the cgroup. */
export async function writeValues(
  { libc, ifMissing, fd }: Leaf,
  writes: readonly CgroupWrite[],
  progress: Progress,
): Promise<void> {
  try {
    for (const write of writes) {
      const done = await setOne(libc, fd, write);
      if (done > 0) progress.isChanged = true;
      if (done !== 0 && MEMORY_LIMITS.has(write.file)) {
        progress.isInUse = !isSetIn(libc, fd, write);
      }
      const mayLack = write.isOptional === true ||
        write.controller === "hugetlb" || ifMissing === "leave";
      if (done >= 0 || isGoneOrLacking(-done) && mayLack) continue;
      progress.faults.push(faultOf(write.file, -done));
    }
  } finally {
    libc.closeFd(fd);
  }
}

/** Above zero: it was written. */
async function setOne(
  libc: Libc,
  fd: number,
  write: CgroupWrite,
): Promise<number> {
  if (isSetIn(libc, fd, write)) return 0;
  const done = isBelowUse(libc, fd, write)
    ? -EBUSY
    : await writeText(libc, fd, write);
  if (done !== -EBUSY || write.orUseIn === undefined) return done;
  // Compat: kubelet 1.36 retrySetMemoryReserve: no further growth at least.
  const used = readSmall(libc, fd, write.orUseIn);
  if (typeof used === "number") return used;
  return await writeText(libc, fd, { ...write, text: used.trim() });
}

function isSetIn(libc: Libc, fd: number, write: CgroupWrite): boolean {
  const shown = readSmall(libc, fd, write.file);
  return typeof shown === "string" && isSet(shown, write);
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

/** The cgroup went away meanwhile, or its kernel has no such file. */
function isGoneOrLacking(errno: number): boolean {
  return isAbsent(errno) || errno === ENODEV || errno === EINVAL;
}
