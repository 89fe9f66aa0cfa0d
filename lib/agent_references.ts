/**
 * The wiring of what pods refer to: the one cache of secrets and config maps,
 * the environment of containers, the services that they are told of.
 */
import { until } from "./base/cell.ts";
import type { PodUid } from "./api/id.ts";
import type { Loop, Membership } from "./agent_cluster.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import type { Recorder } from "./port/recorder.ts";
import { ObjectCache } from "./reference/objects.ts";
import { ReferenceRunner } from "./reference/run.ts";
import { ServiceList } from "./reference/services.ts";
import type { ServiceFacts } from "./reference/types.ts";

export interface Surroundings {
  readonly recorder: Recorder;
  /** Undefined on a standalone node. */
  readonly membership: Membership | undefined;
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
  /** Pods that waited for the services may start. */
  readonly wakeAll: () => void;
}

export type References = ReturnType<typeof createReferences>;

export function createReferences(
  config: Config,
  ports: AgentPorts,
  around: Surroundings,
) {
  const { membership } = around;
  const { random } = ports.cluster;
  const objects = new ObjectCache(
    { ...ports, random, objects: membership?.cluster.objects },
    config.kubelet.configMapAndSecretChangeDetectionStrategy,
  );
  const runner = new ReferenceRunner({ ...ports, ...around, objects });
  const services = createServices(ports, around);
  const loops: Loop[] = [
    { name: "objects", run: (signal) => objects.run(signal) },
    { name: "references", run: (signal) => runner.run(signal) },
    ...services.loops,
  ];
  return { objects, runner, servicesOf: services.of, loops };
}

/** A standalone node has none, and waits for none. */
function createServices(
  ports: AgentPorts,
  { membership, wakeAll }: Surroundings,
): {
  readonly of: (namespace: string) => readonly ServiceFacts[] | undefined;
  readonly loops: readonly Loop[];
} {
  if (membership === undefined) return { of: () => [], loops: [] };
  const { cluster, isOpen } = membership;
  const { objects } = cluster;
  const list = new ServiceList({ ...ports, objects, listed: wakeAll });
  const run = async (signal: AbortSignal) => {
    await until(isOpen, Boolean, signal);
    await list.run(signal);
  };
  return {
    of: (namespace) => list.of(namespace),
    loops: [{ name: "services", run }],
  };
}
