/**
 * Makes /proc and the cgroup trees visible at ordinary paths. Deno refuses
 * everything below /proc and /sys to a process with scoped permissions, but
 * not a bind mount of them at a path that was granted.
 */
import { AgentError } from "../base/errors.ts";
import {
  AT_FDCWD,
  cString,
  MNT_DETACH,
  MS_BIND,
  MS_REC,
  MS_SLAVE,
  O_DIRECTORY,
  O_PATH,
  RESOLVE_NO_MAGICLINKS,
  UMOUNT_NOFOLLOW,
} from "./abi.ts";
import { check, makeDirectories, normalize } from "./beneath.ts";
import { EINVAL, failure, isAbsent } from "./errno.ts";
import type { Libc } from "./libc.ts";

const PROC = "/proc";
const CGROUP = "/sys/fs/cgroup";
/** What the node's status tells of the machine; not every machine has them. */
const DMI = "/sys/class/dmi/id";
const HUGE_PAGES = "/sys/kernel/mm/hugepages";
const DIRECTORY_MODE = 0o755;

/** Where the bound trees are, below the agent's run directory. */
export function boundProc(runDir: string): string {
  return `${ownDirectory(runDir)}/proc`;
}

export function boundCgroup(runDir: string): string {
  return `${ownDirectory(runDir)}/cgroup`;
}

export function boundDmi(runDir: string): string {
  return `${ownDirectory(runDir)}/dmi`;
}

export function boundHugePages(runDir: string): string {
  return `${ownDirectory(runDir)}/hugepages`;
}

/**
 * Binds /proc and all of /sys/fs/cgroup below `runDir`. What a former start
 * bound is kept. Mounts made below the host's trees later show up here; ours
 * never show up there.
 */
export function bindHostTrees(libc: Libc, runDir: string): void {
  bind(libc, { source: PROC, target: boundProc(runDir), depth: 0 });
  bind(libc, { source: CGROUP, target: boundCgroup(runDir), depth: MS_REC });
  const optional = [
    { source: DMI, target: boundDmi(runDir), depth: 0 },
    { source: HUGE_PAGES, target: boundHugePages(runDir), depth: 0 },
  ];
  for (const tree of optional) {
    if (identityOf(libc, tree.source) !== undefined) bind(libc, tree);
  }
}

/** Takes the binds away again; for leaving a machine clean. */
export function unbindHostTrees(libc: Libc, runDir: string): void {
  const targets = [boundHugePages, boundDmi, boundCgroup, boundProc]
    .map((bound) => bound(runDir));
  for (const target of targets) {
    const done = libc.unmount(target, MNT_DETACH | UMOUNT_NOFOLLOW);
    // EINVAL: nothing is mounted there.
    if (done < 0 && done !== -EINVAL && !isAbsent(-done)) {
      throw failure(`Cannot unmount ${target}`, -done);
    }
  }
}

/** Below "/" the bound trees would be the host's own, and unbinding theirs. */
function ownDirectory(runDir: string): string {
  const clean = normalize(runDir === "" ? "/" : runDir);
  if (clean !== "/") return clean;
  throw new AgentError(
    `Cannot use ${JSON.stringify(runDir)} as run directory: want one below /`,
    { next: "give-up" },
  );
}

function bind(
  libc: Libc,
  tree: { source: string; target: string; depth: number },
): void {
  const { source, target, depth } = tree;
  const trees = { libc, roots: [target], links: "refuse" } as const;
  const made = makeDirectories(trees, target, DIRECTORY_MODE);
  check(made, `Cannot create ${target}`);
  if (identityOf(libc, source) === identityOf(libc, target)) return;
  const doing = `Cannot bind ${source} to ${target}`;
  const mounted = libc.mount(source, target, { flags: MS_BIND | depth });
  if (mounted < 0) {
    throw new AgentError(`${doing}; is CAP_SYS_ADMIN granted?`, {
      next: "give-up",
      cause: failure(doing, -mounted),
    });
  }
  const slave = libc.mount("none", target, { flags: MS_SLAVE | depth });
  check(slave, doing);
}

/**
 * Device and inode: equal for a tree and its bind mount. Undefined when there
 * is no such directory.
 */
function identityOf(libc: Libc, path: string): string | undefined {
  const doing = `Cannot look at ${path}`;
  const how = {
    flags: O_PATH | O_DIRECTORY,
    resolve: RESOLVE_NO_MAGICLINKS,
  };
  const fd = libc.openAt(AT_FDCWD, cString(path), how);
  if (fd < 0 && isAbsent(-fd)) return undefined;
  check(fd, doing);
  const found = libc.stat(fd);
  libc.closeFd(fd);
  if (typeof found === "number") throw failure(doing, -found);
  return found.identity;
}
