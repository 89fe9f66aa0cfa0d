/**
 * The wiring of a node that belongs to a cluster: certificates, the node and
 * its lease, pods from the API server, their statuses, mirrors and events.
 * Everything that asks the API server waits for a kubeconfig that works.
 */
import { followDuplicates } from "./agent_duplicates.ts";
import { resolverLoop } from "./agent_resolver.ts";
import { createIdentity } from "./agent_identity.ts";
import { cell, type Reader, until } from "./base/cell.ts";
import type { Clock } from "./base/clock.ts";
import type { Logger } from "./base/log.ts";
import type { Random } from "./base/random.ts";
import type { PodUid } from "./api/id.ts";
import type { Meters } from "./api/meters.ts";
import type { Step } from "./api/step.ts";
import type { V1NodeSelectorTerm, V1Pod } from "./api/types.ts";
import type { Config } from "./config/load.ts";
import { KUBERNETES_VERSION } from "./config/render.ts";
import { nodeTarget, podTarget, volumeTarget } from "./events/event.ts";
import { PodEvents } from "./events/pod_events.ts";
import { EventWriter } from "./events/run.ts";
import { certificateSettings } from "./identity/settings.ts";
import { hostIps } from "./node/addresses.ts";
import { createNode, type NodeLoops } from "./node/loops.ts";
import { declaredFeatures } from "./node/declared.ts";
import { nodeSettings } from "./node/settings.ts";
import { NO_DEVICES, type NodeRecorder, type Pressure } from "./node/types.ts";
import type { RuntimeHealth } from "./pod/facts.ts";
import type { Cluster, Keys, Kubeconfigs } from "./port/cluster.ts";
import type { Files, NodeTexts } from "./port/host.ts";
import type { Images } from "./port/images.ts";
import type { Machine } from "./port/machine.ts";
import type { Recorder, VolumeRecorder } from "./port/recorder.ts";
import type { ContainerRuntime } from "./port/runtime.ts";
import type { ApiSource } from "./source/run.ts";
import type { Desired } from "./source/types.ts";
import { matchesTerms } from "./pod/affinity.ts";
import { admissionNode } from "./sync/admission.ts";
import { Mirrors } from "./sync/mirrors.ts";
import { StatusReports } from "./sync/report.ts";
import { RuntimeClasses } from "./sync/runtime_classes.ts";
import type { PodsReader } from "./sync/store.ts";

/** What a node of a cluster needs from the outside, besides the rest. */
export interface ClusterPorts {
  readonly kubeconfigs: Kubeconfigs;
  readonly keys: Keys;
  /** Follows links: the current certificate is one. */
  readonly certificateFiles: Files;
  readonly machine: Machine;
  readonly random: Random;
}

/** What the membership shares with the rest of the agent. */
export interface Surroundings {
  readonly runtime: ContainerRuntime;
  readonly images: Images;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeTexts: NodeTexts;
  readonly meters: Meters;
  /** The server has taken a pod's status. */
  readonly written: (uid: PodUid, sinceMs: number) => void;
  readonly desired: Reader<Desired>;
  readonly health: Reader<RuntimeHealth>;
  readonly pods: PodsReader;
  readonly pressure: Reader<Pressure>;
  /** Where steps of pods are told to besides. */
  readonly steps: Recorder;
}

export interface Loop {
  readonly name: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export type Membership = ReturnType<typeof createMembership>;

export function createMembership(
  config: Config,
  ports: ClusterPorts,
  around: Surroundings,
) {
  const cluster = openCluster(config, ports);
  const [open, isOpen] = cell(false);
  const whenOpen = (signal: AbortSignal) => until(isOpen, Boolean, signal);
  const events = createEvents(config, { cluster, ports, around });
  const identity = createIdentity(config, { ...ports, ...around, cluster });
  const node = createNodeLoops(config, { ports, around, cluster }, {
    problems: identity.problems,
    recorder: events.nodeRecorder,
  });
  const statuses = new StatusReports({
    ...around,
    pods: cluster.pods,
    memory: around.pods,
  });
  const mirrors = createMirrors(config, { cluster, around, node });
  const classes = new RuntimeClasses(cluster.runtimeClasses);
  return {
    recorder: events.recorder,
    nodeRecorder: events.nodeRecorder,
    volumeRecorder: events.volumeRecorder,
    cluster,
    node,
    statuses,
    api: { pods: cluster.pods, isOpen: whenOpen } satisfies ApiSource,
    isOpen,
    ...identity.facts,
    admissionNode: () => {
      const known = node.node.get();
      return known && admissionNode(config.nodeName, known, node.seen.get());
    },
    runtimeClasses: () => classes.get(),
    classes: classes.reader,
    allocatable: () => node.node.get()?.allocatable,
    fits: fitOf(config, node),
    hostIps: () => hostIps(node.node.get()?.addresses ?? []),
    forgotten: (uid: PodUid) => {
      statuses.forget(uid);
      mirrors.wake();
    },
    loops: [
      {
        name: "client-certificate",
        run: (signal: AbortSignal) =>
          identity.run(() => open.set(true), signal),
      },
      ...createLoops({ events, identity, node, statuses, mirrors, classes })
        .map((loop) => gated(loop, whenOpen)),
      resolverLoop({ ...around, recorder: events.nodeRecorder }, config),
      { name: "follow-duplicates", run: events.duplicates },
    ] satisfies Loop[],
  };
}

function createMirrors(
  config: Config,
  { cluster, around, node }: {
    readonly cluster: Cluster;
    readonly around: Surroundings;
    readonly node: NodeLoops;
  },
): Mirrors {
  return new Mirrors({
    ...around,
    pods: cluster.pods,
    memory: around.pods,
    owner: () => {
      const uid = node.node.get()?.uid;
      return uid === undefined ? undefined : { name: config.nodeName, uid };
    },
  });
}

/** Is this a node that a persistent volume is for? Unknown: it may be. */
function fitOf({ nodeName: name }: Config, { node }: NodeLoops) {
  return (terms: readonly V1NodeSelectorTerm[]): boolean => {
    const labels = node.get()?.labels;
    return labels === undefined || matchesTerms(terms, { labels, name });
  };
}

/** Everything that asks the API server. */
function createLoops(parts: {
  readonly events: ReturnType<typeof createEvents>;
  readonly identity: ReturnType<typeof createIdentity>;
  readonly node: NodeLoops;
  readonly statuses: StatusReports;
  readonly mirrors: Mirrors;
  readonly classes: RuntimeClasses;
}): Loop[] {
  const { events, identity, node, statuses, mirrors, classes } = parts;
  return [
    ...node.loops,
    { name: "api-events", run: (signal) => events.writer.run(signal) },
    { name: "statuses", run: (signal) => statuses.run(signal) },
    { name: "follow-statuses", run: (signal) => statuses.follow(signal) },
    { name: "runtime-classes", run: (signal) => classes.run(signal) },
    { name: "mirrors", run: (signal) => mirrors.run(signal) },
    { name: "follow-mirrors", run: (signal) => mirrors.follow(signal) },
    {
      name: "mirror-owner",
      run: async (signal) => {
        for await (const _ of node.node.changes(signal)) mirrors.wake();
      },
    },
    {
      name: "serving-certificate",
      run: (signal) => identity.serve(node.node, signal),
    },
  ];
}

/** A loop that begins when there is a kubeconfig that works. */
function gated(
  { name, run }: Loop,
  whenOpen: (signal: AbortSignal) => Promise<void>,
): Loop {
  return {
    name,
    run: async (signal) => {
      await whenOpen(signal);
      await run(signal);
    },
  };
}

interface Base {
  readonly cluster: Cluster;
  readonly ports: ClusterPorts;
  readonly around: Surroundings;
}

function createNodeLoops(
  config: Config,
  { ports, around, cluster }: Base,
  own: {
    readonly problems: Reader<readonly string[]>;
    readonly recorder: NodeRecorder;
  },
): NodeLoops {
  return createNode({
    ...ports,
    ...around,
    ...own,
    nodes: cluster.nodes,
    // Written by device plugins and shutdown, which are not yet.
    devices: constant(NO_DEVICES),
    isShuttingDown: constant(false),
    declaredFeatures: declaredFeatures(config),
    reconnect: () => cluster.reconnect(),
  }, nodeSettings(config, KUBERNETES_VERSION));
}

function openCluster(config: Config, { kubeconfigs }: ClusterPorts): Cluster {
  const { kubeconfig, certDir, rotateCertificates } = certificateSettings(
    config,
  );
  return kubeconfigs.open({
    path: kubeconfig,
    ...rotateCertificates
      ? { pairPath: `${certDir}/kubelet-client-current.pem` }
      : {},
  });
}

function createEvents(config: Config, { cluster, ports, around }: Base) {
  const { clock, log, desired, pods, steps } = around;
  const { random } = ports;
  const writer = new EventWriter(
    { events: cluster.events, clock, random, log },
    // The lane of the client keeps the configured rate.
    { host: config.nodeName, rate: { perSecond: 0, burst: 1 } },
  );
  const recorder = new PodEvents({
    inner: steps,
    events: writer,
    nodeName: config.nodeName,
    podOf: (uid) => desired.get().pods.get(uid)?.pod ?? pods.get(uid)?.pod,
    containerNames: (uid) =>
      new Map(
        (pods.get(uid)?.observed.containers ?? [])
          .map(({ id, name }) => [id, name]),
      ),
  });
  const nodeRecorder: NodeRecorder = {
    record: (step) => writer.record(nodeTarget(config.nodeName), step),
  };
  const volumeRecorder: VolumeRecorder = {
    record: (volume, step) => writer.record(volumeTarget(volume), step),
  };
  const tell = (pod: V1Pod, step: Step) => writer.record(podTarget(pod), step);
  const duplicates = (signal: AbortSignal) =>
    followDuplicates({ desired, tell }, signal);
  return { writer, recorder, nodeRecorder, volumeRecorder, duplicates };
}

/** A cell that nobody writes. */
function constant<T>(value: T): Reader<T> {
  return cell(value)[1];
}
