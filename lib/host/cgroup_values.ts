/**
 * Makes a cgroup and sets its values, in one hierarchy or in many. Called by
 * `cgroups.ts`. The way down is walked beneath the root of a hierarchy, so no
 * link leads out of it.
 *
 * With the systemd driver the same files are written: `cgroups.ts` tells systemd
 * as well.
 */
import { AgentError } from "../base/errors.ts";
import type { CgroupFault, CgroupValues } from "../port/cgroups.ts";
import { cString, O_DIRECTORY, O_RDONLY, O_WRONLY } from "./abi.ts";
import { STRICT } from "./beneath.ts";
import { faultOf, isForbidden, openRoot, readSmall } from "./cgroup_files.ts";
import { cgroupWrites } from "./cgroup_text.ts";
import { type Progress, writeValues } from "./cgroup_write.ts";
import { EEXIST, failure } from "./errno.ts";
import type { Libc } from "./libc.ts";

/** Compat: kubelet 1.36 getSupportedUnifiedControllers. */
const CONTROLLERS = ["cpu", "cpuset", "memory", "hugetlb", "pids"];
const CONTROLLER_FILE = "cgroup.controllers";
const SUBTREE_FILE = "cgroup.subtree_control";
const DIRECTORY = O_RDONLY | O_DIRECTORY;
const DIRECTORY_MODE = 0o755;

export interface Ask {
  readonly libc: Libc;
  /** `/sys/fs/cgroup`, as this process sees it. */
  readonly top: string;
  /** Without a slash in front. */
  readonly relative: string;
  readonly ifMissing: "make" | "leave";
}

/** What came of it. */
export interface Applied {
  readonly version: 1 | 2;
  readonly faults: readonly CgroupFault[];
  /** In one hierarchy at least. */
  readonly isThere: boolean;
  /** Something had another value before. */
  readonly isChanged: boolean;
  /** More memory is in use than the limit would allow; it is not set. */
  readonly isInUse: boolean;
}

export async function applyValues(
  ask: Ask,
  values: CgroupValues,
): Promise<Applied> {
  const version = isUnified(ask) ? 2 : 1;
  const writes = cgroupWrites(version, values);
  const trees = version === 2 ? [{ root: ask.top, own: writes }] : [
    ...new Set(writes.map((each) => each.controller)),
  ].map((controller) => ({
    root: `${ask.top}/${controller}`,
    own: writes.filter((each) => each.controller === controller),
  }));
  const progress: Progress = {
    faults: [],
    isThere: false,
    isChanged: false,
    isInUse: false,
  };
  for (const { root, own } of trees) {
    const fd = openLeaf(ask, root, progress.faults);
    if (fd === undefined) continue;
    progress.isThere = true;
    await writeValues({ ...ask, fd }, own, progress);
  }
  return { version, ...progress };
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
