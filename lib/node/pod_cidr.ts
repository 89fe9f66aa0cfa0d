/**
 * Which addresses pods may have, as the runtime and its network plugin are
 * told.
 */
import type { Reader } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { KnownNode } from "./types.ts";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export interface PodCidrPorts {
  readonly runtime: Pick<ContainerRuntime, "setPodCidr">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: Reader<KnownNode | undefined>;
  /** `podCIDR` of the configuration: until the cluster assigns others. */
  readonly configured: string;
}

/**
 * Tells the runtime which addresses its pods may have, when the cluster
 * assigned some and whenever they change; a standalone node has them from its
 * configuration.
 * Compat: kubelet 1.36 updatePodCIDR.
 */
export async function followPodCidr(
  { runtime, clock, log, node, configured }: PodCidrPorts,
  signal: AbortSignal,
): Promise<void> {
  let told = "";
  const tell = async () => {
    for (let retryMs = FIRST_RETRY_MS;;) {
      const assigned = (node.get()?.podCidrs ?? []).join(",");
      const cidr = assigned === "" ? configured : assigned;
      if (cidr === "" || cidr === told) return;
      try {
        await runtime.setPodCidr(cidr, signal);
        told = cidr;
        log.info("The runtime knows the pod CIDR", { cidr });
        return;
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        log.warn("Cannot tell the runtime the pod CIDR", {
          cidr,
          error: chainOf(error),
        });
      }
      await clock.sleep(retryMs, signal);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  };
  const changes = node.changes(signal);
  // The next change is awaited before each telling, so that none is missed.
  for (let next = changes.next();; next = changes.next()) {
    await tell();
    if ((await next).done) break;
  }
  signal.throwIfAborted();
}
