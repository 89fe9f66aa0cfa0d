/** In-memory `Cgroups`. Keeps the promises of `tests/contract`. */
import { AgentError } from "../../lib/base/errors.ts";
import type {
  CgroupFault,
  CgroupLack,
  Cgroups,
  CgroupValues,
} from "../../lib/port/cgroups.ts";

/**
 * Cgroups by path; a busy one cannot be removed, a full one takes no lower
 * memory limit, and a broken one cannot be made.
 */
export class FakeCgroups implements Cgroups {
  readonly present = new Set<string>();
  readonly values = new Map<string, CgroupValues>();
  readonly busy = new Set<string>();
  readonly full = new Set<string>();
  readonly broken = new Set<string>();
  /** Where each process is; one that is not here is in none. */
  readonly places = new Map<number, string>();

  apply(
    cgroupPath: string,
    values: CgroupValues,
    ifMissing: "make" | "leave",
  ): Promise<readonly CgroupFault[]> {
    return Promise.try(() => {
      if (cgroupPath.replaceAll("/", "") === "") {
        throw give("Cannot make cgroup: the path is empty");
      }
      if (cgroupPath.split("/").includes("..")) {
        throw give(`Cannot make cgroup ${cgroupPath}: not a plain path`);
      }
      if (this.broken.has(cgroupPath)) {
        throw give(`Cannot make cgroup ${cgroupPath}: broken`, "retry");
      }
      if (ifMissing === "leave" && !this.present.has(cgroupPath)) return [];
      this.#make(cgroupPath);
      const { memoryLimitBytes, ...rest } = values;
      const isFull = memoryLimitBytes !== undefined &&
        values.mayLimitToUse !== true && this.full.has(cgroupPath);
      const set = isFull ? rest : values;
      this.values.set(cgroupPath, { ...this.values.get(cgroupPath), ...set });
      return isFull ? [{ kind: "in-use", message: "memory: in use" }] : [];
    });
  }

  removePod(cgroupPath: string): Promise<void> {
    return Promise.try(() => {
      if (cgroupPath.replaceAll("/", "") === "") {
        throw give("Cannot remove cgroup: the path is empty");
      }
      if (this.busy.has(cgroupPath)) {
        throw give(`Cannot remove cgroup ${cgroupPath}: busy`, "retry");
      }
      for (const each of this.present) {
        const isInside = each.startsWith(`${cgroupPath}/`);
        if (each !== cgroupPath && !isInside) continue;
        this.present.delete(each);
        this.values.delete(each);
      }
    });
  }

  childrenOf(cgroupPath: string): Promise<readonly string[]> {
    const inside = [...this.present]
      .filter((each) => each.startsWith(`${cgroupPath}/`))
      .map((each) => each.slice(cgroupPath.length + 1).split("/")[0] ?? "");
    return Promise.resolve([...new Set(inside)]);
  }

  lackOf(cgroupPath: string): Promise<CgroupLack> {
    const isThere = cgroupPath === "/" || this.present.has(cgroupPath);
    const paths = isThere ? [] : [`/sys/fs/cgroup${cgroupPath}`];
    return Promise.resolve({ paths, controllers: [] });
  }

  enter(
    cgroupPath: string,
    pids: readonly number[],
  ): Promise<readonly CgroupFault[]> {
    if (this.broken.has(cgroupPath)) {
      const message = "cgroup.procs: broken";
      return Promise.resolve([{ kind: "forbidden", message }]);
    }
    if (pids.length > 0) this.#make(cgroupPath);
    for (const pid of pids) this.places.set(pid, cgroupPath);
    return Promise.resolve([]);
  }

  processesIn(cgroupPath: string): Promise<readonly number[]> {
    const inside = [...this.places].filter(([, path]) => path === cgroupPath);
    return Promise.resolve(inside.map(([pid]) => pid));
  }

  #make(cgroupPath: string): void {
    const parts = cgroupPath.split("/");
    for (let end = 2; end <= parts.length; end++) {
      const path = parts.slice(0, end).join("/");
      if (path !== "/") this.present.add(path);
    }
  }
}

function give(message: string, next: "give-up" | "retry" = "give-up") {
  return new AgentError(message, { next });
}
