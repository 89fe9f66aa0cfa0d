/**
 * The entries of an open directory, some at a time, so that a huge one holds
 * up nobody. Called by files.ts.
 */
import { systemClock } from "../base/clock.ts";
import { Pace } from "../base/pace.ts";
import type { DirectoryEntry, FileStat } from "../port/host.ts";
import { type Bytes, O_NOFOLLOW, O_PATH, type RawEntry } from "./abi.ts";
import { check, STRICT } from "./beneath.ts";
import { fileStat, kindFrom } from "./file_stat.ts";
import type { Libc } from "./libc.ts";

export async function entriesOf(
  libc: Libc,
  fd: number,
  doing: string,
): Promise<readonly DirectoryEntry[]> {
  const decoder = new TextDecoder();
  const pace = new Pace(systemClock);
  const found: DirectoryEntry[] = [];
  for (;;) {
    const some: RawEntry[] = [];
    if (check(libc.someEntries(fd, some), doing) === 0) return found;
    for (const { name, type } of some) {
      // Not every file system tells the kind here.
      const kind = type === 0 ? kindOf(libc, fd, name) : kindFrom(type);
      found.push({ name: decoder.decode(name.subarray(0, -1)), kind });
    }
    await pace.step();
  }
}

function kindOf(libc: Libc, dirFd: number, name: Bytes): FileStat["kind"] {
  const how = { flags: O_PATH | O_NOFOLLOW, resolve: STRICT };
  const fd = libc.openAt(dirFd, name, how);
  if (fd < 0) return "other";
  const found = libc.stat(fd);
  libc.closeFd(fd);
  return typeof found === "number" ? "other" : fileStat(found).kind;
}
