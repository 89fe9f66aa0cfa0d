/**
 * Puts the loops of the node together: each has a name and runs until its
 * signal aborts. The one place of this folder that knows all of them.
 */
import { cell, type Reader } from "../base/cell.ts";
import type { ClusterNode } from "../port/cluster.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { followNode } from "./follow.ts";
import { LeaseLoop } from "./lease.ts";
import { NodeObserver, type ObserverPorts } from "./observe.ts";
import { NodeStatusLoop, type StatusPorts } from "./run.ts";
import type { Startup } from "./startup.ts";
import {
  type KnownNode,
  type NodeSettings,
  type Observation,
  UNSEEN,
} from "./types.ts";

export interface NodePorts
  extends
    Omit<ObserverPorts, "seen" | "changed" | "runtime">,
    Omit<StatusPorts, "seen" | "node" | "nodes" | "failure"> {
  readonly nodes: ClusterNode;
  readonly runtime: Pick<ContainerRuntime, "status" | "version">;
  /** Drops every connection to the API server. */
  readonly reconnect: () => void;
}

export interface NodeLoops {
  /** The node as the API server last told; undefined: not there, or not yet. */
  readonly node: Reader<KnownNode | undefined>;
  /** The machine and the runtime as last seen. */
  readonly seen: Reader<Observation>;
  /** Why the API server does not hold what there is to say of the node. */
  readonly failure: Reader<string | undefined>;
  readonly startup: Pick<Startup, "times">;
  readonly loops: readonly {
    readonly name: string;
    readonly run: (signal: AbortSignal) => Promise<void>;
  }[];
  /** Look again and report: images, devices or the machine changed. */
  wake(): void;
}

export function createNode(
  ports: NodePorts,
  settings: NodeSettings,
): NodeLoops {
  const [node, reader] = cell<KnownNode | undefined>(undefined);
  const [seen, seenReader] = cell<Observation>(UNSEEN);
  const [failure, failureReader] = cell<string | undefined>(undefined);
  const status = new NodeStatusLoop(
    { ...ports, seen: seenReader, node, failure },
    settings,
  );
  const changed = () => status.wake();
  const observer = new NodeObserver({ ...ports, seen, changed }, settings);
  const lease = new LeaseLoop({ ...ports, node: reader }, settings);
  const { nodes } = ports;
  return {
    node: reader,
    seen: seenReader,
    failure: failureReader,
    startup: status.startup,
    loops: [
      { name: "node-observe", run: (signal) => observer.run(signal) },
      { name: "node-status", run: (signal) => status.run(signal) },
      { name: "node-lease", run: (signal) => lease.run(signal) },
      {
        name: "node-watch",
        run: (signal) =>
          followNode({ nodes, node, reader, changed }, settings, signal),
      },
    ],
    wake: () => observer.wake(),
  };
}
