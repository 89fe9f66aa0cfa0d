/**
 * Removing a whole tree that may be hostile: nothing outside it is touched,
 * no mount is crossed, no link followed, and neither depth nor size can hang
 * the agent or use up its descriptors. Goes as far as it can, then reports
 * the first failure.
 */
import { systemClock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import { Pace } from "../base/pace.ts";
import {
  AT_REMOVEDIR,
  type Bytes,
  cString,
  DT_DIR,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  type RawEntry,
  RESOLVE_NO_XDEV,
} from "./abi.ts";
import { type Place, STRICT } from "./beneath.ts";
import {
  EBUSY,
  EISDIR,
  ELOOP,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EXDEV,
  failure,
} from "./errno.ts";
import type { Libc } from "./libc.ts";

/** Deeper directories are moved up to the top of the tree first. */
const DEEPEST = 64;
/** Somebody who keeps creating files must not keep us here forever. */
const MOST_ROUNDS = 10_000;

interface Removal {
  readonly libc: Libc;
  readonly doing: string;
  readonly topFd: number;
  readonly pace: Pace;
  removed: number;
  moved: number;
  failure: AgentError | undefined;
}

/** Removes the entry at `place` and all below it. Absent is success. */
export async function removeTree(
  libc: Libc,
  place: Place,
  doing: string,
): Promise<void> {
  const plain = await libc.unlinkAt(place.fd, place.name, 0);
  if (plain === 0 || plain === -ENOENT) return;
  if (plain !== -EISDIR) throw failure(doing, -plain);
  const fd = openDirectory(libc, place.fd, place.name);
  if (fd === -ENOENT) return;
  if (fd < 0) throw blocked(doing, -fd);
  const removal: Removal = {
    libc,
    doing,
    topFd: fd,
    pace: new Pace(systemClock),
    removed: 0,
    moved: 0,
    failure: undefined,
  };
  try {
    await empty(removal, fd, 0);
  } finally {
    libc.closeFd(fd);
  }
  if (removal.failure !== undefined) throw removal.failure;
  const last = await libc.unlinkAt(place.fd, place.name, AT_REMOVEDIR);
  if (last < 0 && last !== -ENOENT) throw blocked(doing, -last);
}

async function empty(
  removal: Removal,
  fd: number,
  depth: number,
): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = removal.removed + removal.moved;
    await emptyOnce(removal, fd, depth);
    if (removal.removed + removal.moved === before) return;
  }
}

/** All entries, some at a time. What comes or moves meanwhile may be missed. */
async function emptyOnce(
  removal: Removal,
  fd: number,
  depth: number,
): Promise<void> {
  // A fresh descriptor, for the position of the old one is at the end.
  const { libc } = removal;
  const again = openDirectory(libc, fd, cString("."));
  if (again < 0) return remember(removal, again);
  try {
    for (;;) {
      const some: RawEntry[] = [];
      const more = libc.someEntries(again, some);
      if (more <= 0) return remember(removal, more);
      for (const { name, type } of some) {
        const isDirectory = type === DT_DIR;
        await removeEntry(removal, { fd, name, isDirectory }, depth);
        await removal.pace.step();
      }
    }
  } finally {
    libc.closeFd(again);
  }
}

async function removeEntry(
  removal: Removal,
  place: Place & { readonly isDirectory: boolean },
  depth: number,
): Promise<void> {
  const { libc } = removal;
  const plain = place.isDirectory
    ? -EISDIR
    : await libc.unlinkAt(place.fd, place.name, 0);
  if (plain !== -EISDIR) return settle(removal, plain);
  if (depth >= DEEPEST) {
    const path = cString(`.denolet-deep-${removal.moved++}`);
    const to = { fd: removal.topFd, path };
    return remember(removal, libc.renameAt(place.fd, place.name, to));
  }
  const fd = openDirectory(libc, place.fd, place.name);
  // Swapped for something else meanwhile: the next round meets it.
  if (fd === -ENOENT || fd === -ENOTDIR || fd === -ELOOP) return;
  if (fd < 0) return remember(removal, fd);
  try {
    await empty(removal, fd, depth + 1);
  } finally {
    libc.closeFd(fd);
  }
  const last = await libc.unlinkAt(place.fd, place.name, AT_REMOVEDIR);
  // Not empty: its own failure is remembered, or a later round sees to it.
  if (last !== -ENOTEMPTY) settle(removal, last);
}

function settle(removal: Removal, result: number): void {
  if (result < 0) remember(removal, result);
  else removal.removed++;
}

function remember(removal: Removal, result: number): void {
  if (result >= 0 || result === -ENOENT) return;
  removal.failure ??= blocked(removal.doing, -result);
}

function openDirectory(libc: Libc, dirFd: number, name: Bytes): number {
  return libc.openAt(dirFd, name, {
    flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
    resolve: STRICT | RESOLVE_NO_XDEV,
  });
}

function blocked(doing: string, errno: number): AgentError {
  if (errno !== EXDEV && errno !== EBUSY) return failure(doing, errno);
  return new AgentError(`${doing}: a mount is still inside`, {
    next: "retry",
    cause: failure(doing, errno),
  });
}
