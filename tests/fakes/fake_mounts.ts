/** Memory file systems over a `FakeFiles`, and host paths of any kind. */
import { AgentError } from "../../lib/base/errors.ts";
import type { HostPathKind, HostPaths, Mounts } from "../../lib/port/host.ts";
import type { FakeFiles } from "./fake_host.ts";

export class FakeMounts implements Mounts {
  readonly #files: FakeFiles;
  readonly #root: string;
  /** What is mounted, and how large it may grow; 0: no bound. */
  readonly sizes = new Map<string, bigint>();
  /** Paths that cannot be unmounted, because somebody works there. */
  readonly busy = new Set<string>();

  constructor(files: FakeFiles, root: string) {
    this.#files = files;
    this.#root = root;
  }

  async mountTmpfs(
    path: string,
    options: { readonly sizeBytes?: bigint },
  ): Promise<void> {
    this.#refuse(path);
    const found = await this.#files.stat(path);
    if (found === undefined) {
      throw new AgentError(`Cannot mount ${path}: nothing is there`, {
        next: "already-so",
      });
    }
    if (found.kind !== "directory") throw refusal(path);
    if (this.sizes.has(path)) return;
    this.sizes.set(path, options.sizeBytes ?? 0n);
  }

  unmount(path: string): Promise<void> {
    return Promise.try(async () => {
      this.#refuse(path);
      if (this.busy.has(path)) {
        throw new AgentError(`Cannot unmount ${path}: in use`, {
          next: "retry",
        });
      }
      if (!this.sizes.delete(path)) return;
      for (const { name } of await this.#files.list(path) ?? []) {
        this.#files.take(`${path}/${name}`);
      }
    });
  }

  isMounted(path: string): Promise<boolean> {
    return Promise.try(() => {
      this.#refuse(path);
      return this.sizes.has(path);
    });
  }

  #refuse(path: string): void {
    const isBelow = path.startsWith(`${this.#root}/`);
    if (!isBelow || path.includes("..")) throw refusal(path);
  }
}

function refusal(path: string): AgentError {
  return new AgentError(`Cannot use ${path}: not a directory of ours`, {
    next: "give-up",
  });
}

/** Host paths by name; a test puts what it likes. */
export class FakeHostPaths implements HostPaths {
  readonly kinds = new Map<string, HostPathKind>();

  kindOf(path: string): Promise<HostPathKind | undefined> {
    return Promise.resolve(this.kinds.get(path));
  }

  makeDirectory(path: string, _mode: number): Promise<void> {
    return Promise.try(() => void this.kinds.set(path, "directory"));
  }

  makeFile(path: string, _mode: number): Promise<void> {
    return Promise.try(() => void this.kinds.set(path, "file"));
  }
}
