/**
 * `Cgroups` on Linux, for the one hierarchy of version 2 as well as the many
 * of version 1, seen through the bind mount below the run directory. Slices
 * are systemd's, which is told of them (decision 0023).
 */
import { AgentError, chainOf } from "../base/errors.ts";
import type {
  CgroupFault,
  CgroupLack,
  Cgroups,
  CgroupValues,
} from "../port/cgroups.ts";
import {
  AT_REMOVEDIR,
  DT_DIR,
  O_DIRECTORY,
  O_RDONLY,
  O_WRONLY,
} from "./abi.ts";
import { check, inParent, openPath, STRICT, type Trees } from "./beneath.ts";
import { enter, lack, type Place, processesIn } from "./cgroup_entry.ts";
import { type Applied, applyValues, plainRelative } from "./cgroup_values.ts";
import { EBUSY, ENOENT, failure, isAbsent } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { boundCgroup } from "./mounts.ts";
import { sliceOf, sliceValues } from "./slice_properties.ts";
import type { SystemdSlices } from "./systemd_slices.ts";
import { writeAll } from "./transfer.ts";

const DIRECTORY = O_RDONLY | O_DIRECTORY;

type Slices = Pick<SystemdSlices, "set" | "stop">;

export class HostCgroups implements Cgroups {
  readonly #libc: Libc;
  readonly #root: string;
  readonly #slices: Slices | undefined;
  /** What systemd was told of a slice, as text. */
  readonly #told = new Map<string, string>();

  /** Without `slices`, nobody is told. */
  constructor(
    libc: Libc,
    { runDir, slices }: { readonly runDir: string; readonly slices?: Slices },
  ) {
    this.#libc = libc;
    this.#root = boundCgroup(runDir);
    this.#slices = slices;
  }

  async apply(
    cgroupPath: string,
    values: CgroupValues,
    ifMissing: "make" | "leave",
  ): Promise<readonly CgroupFault[]> {
    const relative = plainRelative(cgroupPath);
    const place = { libc: this.#libc, top: this.#root, relative, ifMissing };
    const applied = await applyValues(place, values);
    if (!applied.isThere) return applied.faults;
    return [...applied.faults, ...await this.#tell(relative, applied, values)];
  }

  /** Once for the same values, and again where they had been set back. */
  async #tell(
    relative: string,
    { version, isInUse, isChanged }: Applied,
    { memoryLimitBytes, ...rest }: CgroupValues,
  ): Promise<readonly CgroupFault[]> {
    if (this.#slices === undefined || sliceOf(relative) === undefined) {
      return [];
    }
    // systemd would end processes to get below the limit.
    const values = memoryLimitBytes === undefined || isInUse
      ? rest
      : { ...rest, memoryLimitBytes };
    const properties = sliceValues(version, values);
    const text = properties.map(({ name, value }) => `${name}=${value.value}`)
      .join(" ");
    if (this.#told.get(relative) === text && !isChanged) return [];
    try {
      await this.#slices.set(relative, properties);
      this.#told.set(relative, text);
      return [];
    } catch (error) {
      const message = `systemd is not told: ${chainOf(error)}`;
      return [{ kind: "missing", message }];
    }
  }

  async removePod(cgroupPath: string): Promise<void> {
    const relative = cgroupPath.replace(/^\/+/, "");
    if (relative === "") {
      throw new AgentError("Cannot remove cgroup: the path is empty", {
        next: "give-up",
      });
    }
    const roots = this.#roots();
    await this.#stop(relative, roots);
    for (const root of roots) {
      const done = await this.#remove(root, relative);
      if (done >= 0 || isAbsent(-done)) continue;
      const doing = `Cannot remove cgroup ${root}/${relative}`;
      if (done !== -EBUSY) throw failure(doing, -done);
      for (const each of roots) await this.#kill(`${each}/${relative}`, each);
      throw new AgentError(`${doing}: processes are still in it`, {
        next: "retry",
        cause: failure("rmdir", EBUSY),
      });
    }
  }

  /** A slice without a directory is one that systemd has ended already. */
  async #stop(relative: string, roots: readonly string[]): Promise<void> {
    if (this.#slices === undefined || sliceOf(relative) === undefined) return;
    const isThere = roots.some((root) => {
      const path = `${root}/${relative}`;
      const fd = openPath(this.#trees(root), path, DIRECTORY);
      if (fd >= 0) this.#libc.closeFd(fd);
      return fd >= 0;
    });
    if (!isThere && !this.#told.has(relative)) return;
    await this.#slices.stop(relative);
    this.#told.delete(relative);
  }

  childrenOf(cgroupPath: string): Promise<readonly string[]> {
    return Promise.try(() => {
      const found = new Set<string>();
      const decoder = new TextDecoder();
      for (const root of this.#roots()) {
        const path = `${root}/${cgroupPath.replace(/^\/+/, "")}`;
        const fd = openPath(this.#trees(root), path, DIRECTORY);
        if (fd < 0 && isAbsent(-fd)) continue;
        const doing = `Cannot list cgroups in ${path}`;
        check(fd, doing);
        const entries = this.#libc.entries(fd);
        this.#libc.closeFd(fd);
        if (typeof entries === "number") throw failure(doing, -entries);
        for (const { name, type } of entries) {
          if (type === DT_DIR) found.add(decoder.decode(name.subarray(0, -1)));
        }
      }
      return [...found];
    });
  }

  lackOf(cgroupPath: string): Promise<CgroupLack> {
    return Promise.try(() => lack(this.#placeOf(cgroupPath)));
  }

  async enter(
    cgroupPath: string,
    pids: readonly number[],
  ): Promise<readonly CgroupFault[]> {
    return await enter(this.#placeOf(cgroupPath), pids);
  }

  processesIn(cgroupPath: string): Promise<readonly number[]> {
    return Promise.try(() => processesIn(this.#placeOf(cgroupPath)));
  }

  #placeOf(cgroupPath: string): Place {
    const isRoot = cgroupPath.replaceAll("/", "") === "";
    const relative = isRoot ? "." : plainRelative(cgroupPath);
    return { libc: this.#libc, top: this.#root, relative };
  }

  #roots(): readonly string[] {
    return this.#hierarchies().map((hierarchy) =>
      hierarchy === "" ? this.#root : `${this.#root}/${hierarchy}`
    );
  }

  /**
   * Ends what a start that was cut short left behind: the runtime may have
   * forgotten it. Only version 2 can; elsewhere there is no such file.
   * Compat: kubelet 1.36 tryKillingCgroupProcesses.
   */
  async #kill(path: string, root: string): Promise<void> {
    const file = `${path}/cgroup.kill`;
    const fd = openPath(this.#trees(root), file, O_WRONLY);
    if (fd < 0 && isAbsent(-fd)) return;
    const doing = `Cannot end the processes in ${path}`;
    check(fd, doing);
    try {
      const bytes = new TextEncoder().encode("1");
      await writeAll(this.#libc, fd, { bytes, doing });
    } finally {
      this.#libc.closeFd(fd);
    }
  }

  /** The mounted hierarchies; version 2 alone is the root itself. */
  #hierarchies(): readonly string[] {
    const trees = this.#trees(this.#root);
    const doing = `Cannot list cgroups in ${this.#root}`;
    const fd = check(openPath(trees, this.#root, DIRECTORY), doing);
    try {
      const entries = this.#libc.entries(fd);
      if (typeof entries === "number") throw failure(doing, -entries);
      const decoder = new TextDecoder();
      const named = entries.map(({ name, type }) => ({
        name: decoder.decode(name.subarray(0, -1)),
        type,
      }));
      if (named.some(({ name }) => name === "cgroup.controllers")) return [""];
      // The links `cpu,cpuacct -> cpu` of version 1 are passed over.
      return named.filter(({ type }) => type === DT_DIR).map((each) =>
        each.name
      );
    } finally {
      this.#libc.closeFd(fd);
    }
  }

  /** Negative: the number of what went wrong. */
  #remove(root: string, relative: string): Promise<number> {
    const path = `${root}/${relative}`;
    return inParent(this.#trees(root), path, async (place) => {
      const fd = this.#libc.openAt(place.fd, place.name, {
        flags: DIRECTORY,
        resolve: STRICT,
      });
      if (fd < 0) return fd;
      const emptied = await this.#removeChildren(fd);
      this.#libc.closeFd(fd);
      if (emptied < 0) return emptied;
      return await this.#libc.unlinkAt(place.fd, place.name, AT_REMOVEDIR);
    });
  }

  /** Deepest first; the files of a cgroup vanish with it. */
  async #removeChildren(fd: number): Promise<number> {
    const entries = this.#libc.entries(fd);
    if (typeof entries === "number") return entries;
    for (const { name, type } of entries) {
      if (type !== DT_DIR) continue;
      const how = { flags: DIRECTORY, resolve: STRICT };
      const child = this.#libc.openAt(fd, name, how);
      if (child === -ENOENT) continue;
      if (child < 0) return child;
      const emptied = await this.#removeChildren(child);
      this.#libc.closeFd(child);
      const removed = emptied < 0
        ? emptied
        : await this.#libc.unlinkAt(fd, name, AT_REMOVEDIR);
      if (removed < 0 && removed !== -ENOENT) return removed;
    }
    return 0;
  }

  #trees(root: string): Trees {
    return { libc: this.#libc, roots: [root], links: "refuse" };
  }
}
