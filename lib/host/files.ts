/**
 * `Files` on Linux. Every call walks down from one of our own directories by
 * `openat2` and works on descriptors, so that a link or a rename that a pod
 * plays underneath is refused, not followed.
 */
import { entriesOf } from "./directory.ts";
import { fileStat } from "./file_stat.ts";
import { readAll, refuseUnlessFile, setAccess, writeAll } from "./transfer.ts";
import { AgentError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import type { Access, DirectoryEntry, Files, FileStat } from "../port/host.ts";
import {
  AT_REMOVEDIR,
  type Bytes,
  cString,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  type Statx,
} from "./abi.ts";
import {
  check,
  inParent,
  makeDirectories,
  normalize,
  openPath,
  type Place,
  STRICT,
  type Trees,
} from "./beneath.ts";
import { EISDIR, ENOENT, EPERM, failure, isAbsent } from "./errno.ts";
import { removeTree } from "./remove_tree.ts";
import { watchDirectory } from "./watch.ts";

export class HostFiles implements Files {
  readonly #trees: Trees;

  constructor(trees: Trees) {
    this.#trees = trees;
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#withFd(path, O_PATH | this.#lastLink(), (fd) => {
      return fileStat(this.#statFd(fd, `Cannot stat ${path}`));
    });
  }

  list(path: string): Promise<readonly DirectoryEntry[] | undefined> {
    const doing = `Cannot list ${path}`;
    return this.#withFd(path, O_RDONLY | O_DIRECTORY, (fd) => {
      return entriesOf(this.#trees.libc, fd, doing);
    });
  }

  async read(
    path: string,
    limitBytes: number,
  ): Promise<Uint8Array | undefined> {
    // A look without opening first: to open a device may set it going.
    const found = await this.stat(path);
    if (found === undefined) return undefined;
    refuseUnlessFile(path, found, limitBytes);
    const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | this.#lastLink();
    return this.#withFd(path, flags, async (fd) => {
      const now = fileStat(this.#statFd(fd, `Cannot stat ${path}`));
      refuseUnlessFile(path, now, limitBytes);
      return await readAll(this.#trees.libc, fd, { path, limitBytes, now });
    });
  }

  async replace(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    await this.#inParent(`Cannot write ${path}`, path, async (place, doing) => {
      const temporary = temporaryName();
      const how = {
        flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
        mode: 0o600,
        resolve: STRICT,
      };
      const { libc } = this.#trees;
      const fd = check(libc.openAt(place.fd, temporary, how), doing);
      try {
        await writeAll(libc, fd, { bytes, doing });
        check(libc.chmodFd(fd, mode), doing);
        check(await libc.fsync(fd), doing);
        check(libc.renameAt(place.fd, temporary, asTarget(place)), doing);
      } catch (error) {
        await libc.unlinkAt(place.fd, temporary, 0);
        throw error;
      } finally {
        libc.closeFd(fd);
      }
      await this.#syncDirectory(place);
    });
  }

  async create(path: string, bytes: Uint8Array, access: Access): Promise<void> {
    await this.#inParent(`Cannot write ${path}`, path, async (place, doing) => {
      const { libc } = this.#trees;
      const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
      const how = { flags, mode: 0o600, resolve: STRICT };
      const fd = check(libc.openAt(place.fd, place.name, how), doing);
      try {
        await writeAll(libc, fd, { bytes, doing });
        setAccess(libc, fd, { access, doing });
      } catch (error) {
        await libc.unlinkAt(place.fd, place.name, 0);
        throw error;
      } finally {
        libc.closeFd(fd);
      }
    });
  }

  async own(path: string, access: Access): Promise<void> {
    const doing = `Cannot own ${path}`;
    const kind = (await this.stat(path))?.kind;
    if (kind !== "file" && kind !== "directory") {
      throw new AgentError(`${doing}: ${kind ?? "nothing"} is there`, {
        next: "give-up",
      });
    }
    const flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW;
    await this.#withFd(path, flags, (fd) => {
      setAccess(this.#trees.libc, fd, { access, doing });
    });
  }

  async touch(path: string, mode: number): Promise<void> {
    await this.#inParent(`Cannot create ${path}`, path, (place, doing) => {
      const { libc } = this.#trees;
      const flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
      const how = { flags, mode, resolve: STRICT };
      const fd = check(libc.openAt(place.fd, place.name, how), doing);
      const changed = libc.chmodFd(fd, mode);
      libc.closeFd(fd);
      check(changed, doing);
      return Promise.resolve();
    });
  }

  async overwrite(
    path: string,
    bytes: Uint8Array,
    mode: number,
  ): Promise<void> {
    await this.#inParent(`Cannot write ${path}`, path, async (place, doing) => {
      const { libc } = this.#trees;
      const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
      const how = { flags, mode, resolve: STRICT };
      const fd = check(await libc.openToCut(place.fd, place.name, how), doing);
      try {
        refuseUnlessFile(path, fileStat(this.#statFd(fd, doing)), Infinity);
        await writeAll(libc, fd, { bytes, doing });
        check(libc.chmodFd(fd, mode), doing);
      } finally {
        libc.closeFd(fd);
      }
    });
  }

  makeDirectory(path: string, mode: number): Promise<void> {
    return Promise.try(() => {
      check(makeDirectories(this.#trees, path, mode), `Cannot create ${path}`);
    });
  }

  async link(path: string, target: string): Promise<void> {
    await this.#inParent(`Cannot link ${path}`, path, async (place, doing) => {
      const { libc } = this.#trees;
      const temporary = temporaryName();
      const goal = cString(target);
      check(libc.symlinkAt(goal, place.fd, temporary), doing);
      const moved = libc.renameAt(place.fd, temporary, asTarget(place));
      if (moved < 0) await libc.unlinkAt(place.fd, temporary, 0);
      check(moved, doing);
    });
  }

  async readLink(path: string): Promise<string | undefined> {
    const target = await inParent(this.#trees, path, ({ fd, name }) => {
      return this.#trees.libc.readLinkAt(fd, name);
    });
    // Anything but a link says EINVAL here, which is no link either.
    return typeof target === "string" ? target : undefined;
  }

  async remove(path: string): Promise<void> {
    const { libc } = this.#trees;
    const removed = await inParent(this.#trees, path, async ({ fd, name }) => {
      const result = await libc.unlinkAt(fd, name, 0);
      const isDirectory = result === -EISDIR || result === -EPERM;
      return isDirectory ? await libc.unlinkAt(fd, name, AT_REMOVEDIR) : result;
    });
    if (removed < 0 && !isAbsent(-removed)) {
      throw failure(`Cannot remove ${path}`, -removed);
    }
  }

  async removeTree(path: string): Promise<void> {
    const doing = `Cannot remove tree ${path}`;
    const done = await inParent(
      this.#trees,
      path,
      (place) => removeTree(this.#trees.libc, place, doing),
    );
    if (typeof done === "number" && !isAbsent(-done)) {
      throw failure(doing, -done);
    }
  }

  watch(path: string, signal: AbortSignal): AsyncIterable<void> {
    return watchDirectory(this.#trees.libc, normalize(path), signal);
  }

  #lastLink(): number {
    return this.#trees.links === "follow" ? 0 : O_NOFOLLOW;
  }

  async #withFd<T>(
    path: string,
    flags: number,
    work: (fd: number) => T | Promise<T>,
  ): Promise<T | undefined> {
    const fd = openPath(this.#trees, path, flags);
    if (fd < 0 && isAbsent(-fd)) return undefined;
    check(fd, `Cannot open ${path}`);
    try {
      return await work(fd);
    } finally {
      this.#trees.libc.closeFd(fd);
    }
  }

  async #inParent(
    doing: string,
    path: string,
    work: (place: Place, doing: string) => void | Promise<void>,
  ): Promise<void> {
    const done = await inParent(
      this.#trees,
      path,
      (place) => work(place, doing),
    );
    // An absent parent is a failure here, not the wanted state.
    if (done === -ENOENT) {
      throw new AgentError(`${doing}: no such directory`, { next: "retry" });
    }
    if (typeof done === "number") throw failure(doing, -done);
  }

  #statFd(fd: number, doing: string): Statx {
    const found = this.#trees.libc.stat(fd);
    if (typeof found === "number") throw failure(doing, -found);
    return found;
  }

  /** Makes a rename outlive a power cut. */
  async #syncDirectory(place: Place): Promise<void> {
    const { libc } = this.#trees;
    const how = { flags: O_RDONLY | O_DIRECTORY, resolve: STRICT };
    const fd = libc.openAt(place.fd, cString("."), how);
    if (fd < 0) return;
    await libc.fsync(fd);
    libc.closeFd(fd);
  }
}

function asTarget(place: Place): { fd: number; path: Bytes } {
  return { fd: place.fd, path: place.name };
}

/** Starts with a dot, so that no reader of a manifest folder takes it. */
function temporaryName(): Bytes {
  return cString(`.denolet-${systemRandom.hex(12)}`);
}
