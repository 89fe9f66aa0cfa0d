/** What calls to the cgroups cost, and what the host refuses of them. */
import type { AgentPorts } from "./agent_ports.ts";
import type { CgroupFault, Cgroups } from "./port/cgroups.ts";

/**
 * Says what the host refuses once for each thing, not for each pod, and counts
 * how long the kernel takes.
 */
export function tellingCgroups(
  { cgroups, log, clock, meters }: Pick<
    AgentPorts,
    "cgroups" | "log" | "clock" | "meters"
  >,
): Cgroups {
  const told = new Set<string>();
  const timed = async <T>(operation_type: string, work: Promise<T>) => {
    const sinceMs = clock.monotonicMs();
    try {
      return await work;
    } finally {
      const seconds = (clock.monotonicMs() - sinceMs) / 1000;
      meters.cgroupSeconds.observe({ operation_type }, seconds);
    }
  };
  return {
    lackOf: (path) => cgroups.lackOf(path),
    enter: (path, pids) => cgroups.enter(path, pids),
    processesIn: (path) => cgroups.processesIn(path),
    removePod: (path) => timed("destroy", cgroups.removePod(path)),
    childrenOf: (path) => cgroups.childrenOf(path),
    async apply(path, values, ifMissing): Promise<readonly CgroupFault[]> {
      const operation = ifMissing === "make" ? "create" : "update";
      const work = cgroups.apply(path, values, ifMissing);
      const faults = await timed(operation, work);
      for (const { kind, message } of faults) {
        if (told.has(`${kind} ${message}`)) continue;
        told.add(`${kind} ${message}`);
        log.warn("A cgroup does not get all its values", { path, message });
      }
      return faults;
    },
  };
}
