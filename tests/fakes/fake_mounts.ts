/** Memory file systems over a `FakeFiles`, and host paths of any kind. */
import { AgentError } from "../../lib/base/errors.ts";
import type {
  BindHow,
  DeviceMount,
  GroupAsk,
  HostPathKind,
  HostPaths,
  Mounts,
  RemoteMount,
  SubPath,
} from "../../lib/port/host.ts";
import type { FakeFiles } from "./fake_host.ts";

const MOST_LINKS = 40;

export class FakeMounts implements Mounts {
  readonly #files: FakeFiles;
  readonly #root: string;
  /** Memory file systems, and how large each may grow; 0: no bound. */
  readonly sizes = new Map<string, bigint>();
  /** File systems of huge pages, and the bytes of a page. */
  readonly pages = new Map<string, bigint>();
  /** What is bound where: mount point → what one sees there. */
  readonly bound = new Map<string, string>();
  readonly readOnly = new Set<string>();
  readonly shared = new Set<string>();
  /** Mounts that spread nowhere; `/`: what all of this is in. */
  readonly privates = new Set<string>();
  readonly remotes = new Map<string, RemoteMount>();
  readonly devices = new Map<string, DeviceMount>();
  /** Paths that cannot be unmounted, because somebody works there. */
  readonly busy = new Set<string>();
  /** How many entries a volume has, by path; told while it is given away. */
  readonly entries = new Map<string, readonly number[]>();
  /** Told before each number of `entries`. */
  slice: () => Promise<void> = () => Promise.resolve();

  constructor(files: FakeFiles, root: string) {
    this.#files = files;
    this.#root = root;
  }

  mountTmpfs(
    path: string,
    options: { readonly sizeBytes?: bigint },
  ): Promise<void> {
    return this.#mount(path, () => {
      this.sizes.set(path, options.sizeBytes ?? 0n);
    });
  }

  mountHugePages(path: string, pageBytes: bigint): Promise<void> {
    return this.#mount(path, () => this.pages.set(path, pageBytes));
  }

  async bind(source: string, path: string, how: BindHow): Promise<void> {
    await this.#mount(path, () => this.bound.set(path, source));
    if (how.isReadOnly) this.readOnly.add(path);
  }

  mountRemote(path: string, remote: RemoteMount): Promise<void> {
    return this.#mount(path, () => this.remotes.set(path, remote));
  }

  mountDevice(path: string, how: DeviceMount): Promise<void> {
    return this.#mount(path, () => this.devices.set(path, how));
  }

  share(directory: string): Promise<"shared" | "left"> {
    return Promise.try(() => {
      const all = this.#all();
      const home = all.filter((each) => `${directory}/`.startsWith(`${each}/`))
        .reduce((one, other) => one.length > other.length ? one : other, "/");
      const isFree = this.shared.has(directory) || !this.privates.has(home);
      const hasInside = all.some((each) => each.startsWith(`${directory}/`));
      if (!isFree && home !== directory && hasInside) return "left";
      this.shared.add(directory);
      return "shared";
    });
  }

  boundAt(source: string): Promise<readonly string[]> {
    const found = [...this.bound].filter(([, from]) => from === source);
    return Promise.resolve(found.map(([path]) => path));
  }

  async makeInside(volume: string, path: string): Promise<void> {
    const root = await this.#files.stat(volume);
    if (root === undefined) throw absent(volume);
    const anywhere = await this.#walk("", `${volume}/${path}`.slice(1));
    if (anywhere.missing.length === 0) return;
    const { at, missing } = await this.#walk(volume, path);
    let made = at;
    for (const part of missing) {
      made = `${made}/${part}`;
      await this.#files.makeDirectory(made, root.mode);
    }
  }

  async bindInside({ volume, path, target }: SubPath): Promise<void> {
    this.#refuse(target);
    const { at, missing } = await this.#walk(volume, path);
    const found = await this.#files.stat(at);
    if (missing.length > 0 || found === undefined) throw absent(path);
    if (this.bound.get(target) === at) return;
    const before = await this.#files.stat(target);
    if (before !== undefined) await this.#files.removeTree(target);
    if (found.kind === "directory") {
      await this.#files.makeDirectory(target, 0o750);
    } else {
      const parent = target.slice(0, target.lastIndexOf("/"));
      await this.#files.makeDirectory(parent, 0o750);
      await this.#files.touch(target, 0o640);
    }
    this.bound.set(target, at);
  }

  async giveGroup(path: string, ask: GroupAsk): Promise<void> {
    this.#refuse(path);
    for (const count of this.entries.get(path) ?? []) {
      await this.slice();
      ask.progress(count);
    }
    await this.#give(path, ask);
  }

  async #give(path: string, ask: GroupAsk): Promise<void> {
    const { gid, isReadOnly } = ask;
    const found = await this.#files.stat(path);
    if (found?.kind === "directory") {
      for (const { name } of await this.#files.list(path) ?? []) {
        await this.#give(`${path}/${name}`, ask);
      }
    }
    if (found?.kind !== "directory" && found?.kind !== "file") return;
    const bits = (isReadOnly ? 0o440 : 0o660) |
      (found.kind === "directory" ? 0o2110 : 0);
    await this.#files.own(path, { mode: found.mode | bits, gid });
  }

  unmount(path: string): Promise<void> {
    return Promise.try(async () => {
      this.#refuse(path);
      if (this.busy.has(path)) {
        throw new AgentError(`Cannot unmount ${path}: in use`, {
          next: "retry",
        });
      }
      this.pages.delete(path);
      this.bound.delete(path);
      this.readOnly.delete(path);
      this.remotes.delete(path);
      this.devices.delete(path);
      if (!this.sizes.delete(path)) return;
      for (const { name } of await this.#files.list(path) ?? []) {
        this.#files.take(`${path}/${name}`);
      }
    });
  }

  async unmountBelow(directory: string): Promise<void> {
    if (directory !== this.#root) this.#refuse(directory);
    const below = this.#all().filter((each) =>
      each.startsWith(`${directory}/`)
    );
    const failures: unknown[] = [];
    for (const path of below.sort((a, b) => b.length - a.length)) {
      await this.unmount(path).catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  isMounted(path: string): Promise<boolean> {
    return Promise.try(() => {
      this.#refuse(path);
      return this.#all().includes(path);
    });
  }

  #all(): string[] {
    const { sizes, pages, bound, remotes, devices } = this;
    return [sizes, pages, bound, remotes, devices]
      .flatMap((each) => [...each.keys()]);
  }

  async #mount(path: string, mount: () => void): Promise<void> {
    this.#refuse(path);
    const found = await this.#files.stat(path);
    if (found === undefined) throw absent(path);
    if (found.kind !== "directory") throw refusal(path);
    if (!this.#all().includes(path)) mount();
  }

  /** Follows links, but never out of the volume. */
  async #walk(volume: string, path: string) {
    let left = path.split("/").filter((part) => part !== "" && part !== ".");
    if (left.includes("..") || path.startsWith("/")) throw refusal(path);
    let at = volume;
    for (let links = 0; left.length > 0;) {
      const [part = "", ...rest] = left;
      const next = part === ".."
        ? at.slice(0, at.lastIndexOf("/"))
        : `${at}/${part}`;
      if (next !== volume && !next.startsWith(`${volume}/`)) {
        throw new AgentError(`Cannot use ${path}: leads out of ${volume}`, {
          next: "retry",
        });
      }
      const target = await this.#files.readLink(next);
      if (target !== undefined) {
        if (++links > MOST_LINKS) throw refusal(path);
        const inside = target.startsWith("/")
          ? insideOf(volume, target)
          : target;
        if (target.startsWith("/")) at = volume;
        left = [...inside.split("/").filter((each) => each !== ""), ...rest];
        continue;
      }
      if (await this.#files.stat(next) === undefined) break;
      at = next;
      left = rest;
    }
    return { at, missing: left };
  }

  #refuse(path: string): void {
    const isBelow = path.startsWith(`${this.#root}/`);
    if (!isBelow || path.includes("..")) throw refusal(path);
  }
}

/** What is left of an absolute link that stays inside. */
function insideOf(volume: string, target: string): string {
  if (target === volume) return "";
  if (target.startsWith(`${volume}/`)) return target.slice(volume.length + 1);
  throw new AgentError(`Cannot use ${target}: leads out of ${volume}`, {
    next: "retry",
  });
}

function absent(path: string): AgentError {
  return new AgentError(`Cannot use ${path}: nothing is there`, {
    next: "already-so",
  });
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
