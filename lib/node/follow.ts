/**
 * Follows the Node object: what others write to it (cordon, pod CIDR, a cloud
 * controller's addresses) becomes known here at once, so that the status is
 * never computed against an old picture.
 */
import { type Reader, until, type Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ClusterNode } from "../port/cluster.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { isNewer, parseNode } from "./parse.ts";
import type { KnownNode } from "./types.ts";

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export interface FollowPorts {
  readonly nodes: Pick<ClusterNode, "watch">;
  readonly node: Writer<KnownNode | undefined>;
  readonly reader: Reader<KnownNode | undefined>;
  readonly changed: () => void;
}

/** Runs until `signal` aborts. Waits for the node when we make it ourselves. */
export async function followNode(
  { nodes, node, reader, changed }: FollowPorts,
  settings: { readonly nodeName: string; readonly mayRegister: boolean },
  signal: AbortSignal,
): Promise<void> {
  if (settings.mayRegister) {
    await until(reader, (known) => known !== undefined, signal);
  }
  for await (const news of nodes.watch(settings.nodeName, signal)) {
    const next = news.node === undefined ? undefined : parseNode(news.node);
    if (next !== undefined && !isNewer(next, node.get())) continue;
    node.set(next);
    changed();
  }
  signal.throwIfAborted();
}

export interface PodCidrPorts {
  readonly runtime: Pick<ContainerRuntime, "setPodCidr">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly node: Reader<KnownNode | undefined>;
}

/**
 * Tells the runtime which addresses its pods may have, when the cluster
 * assigned some and whenever they change.
 * Compat: kubelet 1.36 updatePodCIDR.
 */
export async function followPodCidr(
  { runtime, clock, log, node }: PodCidrPorts,
  signal: AbortSignal,
): Promise<void> {
  let told = "";
  const tell = async () => {
    for (let retryMs = FIRST_RETRY_MS;;) {
      const cidr = (node.get()?.podCidrs ?? []).join(",");
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
