/**
 * `Mounts` on Linux. The way to a mount point is walked by `openat2`, and the
 * kernel is then told the open descriptor, so that a link which a pod placed
 * leads nowhere.
 */
import { AgentError } from "../base/errors.ts";
import type {
  BindHow,
  DeviceMount,
  GroupAsk,
  Mounts,
  RemoteMount,
  SubPath,
} from "../port/host.ts";
import {
  AT_FDCWD,
  cString,
  MS_BIND,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  O_DIRECTORY,
  O_PATH,
} from "./abi.ts";
import { check, openPath, type Trees } from "./beneath.ts";
import { EINVAL, ENODEV, failure, isAbsent } from "./errno.ts";
import { openVolume } from "./inside.ts";
import {
  isWithin,
  mountOf,
  mountsOfSame,
  readMountTable,
} from "./mount_table.ts";
import { giveGroup } from "./ownership.ts";
import { mountRemote, splitOptions } from "./remote.ts";
import { bindInside, makeInside } from "./sub_path.ts";
import { unmountAll, unmountBelow } from "./unmount.ts";

export class HostMounts implements Mounts {
  readonly #trees: Trees;
  /** Linux 6.4 and later know it. */
  #knowsNoSwap = true;

  constructor(trees: Trees) {
    this.#trees = trees;
  }

  mountTmpfs(
    path: string,
    options: { readonly sizeBytes?: bigint },
  ): Promise<void> {
    const doing = `Cannot mount a tmpfs at ${path}`;
    return this.#onDirectory(path, doing, (fd) => {
      check(this.#tmpfs(fd, options.sizeBytes), doing);
    });
  }

  mountHugePages(path: string, pageBytes: bigint): Promise<void> {
    const doing = `Cannot mount huge pages at ${path}`;
    return this.#onDirectory(path, doing, (fd) => {
      const how = {
        type: "hugetlbfs",
        flags: 0,
        data: `pagesize=${pageBytes}`,
      };
      const target = `/proc/self/fd/${fd}`;
      const done = this.#trees.libc.mount("nodev", target, how);
      if (done === -ENODEV || done === -EINVAL) {
        throw new AgentError(
          `${doing}: this kernel has no huge pages of ${pageBytes} bytes`,
          { next: "give-up", cause: failure(doing, -done) },
        );
      }
      check(done, doing);
    });
  }

  mountDevice(path: string, how: DeviceMount): Promise<void> {
    const { device, type } = how;
    const doing = `Cannot mount ${device} at ${path}`;
    return this.#onDirectory(path, doing, async (fd) => {
      const { flags, data } = splitOptions(how);
      const target = `/proc/self/fd/${fd}`;
      const options = { type, flags, data: data.join(",") };
      if (await this.#trees.libc.mountAside(device, target, options)) return;
      throw new AgentError(
        `${doing}: the kernel finds no ${type} that it can mount there`,
        { next: "retry" },
      );
    });
  }

  async bind(
    source: string,
    path: string,
    how: BindHow,
  ): Promise<void> {
    const { libc } = this.#trees;
    const doing = `Cannot bind ${source} to ${path}`;
    await this.#onDirectory(path, doing, (fd) => {
      const from = check(openVolume(libc, source), doing);
      try {
        const target = `/proc/self/fd/${fd}`;
        const origin = `/proc/self/fd/${from}`;
        check(libc.mount(origin, target, { flags: MS_BIND }), doing);
      } finally {
        libc.closeFd(from);
      }
    });
    // Also when it was bound before: we may have ended in between.
    const { flags } = splitOptions(how);
    if (flags !== 0) await this.#restrict(path, flags, doing);
  }

  async mountRemote(
    path: string,
    remote: RemoteMount,
    signal: AbortSignal,
  ): Promise<void> {
    const { server, exported } = remote;
    const doing = `Cannot mount ${server}:${exported} at ${path}`;
    await this.#onDirectory(
      path,
      doing,
      (fd) => mountRemote(this.#trees.libc, { fd, remote, doing }, signal),
    );
  }

  async share(directory: string): Promise<"shared" | "left"> {
    const { libc } = this.#trees;
    const doing = `Cannot share what is mounted below ${directory}`;
    const name = this.#plainName(directory, doing);
    const table = await readMountTable(libc);
    const home = mountOf(table, name);
    if (home?.isShared === true) return "shared";
    if (home?.path !== name) {
      // What is mounted inside would be hidden, and nobody could unmount it.
      const hasInside = table.some(({ path }) => isWithin(path, name));
      if (hasInside) return "left";
      check(libc.mount(name, name, { flags: MS_BIND | MS_REC }), doing);
    }
    check(libc.mount("none", name, { flags: MS_SHARED | MS_REC }), doing);
    return "shared";
  }

  async boundAt(source: string): Promise<readonly string[]> {
    const name = this.#plainName(source, `Cannot look at ${source}`);
    return mountsOfSame(await readMountTable(this.#trees.libc), name);
  }

  makeInside(volume: string, path: string): Promise<void> {
    return Promise.try(() => makeInside(this.#trees.libc, volume, path));
  }

  bindInside(subPath: SubPath): Promise<void> {
    return bindInside(this.#trees, subPath);
  }

  giveGroup(path: string, ask: GroupAsk): Promise<void> {
    return giveGroup(this.#trees, path, ask);
  }

  async unmount(path: string): Promise<void> {
    const done = await unmountAll(this.#trees, path);
    if (done < 0 && !isAbsent(-done)) {
      throw failure(`Cannot unmount ${path}`, -done);
    }
  }

  unmountBelow(directory: string): Promise<void> {
    return unmountBelow(this.#trees, directory);
  }

  isMounted(path: string): Promise<boolean> {
    return Promise.try(() => {
      const doing = `Cannot look at ${path}`;
      const fd = openPath(this.#trees, path, O_PATH);
      if (fd < 0 && isAbsent(-fd)) return false;
      check(fd, doing);
      try {
        return this.#isRoot(fd, doing);
      } finally {
        this.#trees.libc.closeFd(fd);
      }
    });
  }

  /** As the kernel names it: without links. */
  #plainName(path: string, doing: string): string {
    const { libc } = this.#trees;
    const fd = check(openVolume(libc, path), doing);
    const name = libc.readLinkAt(AT_FDCWD, cString(`/proc/self/fd/${fd}`));
    libc.closeFd(fd);
    if (typeof name === "number") throw failure(doing, -name);
    return name;
  }

  /** Runs `mount` on an open directory that is no mount yet. */
  async #onDirectory(
    path: string,
    doing: string,
    mount: (fd: number) => void | Promise<void>,
  ): Promise<void> {
    const fd = check(openPath(this.#trees, path, O_PATH | O_DIRECTORY), doing);
    try {
      if (!this.#isRoot(fd, doing)) await mount(fd);
    } finally {
      this.#trees.libc.closeFd(fd);
    }
  }

  #isRoot(fd: number, doing: string): boolean {
    const found = this.#trees.libc.stat(fd);
    if (typeof found === "number") throw failure(doing, -found);
    return found.isMountRoot;
  }

  /** A bind takes no flags, so it is changed after; or it is not kept. */
  async #restrict(path: string, flags: number, doing: string): Promise<void> {
    const { libc } = this.#trees;
    const fd = check(openPath(this.#trees, path, O_PATH), doing);
    const how = { flags: MS_BIND | MS_REMOUNT | flags };
    const done = libc.mount("none", `/proc/self/fd/${fd}`, how);
    libc.closeFd(fd);
    if (done < 0) await unmountAll(this.#trees, path);
    check(done, doing);
  }

  /** Compat: kubelet 1.36 generateTmpfsMountOptions; no flags. */
  #tmpfs(fd: number, sizeBytes: bigint | undefined): number {
    const { libc } = this.#trees;
    const size = sizeBytes === undefined || sizeBytes <= 0n
      ? []
      : [`size=${sizeBytes}`];
    const mount = (options: readonly string[]) =>
      libc.mount("tmpfs", `/proc/self/fd/${fd}`, {
        type: "tmpfs",
        flags: 0,
        data: options.join(","),
      });
    if (!this.#knowsNoSwap) return mount(size);
    const mounted = mount([...size, "noswap"]);
    if (mounted !== -EINVAL) return mounted;
    const plain = mount(size);
    this.#knowsNoSwap = plain < 0;
    return plain;
  }
}
