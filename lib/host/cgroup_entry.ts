/**
 * Who is in a cgroup, moving in, and what of it is not there. Called by
 * `cgroups.ts`. What the kernel tells of a process is read at once, as it
 * comes from memory; a move may wait.
 * Compat: libcontainer's fs and fs2 Apply, cgroups.GetPids; kubelet 1.36
 * Validate, ensureSystemCgroups.
 */
import { joined } from "../base/bytes.ts";
import type { CgroupFault, CgroupLack } from "../port/cgroups.ts";
import { AT_FDCWD, cString, O_DIRECTORY, O_RDONLY, O_WRONLY } from "./abi.ts";
import { STRICT } from "./beneath.ts";
import { faultOf, openRoot, readSmall } from "./cgroup_files.ts";
import { type Ask, isUnified, lackOf, openLeaf } from "./cgroup_values.ts";
import { ENOENT, ESRCH } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { kernelText } from "./node_texts.ts";

/** Hierarchies of version 1 that a process is moved in. */
const MOVED_IN = [
  ...["cpuset", "devices", "memory", "cpu", "cpuacct", "pids", "blkio"],
  ...["hugetlb", "net_cls", "net_prio", "perf_event", "freezer", "rdma"],
  ...["systemd", "misc"],
];
/** Those that a cgroup has to be in. */
const NEEDED = [
  ...["cpu", "cpuacct", "cpuset", "memory", "systemd", "pids", "hugetlb"],
];
const MOUNT = "/sys/fs/cgroup";
const PROCESSES = "cgroup.procs";
const INIT = 1;
const CHUNK_BYTES = 64 * 1024;

/** `.` names the root. */
export type Place = Pick<Ask, "libc" | "top" | "relative">;

export function lack({ libc, top, relative }: Place): CgroupLack {
  const asked = isUnified({ libc, top })
    ? [""]
    : NEEDED.map((name) => `/${name}`);
  const paths: string[] = [];
  const controllers: string[] = [];
  for (const tree of asked) {
    const root = openRoot(libc, top + tree);
    if (root < 0) continue;
    const leaf = openBelow(libc, root, relative);
    if (leaf < 0) paths.push(`${MOUNT}${tree}/${relative}`);
    else {
      controllers.push(...lackOf(libc, root, leaf));
      libc.closeFd(leaf);
    }
    libc.closeFd(root);
  }
  return { paths, controllers };
}

export async function enter(
  place: Place,
  pids: readonly number[],
): Promise<readonly CgroupFault[]> {
  const { libc, top } = place;
  const known = pids.map((pid) => ({
    pid,
    text: kernelText(libc, `/proc/${pid}/cgroup`) ?? "",
  }));
  const faults: CgroupFault[] = [];
  for (const tree of isUnified(place) ? [""] : mounted(place)) {
    const away = known.filter(({ text }) =>
      pathIn(text, tree) !== place.relative
    );
    if (away.length === 0) continue;
    const root = tree === "" ? top : `${top}/${tree}`;
    const inTheWay: CgroupFault[] = [];
    const fd = openLeaf({ ...place, ifMissing: "make" }, root, inTheWay);
    // Without a controller, a process can be in it all the same.
    if (fd === undefined) {
      faults.push(...inTheWay);
      continue;
    }
    if (tree === "cpuset") inherit(place, root);
    faults.push(...await moveTo(libc, fd, away.map(({ pid }) => pid)));
  }
  return faults;
}

/** Aside: the kernel waits for all processors. Closes the cgroup. */
async function moveTo(
  libc: Libc,
  fd: number,
  pids: readonly number[],
): Promise<CgroupFault[]> {
  const how = { flags: O_WRONLY, resolve: STRICT };
  const file = libc.openAt(fd, cString(PROCESSES), how);
  libc.closeFd(fd);
  if (file < 0) return [faultOf(PROCESSES, -file)];
  const faults: CgroupFault[] = [];
  for (const pid of pids) {
    const done = await libc.write(file, new TextEncoder().encode(`${pid}`));
    if (done < 0 && done !== -ESRCH) faults.push(faultOf(PROCESSES, -done));
  }
  libc.closeFd(file);
  return faults;
}

export function processesIn(place: Place): readonly number[] {
  const { libc, top, relative } = place;
  // Compat: kubelet 1.36 GetPids, which asks this one of version 1.
  const root = openRoot(libc, top + (isUnified(place) ? "" : "/devices"));
  if (root < 0) return [];
  const leaf = openBelow(libc, root, relative);
  libc.closeFd(root);
  if (leaf < 0) return [];
  const found = readAll(libc, leaf, PROCESSES);
  libc.closeFd(leaf);
  return found.split("\n").map(Number)
    .filter((pid) => pid > INIT && !isOfKernel(libc, pid));
}

/** The hierarchies of version 1 that this machine has. */
function mounted({ libc, top }: Place): string[] {
  return MOVED_IN.filter((name) => {
    const fd = openRoot(libc, `${top}/${name}`);
    if (fd >= 0) libc.closeFd(fd);
    return fd >= 0;
  });
}

/** Where a process is: `4:memory:/a/b` → `a/b`; `.` for the root. */
export function pathIn(text: string, tree: string): string | undefined {
  for (const line of text.split("\n")) {
    const [, controllers, ...path] = line.split(":");
    const names = controllers?.split(",").map((name) =>
      name.replace(/^name=/, "")
    );
    if (names?.includes(tree) !== true) continue;
    return path.join(":").slice(1) || ".";
  }
  return undefined;
}

/**
 * A new cgroup has neither processors nor memory to run on: it gets those of
 * its parent, from the root down.
 */
function inherit({ libc, relative }: Place, root: string): void {
  let parent = openRoot(libc, root);
  for (const part of relative.split("/")) {
    const child = openBelow(libc, parent, part);
    if (child < 0) break;
    for (const name of ["cpuset.cpus", "cpuset.mems"]) {
      const own = readSmall(libc, child, name);
      const given = readSmall(libc, parent, name);
      const isEmpty = typeof own === "string" && own.trim() === "";
      if (!isEmpty || typeof given !== "string") continue;
      writeTo(libc, { fd: child, name }, given.trim());
    }
    libc.closeFd(parent);
    parent = child;
  }
  libc.closeFd(parent);
}

/** A thread of the kernel has no program. */
function isOfKernel(libc: Libc, pid: number): boolean {
  return libc.readLinkAt(AT_FDCWD, cString(`/proc/${pid}/exe`)) === -ENOENT;
}

function openBelow(libc: Libc, root: number, relative: string): number {
  return libc.openAt(root, cString(relative), {
    flags: O_RDONLY | O_DIRECTORY,
    resolve: STRICT,
  });
}

function writeTo(
  libc: Libc,
  { fd, name }: { readonly fd: number; readonly name: string },
  text: string,
): number {
  const how = { flags: O_WRONLY, resolve: STRICT };
  const file = libc.openAt(fd, cString(name), how);
  if (file < 0) return file;
  const done = libc.writeNow(file, new TextEncoder().encode(text));
  libc.closeFd(file);
  return done;
}

function readAll(libc: Libc, fd: number, name: string): string {
  const how = { flags: O_RDONLY, resolve: STRICT };
  const file = libc.openAt(fd, cString(name), how);
  if (file < 0) return "";
  const parts: Uint8Array[] = [];
  for (;;) {
    const bytes = new Uint8Array(CHUNK_BYTES);
    const length = libc.readNow(file, bytes);
    if (length <= 0) break;
    parts.push(bytes.subarray(0, length));
  }
  libc.closeFd(file);
  return new TextDecoder().decode(joined(parts));
}
