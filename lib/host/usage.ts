/**
 * `Usage` on Linux: the cgroup trees and /proc as bound below the run
 * directory, statfs for file systems. Files there are made by the kernel from
 * memory, so they are read at once; one cgroup takes a fraction of a
 * millisecond, and callers give the rest of the agent a turn in between.
 */
import { statfs } from "node:fs/promises";
import { AgentError } from "../base/errors.ts";
import type {
  CgroupUse,
  FilesystemCounts,
  InterfaceCounts,
  MachineDisk,
  OwnUse,
  Usage,
  UseDetail,
} from "../port/usage.ts";
import { AbsentFiles } from "./absent_files.ts";
import { interfaces } from "./interface_text.ts";
import { KernelFiles } from "./kernel_files.ts";
import type { Libc } from "./libc.ts";
import { machineDisks } from "./machine_disks.ts";
import { boundCgroup, boundProc } from "./mounts.ts";
import { bootedAtMs, ownUse } from "./own_use.ts";
import { treeUse } from "./tree_use.ts";
import * as text from "./usage_text.ts";

/** All that processor and memory take to tell. */
const FEW = new Set([
  "cpuacct/cpuacct.usage",
  "memory/memory.usage_in_bytes",
  "memory/memory.stat",
  "memory/memory.limit_in_bytes",
  "memory/memory.memsw.limit_in_bytes",
  "cpu.stat",
  "memory.current",
  "memory.stat",
  "memory.max",
  "memory.swap.current",
  "memory.swap.max",
]);
const MAIN = new Set([
  ...FEW,
  "pids/pids.current",
  "pids.current",
  "cpu.pressure",
  "memory.pressure",
  "io.pressure",
]);
const WANTED = { "cpu-and-memory": FEW, main: MAIN } as const;
/** Disks seldom come; cgroups are read by the hundred. */
const DEVICES_AGE_MS = 1_000;

export class LinuxUsage implements Usage {
  readonly #libc: Libc;
  readonly #files: KernelFiles;
  readonly #cgroups: string;
  readonly #proc: string;
  readonly #roots: readonly string[];
  readonly #absent = new AbsentFiles(() => Date.now());
  #version: 1 | 2 | undefined;
  #disks: {
    readonly atMs: number;
    readonly names: ReadonlyMap<string, string>;
  } = {
    atMs: -Infinity,
    names: new Map(),
  };

  /** `roots`: directories below which trees may be measured. */
  constructor(
    libc: Libc,
    paths: { readonly runDir: string; readonly roots: readonly string[] },
  ) {
    this.#libc = libc;
    this.#files = new KernelFiles(libc);
    this.#cgroups = boundCgroup(paths.runDir);
    this.#proc = boundProc(paths.runDir);
    this.#roots = paths.roots;
  }

  cgroup(path: string, detail: UseDetail): Promise<CgroupUse | undefined> {
    return Promise.try(() => {
      const below = plain(path);
      const isTwo = this.#isVersion2();
      // Of version 1 all have the same files, but for the root.
      const kind = isTwo || below === "" ? below : "other";
      const read = (name: string) => this.#read(below, name);
      return this.#absent.reading<CgroupUse>(kind, read, (there) => {
        const wanted = detail === "everything" ? undefined : WANTED[detail];
        const known = wanted === undefined
          ? there
          : (name: string) => wanted.has(name) ? there(name) : undefined;
        return isTwo
          ? this.#cgroup2(known, { isRoot: below === "", detail })
          : this.#cgroup1(known, detail);
      });
    });
  }

  processOf(path: string): Promise<number | undefined> {
    return Promise.try(() => {
      const tree = this.#isVersion2() ? "" : "pids/";
      const all = this.#read(plain(path), `${tree}cgroup.procs`) ?? "";
      const first = /^\d+/.exec(all)?.[0];
      return first === undefined ? undefined : Number(first);
    });
  }

  network(pid?: number): Promise<readonly InterfaceCounts[] | undefined> {
    return Promise.try(() => {
      const found = this.#files.read(`${this.#proc}/${pid ?? "1"}/net/dev`);
      return found === undefined ? undefined : interfaces(found);
    });
  }

  machineDisks(): Promise<readonly MachineDisk[]> {
    const stats = this.#files.read(`${this.#proc}/diskstats`) ?? "";
    return machineDisks(this.#libc, stats);
  }

  async filesystem(path: string): Promise<FilesystemCounts | undefined> {
    try {
      const [found, { dev }] = await Promise.all([
        statfs(path, { bigint: true }),
        Deno.stat(path),
      ]);
      const { blocks, bfree, bavail, bsize, files, ffree } = found;
      return {
        capacityBytes: blocks * bsize,
        availableBytes: bavail * bsize,
        usedBytes: (blocks - bfree) * bsize,
        inodes: files,
        inodesFree: ffree,
        device: BigInt(dev),
      };
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw new AgentError(`Cannot measure the file system of ${path}`, {
        next: "retry",
        cause,
      });
    }
  }

  tree(path: string, signal: AbortSignal) {
    const trees = {
      libc: this.#libc,
      roots: this.#roots,
      links: "refuse",
    } as const;
    return treeUse(trees, path, signal);
  }

  processes(): Promise<{ readonly count: bigint; readonly limit: bigint }> {
    return Promise.try(() => {
      const load = this.#files.read(`${this.#proc}/loadavg`) ?? "";
      const most = (name: string) =>
        text.wholeNumber(this.#files.read(`${this.#proc}/sys/kernel/${name}`));
      const limits = [most("pid_max"), most("threads-max")]
        .filter((each) => each !== undefined);
      const limit = limits.reduce((a, b) => a < b ? a : b, limits[0] ?? 0n);
      const count = text.wholeNumber(/\/(\d+) /.exec(load)?.[1]) ?? 0n;
      return { count, limit };
    });
  }

  own(): Promise<OwnUse> {
    return Promise.try(() => {
      const read = (name: string) =>
        this.#files.read(`${this.#proc}/self/${name}`) ?? "";
      const openFiles = [...Deno.readDirSync(`${this.#proc}/self/fd`)].length;
      return ownUse({
        stat: read("stat"),
        limits: read("limits"),
        netstat: read("net/netstat"),
        cgroup: read("cgroup"),
        openFiles,
        bootedAtMs: this.#bootedAtMs(),
      });
    });
  }

  bootedAtMs(): Promise<number> {
    return Promise.try(() => this.#bootedAtMs());
  }

  #bootedAtMs(): number {
    return bootedAtMs(this.#files.read(`${this.#proc}/stat`) ?? "");
  }

  cgroupVersion(): Promise<1 | 2> {
    return Promise.try(() => this.#isVersion2() ? 2 : 1);
  }

  #isVersion2(): boolean {
    this.#version ??=
      this.#files.read(`${this.#cgroups}/cgroup.controllers`) === undefined
        ? 1
        : 2;
    return this.#version === 2;
  }

  /** A file of a cgroup; of version 1 `name` has its tree: `pids/pids.max`. */
  #read(below: string, name: string): string | undefined {
    if (this.#isVersion2()) {
      return this.#files.readBelow(this.#cgroups, below, name);
    }
    const at = name.indexOf("/");
    const folder = `${this.#cgroups}/${name.slice(0, at)}`;
    return this.#files.readBelow(folder, below, name.slice(at + 1));
  }

  #cgroup1(read: text.ReadFile, detail: UseDetail): CgroupUse | undefined {
    const cpu = text.cpu1(read);
    const memory = text.memory1(read);
    if (cpu === undefined && memory === undefined) return undefined;
    const use = {
      atMs: Date.now(),
      ...cpu === undefined ? {} : { cpu },
      ...memory === undefined ? {} : { memory },
      disks: [],
      pressure: {},
    };
    if (detail === "cpu-and-memory") return use;
    const disks = text.disks1(read, this.#devices());
    return { ...use, ...text.tasks(read, "pids/"), disks };
  }

  #cgroup2(
    read: text.ReadFile,
    { isRoot, detail }: {
      readonly isRoot: boolean;
      readonly detail: UseDetail;
    },
  ): CgroupUse | undefined {
    const cpu = text.cpu2(read);
    if (cpu === undefined) return undefined;
    const info = isRoot
      ? text.meminfo(this.#files.read(`${this.#proc}/meminfo`) ?? "")
      : undefined;
    const memory = text.memory2(read, info);
    const use = {
      atMs: Date.now(),
      cpu,
      ...memory === undefined ? {} : { memory },
      disks: [],
      pressure: {},
    };
    if (detail === "cpu-and-memory") return use;
    const stalls = (name: "cpu" | "memory" | "io") => {
      // The root's own are the machine's.
      const found = text.pressure(
        isRoot
          ? this.#files.read(`${this.#proc}/pressure/${name}`)
          : read(`${name}.pressure`),
      );
      return found === undefined ? {} : { [name]: found };
    };
    return {
      ...use,
      ...text.tasks(read, ""),
      disks: text.disks2(read, this.#devices()),
      pressure: { ...stalls("cpu"), ...stalls("memory"), ...stalls("io") },
    };
  }

  #devices(): ReadonlyMap<string, string> {
    const nowMs = Date.now();
    if (Math.abs(nowMs - this.#disks.atMs) > DEVICES_AGE_MS) {
      const stats = this.#files.read(`${this.#proc}/diskstats`) ?? "";
      this.#disks = { atMs: nowMs, names: text.diskNames(stats) };
    }
    return this.#disks.names;
  }
}

/** Below the root, `` for the root itself; refuses what would lead out. */
function plain(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.includes("..") || path.includes("\0")) {
    throw new AgentError(`Cannot read cgroup ${JSON.stringify(path)}`, {
      next: "give-up",
    });
  }
  return parts.map((part) => `/${part}`).join("");
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Error && "code" in error && error.code === "ENOENT";
}
