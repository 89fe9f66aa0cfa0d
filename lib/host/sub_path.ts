/**
 * Paths inside of volumes for single mounts of containers: making what is
 * missing, and binding what is there to a place of the agent's own, by its
 * descriptor, so that the container gets exactly what was looked at.
 * Compat: kubelet 1.36 SafeMakeDir, PrepareSafeSubpath.
 */
import type { SubPath } from "../port/host.ts";
import {
  AT_REMOVEDIR,
  cString,
  MS_BIND,
  O_CREAT,
  O_DIRECTORY,
  O_PATH,
  O_WRONLY,
  type Statx,
} from "./abi.ts";
import {
  check,
  inParent,
  makeDirectories,
  openPath,
  STRICT,
  type Trees,
} from "./beneath.ts";
import { EEXIST, ENOENT, ENOTDIR, failure, isAbsent } from "./errno.ts";
import { hostPathKind } from "./file_stat.ts";
import { openInside, openVolume } from "./inside.ts";
import type { Libc } from "./libc.ts";
import { unmountAll } from "./unmount.ts";

const DIRECTORY_MODE = 0o750;
const FILE_MODE = 0o640;

/**
 * Creates the missing directories of a path inside of a volume, with the mode
 * of the volume. What is there, wherever links lead, stays as it is.
 */
export function makeInside(libc: Libc, volume: string, path: string): void {
  const doing = `Cannot create ${path} in ${volume}`;
  // Compat: also what is outside is there; to bind it is refused then.
  const there = openVolume(libc, `${volume}/${path}`);
  if (there >= 0) return libc.closeFd(there);
  const rootFd = check(openVolume(libc, volume), doing);
  try {
    check(makeMissing(libc, rootFd, path), doing);
  } finally {
    libc.closeFd(rootFd);
  }
}

function makeMissing(libc: Libc, rootFd: number, path: string): number {
  const root = libc.stat(rootFd);
  if (typeof root === "number") return root;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  let fd = -ENOENT;
  let there = parts.length + 1;
  // From the whole path up: links may lead anywhere inside the volume.
  while (fd < 0 && isAbsent(-fd) && there > 0) {
    there--;
    fd = openInside(libc, rootFd, parts.slice(0, there).join("/") || ".");
  }
  const missing = parts.slice(there);
  for (const part of missing) {
    if (fd < 0) return fd;
    const next = makeOne(libc, { fd, part }, root.mode & 0o7777);
    libc.closeFd(fd);
    fd = next;
  }
  if (fd < 0) return fd;
  libc.closeFd(fd);
  return 0;
}

function makeOne(
  libc: Libc,
  { fd, part }: { readonly fd: number; readonly part: string },
  mode: number,
): number {
  const name = cString(part);
  const made = libc.makeDirectoryAt(fd, name, mode & 0o777);
  // Another container of the pod may have been first.
  if (made < 0 && made !== -EEXIST) return made;
  const how = { flags: O_DIRECTORY, resolve: STRICT };
  const next = libc.openAt(fd, name, how);
  if (next >= 0 && made === 0) libc.chmodFd(next, mode);
  return next;
}

/**
 * Binds what is at a path inside of a volume to the target. Success when it
 * is bound there already; what else was bound there is taken away.
 */
export async function bindInside(trees: Trees, subPath: SubPath) {
  const { libc } = trees;
  const { volume, path, target } = subPath;
  const doing = `Cannot bind ${path} in ${volume} to ${target}`;
  const rootFd = check(openVolume(libc, volume), doing);
  const fd = openInside(libc, rootFd, path);
  libc.closeFd(rootFd);
  check(fd, doing);
  try {
    await bindOpen(trees, { fd, target, doing });
  } finally {
    libc.closeFd(fd);
  }
}

interface OpenSource {
  readonly fd: number;
  readonly target: string;
  readonly doing: string;
}

async function bindOpen(trees: Trees, source: OpenSource): Promise<void> {
  const { libc } = trees;
  const { fd, target, doing } = source;
  const wanted = statOf(libc, fd, doing);
  const before = lookAt(trees, target, doing);
  if (before?.isMountRoot === true) {
    if (before.identity === wanted.identity) return;
    check(await unmountAll(trees, target), doing);
  }
  await makeTarget(trees, source, wanted);
  const targetFd = check(openPath(trees, target, O_PATH), doing);
  try {
    const [from, to] = [fd, targetFd].map((each) => `/proc/self/fd/${each}`);
    check(libc.mount(from ?? "", to ?? "", { flags: MS_BIND }), doing);
  } finally {
    libc.closeFd(targetFd);
  }
  // Invariant: the container gets what was opened, and nothing else.
  if (lookAt(trees, target, doing)?.identity === wanted.identity) return;
  await unmountAll(trees, target);
  throw failure(doing, ENOENT);
}

/** A directory for a directory, else an empty file. */
async function makeTarget(
  trees: Trees,
  { target, doing }: OpenSource,
  wanted: Statx,
): Promise<void> {
  const { libc } = trees;
  const isDirectory = hostPathKind(wanted) === "directory";
  const found = lookAt(trees, target, doing);
  if (found !== undefined) {
    const isFitting = (hostPathKind(found) === "directory") === isDirectory;
    if (isFitting) return;
    await removeOne(trees, target, doing);
  }
  if (isDirectory) {
    check(makeDirectories(trees, target, DIRECTORY_MODE), doing);
    return;
  }
  const parent = target.slice(0, target.lastIndexOf("/"));
  check(makeDirectories(trees, parent, DIRECTORY_MODE), doing);
  const made = await inParent(trees, target, ({ fd, name }) => {
    const how = { flags: O_WRONLY | O_CREAT, mode: FILE_MODE, resolve: STRICT };
    const file = libc.openAt(fd, name, how);
    if (file >= 0) libc.closeFd(file);
    return file;
  });
  check(made, doing);
}

async function removeOne(trees: Trees, path: string, doing: string) {
  const { libc } = trees;
  const gone = await inParent(trees, path, async ({ fd, name }) => {
    const plain = await libc.unlinkAt(fd, name, 0);
    return plain === 0 ? 0 : await libc.unlinkAt(fd, name, AT_REMOVEDIR);
  });
  check(gone, doing);
}

function lookAt(trees: Trees, path: string, doing: string): Statx | undefined {
  const fd = openPath(trees, path, O_PATH);
  if (fd === -ENOENT || fd === -ENOTDIR) return undefined;
  check(fd, doing);
  try {
    return statOf(trees.libc, fd, doing);
  } finally {
    trees.libc.closeFd(fd);
  }
}

function statOf(libc: Libc, fd: number, doing: string): Statx {
  const found = libc.stat(fd);
  if (typeof found === "number") throw failure(doing, -found);
  return found;
}
