/**
 * Tells of processes that the kernel ended because the machine itself ran out
 * of memory. Those of a container that reached its own limit are that
 * container's matter, and its status tells of them.
 * Compat: kubelet 1.36 oom watcher.
 */
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { KernelNews } from "../port/kernel.ts";
import { oomMessage, readLine, type Report } from "./oom_lines.ts";
import type { NodeRecorder } from "./types.ts";

export interface OomPorts {
  readonly kernel: Pick<KernelNews, "log">;
  readonly nodeRecorder: Pick<NodeRecorder, "record">;
  readonly log: Logger;
}

/** Until `signal` aborts, or for as long as the kernel's log can be read. */
export async function watchOoms(
  { kernel, nodeRecorder, log }: OomPorts,
  signal: AbortSignal,
): Promise<void> {
  let report: Report;
  try {
    for await (const line of kernel.log(signal)) {
      const read = readLine(report, line);
      report = read.report;
      if (read.found?.limitedBy !== "/") continue;
      const { victim } = read.found;
      log.warn("The machine ran out of memory", { ...victim });
      const message = oomMessage(read.found);
      nodeRecorder.record({ type: "Warning", reason: "SystemOOM", message });
    }
  } catch (error) {
    if (isAbort(error, signal)) return;
    log.warn("Processes that the kernel ends for memory are not told of", {
      error: chainOf(error),
      fails: "SystemOOM events",
    });
  }
}
