/**
 * What is mounted where, from the kernel's table. Reading it takes no grant:
 * the file is opened by the C library.
 */
import { joined } from "../base/bytes.ts";
import { AT_FDCWD, cString, O_RDONLY } from "./abi.ts";
import { check } from "./beneath.ts";
import { failure } from "./errno.ts";
import type { Libc } from "./libc.ts";

const TABLE = "/proc/thread-self/mountinfo";
const CHUNK_BYTES = 64 * 1024;

export interface MountEntry {
  /** Major and minor number of the file system. */
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  readonly path: string;
  readonly isShared: boolean;
  /** `tmpfs`, `nfs4`, … */
  readonly type: string;
  /** `/dev/sda1`, `server:/export`, or any word. */
  readonly source: string;
}

/** In the order of mounting, as far as the kernel keeps it. */
export async function readMountTable(libc: Libc): Promise<MountEntry[]> {
  const doing = `Cannot read ${TABLE}`;
  const how = { flags: O_RDONLY, resolve: 0 };
  const fd = check(libc.openAt(AT_FDCWD, cString(TABLE), how), doing);
  const parts: Uint8Array[] = [];
  try {
    for (;;) {
      const bytes = new Uint8Array(CHUNK_BYTES);
      const length = await libc.read(fd, bytes);
      if (length < 0) throw failure(doing, -length);
      if (length === 0) break;
      parts.push(bytes.subarray(0, length));
    }
  } finally {
    libc.closeFd(fd);
  }
  return mountEntries(new TextDecoder("latin1").decode(joined(parts)));
}

/**
 * `36 35 98:0 /root /path rw,noatime shared:1 - ext3 /dev/x rw`; the text
 * holds bytes, one a character.
 */
export function mountEntries(text: string): MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const [, , device, root, path] = fields;
    const dash = fields.indexOf("-", 6);
    const type = fields[dash + 1];
    if (device === undefined || root === undefined || path === undefined) {
      return [];
    }
    if (dash < 0 || type === undefined) return [];
    const isShared = fields.slice(6, dash)
      .some((each) => each.startsWith("shared:"));
    const source = plain(fields[dash + 2] ?? "");
    return [{
      device,
      root: plain(root),
      path: plain(path),
      isShared,
      type,
      source,
    }];
  });
}

/** Few have it, and a table is long where many pods are. */
const ODD = /[^\x20-\x5b\x5d-\x7e]/;

/** Undoes the kernel's `\040` and reads the bytes as UTF-8. */
function plain(escaped: string): string {
  if (!ODD.test(escaped)) return escaped;
  const text = escaped.replaceAll(
    /\\([0-7]{3})/g,
    (_, octal: string) => String.fromCharCode(parseInt(octal, 8)),
  );
  const bytes = Uint8Array.from(text, (each) => each.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/** The mount that a path lies in: the innermost one, and the newest there. */
export function mountOf(
  table: readonly MountEntry[],
  path: string,
): MountEntry | undefined {
  let best: MountEntry | undefined;
  for (const each of table) {
    if (!isWithin(path, each.path)) continue;
    if (each.path.length >= (best?.path.length ?? 0)) best = each;
  }
  return best;
}

export function isWithin(path: string, directory: string): boolean {
  return path === directory || directory === "/" ||
    path.startsWith(`${directory}/`);
}

/** Where else exactly this directory or file is mounted. */
export function mountsOfSame(
  table: readonly MountEntry[],
  path: string,
): string[] {
  const home = mountOf(table, path);
  if (home === undefined) return [];
  const rest = path.slice(home.path === "/" ? 0 : home.path.length);
  const root = `${home.root === "/" ? "" : home.root}${rest}` || "/";
  return table
    .filter((each) => each.device === home.device && each.root === root)
    .map((each) => each.path)
    .filter((each) => each !== path);
}
