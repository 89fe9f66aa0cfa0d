/**
 * Paths that pods name anywhere on the host. Links are followed, as the
 * kubelet does, but never the magic ones of /proc, which lead into processes.
 */
import type { HostPathKind, HostPaths } from "../port/host.ts";
import {
  AT_FDCWD,
  cString,
  O_CREAT,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import { check, makeDirectories, normalize } from "./beneath.ts";
import { failure, isAbsent } from "./errno.ts";
import { hostPathKind } from "./file_stat.ts";
import type { Libc } from "./libc.ts";

export function hostPathsOf(libc: Libc): HostPaths {
  return {
    kindOf: (path) => Promise.try(() => kindOf(libc, path)),
    makeDirectory: (path, mode) =>
      Promise.try(() => {
        // The path is its own root: a root may be reached through links.
        const trees = { libc, roots: [path], links: "refuse" } as const;
        check(makeDirectories(trees, path, mode), `Cannot create ${path}`);
      }),
    makeFile: (path, mode) => Promise.try(() => makeFile(libc, path, mode)),
  };
}

function kindOf(libc: Libc, path: string): HostPathKind | undefined {
  const doing = `Cannot look at ${path}`;
  const how = { flags: O_PATH, resolve: RESOLVE_NO_MAGICLINKS };
  const fd = libc.openAt(AT_FDCWD, cString(normalize(path)), how);
  if (fd < 0 && isAbsent(-fd)) return undefined;
  check(fd, doing);
  const found = libc.stat(fd);
  libc.closeFd(fd);
  if (typeof found === "number") throw failure(doing, -found);
  return hostPathKind(found);
}

function makeFile(libc: Libc, path: string, mode: number): void {
  const flags = O_WRONLY | O_CREAT | O_NONBLOCK;
  const how = { flags, mode, resolve: RESOLVE_NO_MAGICLINKS };
  const fd = libc.openAt(AT_FDCWD, cString(normalize(path)), how);
  libc.closeFd(check(fd, `Cannot create ${path}`));
}
