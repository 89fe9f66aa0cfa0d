/**
 * Taking mounts away, below the agent's own directories only. The way to a
 * mount point is walked without following links; what a server keeps busy is
 * waited for aside and let go of in the end.
 */
import type { AgentError } from "../base/errors.ts";
import {
  AT_FDCWD,
  cString,
  MNT_DETACH,
  MNT_FORCE,
  O_PATH,
  UMOUNT_NOFOLLOW,
} from "./abi.ts";
import { check, inParent, openPath, type Trees } from "./beneath.ts";
import { EINVAL, failure, isAbsent } from "./errno.ts";
import { isWithin, readMountTable } from "./mount_table.ts";

/** More on top of each other were made by somebody else, in a loop. */
const MOST_LAYERS = 64;
/** What is mounted while we unmount is met in the next round. */
const MOST_ROUNDS = 4;

/** Zero or a negated errno; nothing mounted is success. */
export async function unmountAll(trees: Trees, path: string): Promise<number> {
  const { libc } = trees;
  return await inParent(trees, path, ({ fd, name }) => {
    const target = targetOf(fd, name);
    for (let layer = 0; layer < MOST_LAYERS; layer++) {
      const result = libc.unmount(target, UMOUNT_NOFOLLOW);
      // EINVAL: nothing is mounted there (any more).
      if (result === -EINVAL) return 0;
      if (result < 0) return result;
    }
    return 0;
  });
}

/**
 * Takes away every mount below a directory, the innermost first. Tries all of
 * them, then rejects with the first failure.
 */
export async function unmountBelow(
  trees: Trees,
  directory: string,
): Promise<void> {
  const doing = `Cannot unmount what is below ${directory}`;
  let failures: AgentError[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const mounts = await mountsBelow(trees, directory, doing);
    if (mounts.length === 0) return;
    failures = [];
    for (const { path, isRemote } of mounts) {
      const result = isRemote
        ? await unmountRemote(trees, path)
        : await unmountAll(trees, path);
      if (result < 0 && !isAbsent(-result)) {
        failures.push(failure(`Cannot unmount ${path}`, -result));
      }
    }
    if (failures.length === mounts.length) break;
  }
  if (failures[0] !== undefined) throw failures[0];
}

interface Below {
  readonly path: string;
  readonly isRemote: boolean;
}

async function mountsBelow(
  trees: Trees,
  directory: string,
  doing: string,
): Promise<Below[]> {
  const { libc } = trees;
  const fd = openPath(trees, directory, O_PATH);
  if (fd < 0 && isAbsent(-fd)) return [];
  check(fd, doing);
  // The kernel names mounts without the links that lead to our root.
  const name = libc.readLinkAt(AT_FDCWD, cString(`/proc/self/fd/${fd}`));
  libc.closeFd(fd);
  if (typeof name === "number") throw failure(doing, -name);
  const table = await readMountTable(libc);
  const found = new Map<string, Below>();
  for (const { path, type } of table) {
    if (path === name || !isWithin(path, name)) continue;
    const ours = `${directory}${path.slice(name.length)}`;
    found.set(ours, { path: ours, isRemote: type.startsWith("nfs") });
  }
  return [...found.values()].sort((a, b) => depth(b.path) - depth(a.path));
}

function depth(path: string): number {
  return path.split("/").length;
}

/**
 * Off the main thread. What a server that is away keeps is detached: it goes
 * when the kernel can let it go.
 */
async function unmountRemote(trees: Trees, path: string): Promise<number> {
  const { libc } = trees;
  return await inParent(trees, path, async ({ fd, name }) => {
    const target = targetOf(fd, name);
    const forced = MNT_FORCE | UMOUNT_NOFOLLOW;
    if (await libc.unmountAside(target, forced)) return 0;
    const detached = libc.unmount(target, MNT_DETACH | UMOUNT_NOFOLLOW);
    return detached === -EINVAL ? 0 : detached;
  });
}

function targetOf(fd: number, name: Uint8Array): string {
  const last = new TextDecoder().decode(name.subarray(0, -1));
  return `/proc/self/fd/${fd}/${last}`;
}
