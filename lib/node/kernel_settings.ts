/**
 * The kernel settings that pods are reckoned with: memory is promised without
 * a limit and taken back by the OOM killer, and a kernel that has failed boots
 * again. Looked at once, before anything runs.
 * Compat: kubelet 1.36 setupKernelTunables. What the host does not let be
 * changed is told and lived with; the kubelet ends.
 */
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { KernelSettings } from "../port/kernel.ts";

/** By names below /proc/sys. */
export const WANTED_SETTINGS: ReadonlyMap<string, bigint> = new Map([
  ["vm/overcommit_memory", 1n],
  ["vm/panic_on_oom", 0n],
  ["kernel/panic", 10n],
  ["kernel/panic_on_oops", 1n],
  ["kernel/keys/root_maxkeys", 1_000_000n],
  ["kernel/keys/root_maxbytes", 25_000_000n],
]);

/**
 * `refuse`: nothing is changed, and what differs is why the agent must not run.
 * Undefined: it may.
 */
export async function settleKernel(
  { kernelSettings, log }: {
    readonly kernelSettings: KernelSettings;
    readonly log: Logger;
  },
  ifOther: "change" | "refuse",
): Promise<string | undefined> {
  const faults: string[] = [];
  for (const [setting, wanted] of WANTED_SETTINGS) {
    try {
      const actual = await kernelSettings.read(setting);
      if (actual === undefined || actual === wanted) continue;
      if (ifOther === "refuse") {
        faults.push(
          `invalid kernel flag: ${setting}, expected value: ${wanted}, ` +
            `actual value: ${actual}`,
        );
        continue;
      }
      await kernelSettings.write(setting, wanted);
      log.info("Changed a kernel setting", { setting, wanted, actual });
    } catch (error) {
      log.warn("A kernel setting may not be what pods need", {
        ...{ setting, wanted, error: chainOf(error) },
        next: "set it with sysctl, or on the host where this is a container",
      });
    }
  }
  if (faults.length <= 1) return faults[0];
  return `[${faults.join(", ")}]`;
}
