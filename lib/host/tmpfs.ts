/**
 * `Mounts` on Linux. The way to a mount point is walked by `openat2`, and the
 * kernel is then told the open descriptor, so that a link which a pod placed
 * leads nowhere.
 */
import type { Mounts } from "../port/host.ts";
import { O_DIRECTORY, O_PATH } from "./abi.ts";
import { check, inParent, openPath, type Trees } from "./beneath.ts";
import { UMOUNT_NOFOLLOW } from "./abi.ts";
import { EINVAL, failure, isAbsent } from "./errno.ts";

/** More on top of each other were made by somebody else, in a loop. */
const MOST_LAYERS = 64;

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
    return Promise.try(() => {
      const doing = `Cannot mount a tmpfs at ${path}`;
      const fd = check(
        openPath(this.#trees, path, O_PATH | O_DIRECTORY),
        doing,
      );
      try {
        if (this.#isRoot(fd, doing)) return;
        check(this.#mount(fd, options.sizeBytes), doing);
      } finally {
        this.#trees.libc.closeFd(fd);
      }
    });
  }

  async unmount(path: string): Promise<void> {
    const { libc } = this.#trees;
    const doing = `Cannot unmount ${path}`;
    const done = await inParent(this.#trees, path, ({ fd, name }) => {
      const last = new TextDecoder().decode(name.subarray(0, -1));
      const target = `/proc/self/fd/${fd}/${last}`;
      for (let layer = 0; layer < MOST_LAYERS; layer++) {
        const result = libc.unmount(target, UMOUNT_NOFOLLOW);
        // EINVAL: nothing is mounted there (any more).
        if (result === -EINVAL) return 0;
        if (result < 0) return result;
      }
      return 0;
    });
    if (done < 0 && !isAbsent(-done)) throw failure(doing, -done);
  }

  isMounted(path: string): Promise<boolean> {
    return Promise.try(() => {
      const doing = `Cannot look at ${path}`;
      const fd = openPath(this.#trees, path, O_PATH | O_DIRECTORY);
      if (fd < 0 && isAbsent(-fd)) return false;
      check(fd, doing);
      try {
        return this.#isRoot(fd, doing);
      } finally {
        this.#trees.libc.closeFd(fd);
      }
    });
  }

  #isRoot(fd: number, doing: string): boolean {
    const found = this.#trees.libc.stat(fd);
    if (typeof found === "number") throw failure(doing, -found);
    return found.isMountRoot;
  }

  /** Compat: kubelet 1.36 generateTmpfsMountOptions; no flags. */
  #mount(fd: number, sizeBytes: bigint | undefined): number {
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
