/**
 * Follows the Node object: what others write to it (cordon, pod CIDR, a cloud
 * controller's addresses) becomes known here at once, so that the status is
 * never computed against an old picture.
 */
import { type Reader, until, type Writer } from "../base/cell.ts";
import type { ClusterNode } from "../port/cluster.ts";
import { isNewer, parseNode } from "./parse.ts";
import type { KnownNode } from "./types.ts";

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
