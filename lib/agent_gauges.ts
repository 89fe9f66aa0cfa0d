/**
 * What `/metrics` tells of this moment: found out when somebody asks, from the
 * cells and from the machine. Nothing is kept but what was told last.
 */
import type { Reader } from "./base/cell.ts";
import { chainOf } from "./base/errors.ts";
import type { Counter } from "./base/metrics.ts";
import type { PodUid } from "./api/id.ts";
import type { Meters } from "./api/meters.ts";
import { ephemeralContainersOf, isStatic } from "./api/pod.ts";
import type { V1Pod } from "./api/types.ts";
import type { Membership } from "./agent_cluster.ts";
import type { AgentPorts } from "./agent_ports.ts";
import { volumeCounts } from "./agent_volumes.ts";
import { gateStages } from "./config/features.ts";
import type { Config } from "./config/load.ts";
import { KUBERNETES_VERSION } from "./config/render.ts";
import type { CertificateView } from "./identity/types.ts";
import {
  isRecordFile,
  pulledFolder,
  pullingFolder,
} from "./image/pull_record.ts";
import type { OwnUse } from "./port/usage.ts";
import { startupSeconds } from "./node/startup.ts";
import { IN_PROGRESS, PENDING } from "./pod/resize_conditions.ts";
import type { Desired } from "./source/types.ts";
import type { Stats } from "./stats/run.ts";
import type { ClaimFigures } from "./stats/types.ts";
import type { Audit } from "./sync/audit.ts";
import type { PodMemory, PodsReader } from "./sync/store.ts";
import type { VolumeState } from "./volume/types.ts";

export interface GaugeParts {
  readonly config: Config;
  readonly ports: Pick<
    AgentPorts,
    "meters" | "usage" | "clock" | "log" | "files"
  >;
  readonly desiredReader: Reader<Desired>;
  readonly pods: PodsReader;
  readonly audit: Pick<Audit, "lastAtMs">;
  readonly volumes: { stateOf(uid: PodUid): VolumeState | undefined };
  readonly membership: Membership | undefined;
  readonly stats: Pick<Stats, "claims" | "logs">;
  readonly version: string;
}

export function createGauges(parts: GaugeParts) {
  const { meters, usage } = parts.ports;
  const { nodeName, features } = parts.config;
  meters.nodeName.set({ node: nodeName }, 1);
  meters.buildInfo.set(buildInfo(parts.version), 1);
  // Compat: where cgroups are read; `cri` is a gate that is off.
  meters.metricsProvider.set({ provider: "cadvisor" }, 1);
  for (const [name, stage] of gateStages()) {
    const isOn = new Map(Object.entries(features)).get(name) === true;
    meters.features.set({ name, stage }, isOn ? 1 : 0);
  }
  const count = processCounts(meters);
  return async (): Promise<void> => {
    aboutPods(parts);
    aboutCertificates(parts);
    meters.totalVolumes.replace(volumeCounts(parts));
    const { lastAtMs } = parts.audit;
    if (lastAtMs !== undefined) meters.relistedAt.set({}, lastAtMs / 1000);
    meters.cgroupVersion.set({}, await usage.cgroupVersion());
    const own = await usage.own();
    count(own);
    meters.processResident.set({}, own.residentBytes);
    meters.processVirtual.set({}, own.virtualBytes);
    meters.processMostVirtual.set({}, own.virtualLimit);
    meters.processStart.set({}, own.startedAtMs / 1000);
    meters.processFiles.set({}, own.openFiles);
    meters.processMostFiles.set({}, own.openFilesLimit);
    aboutStartup(parts, own.startedAtMs, await usage.bootedAtMs());
    meters.logBytes.replace(logRows(parts));
    await aboutPulls(parts);
    await aboutClaims(parts);
  };
}

/** What only grows is told by how much it grew. */
function processCounts(meters: Meters): (own: OwnUse) => void {
  const growing = (counter: Counter<never>) => {
    let counted = 0;
    return (now: number) => {
      counter.add({}, Math.max(now - counted, 0));
      counted = Math.max(now, counted);
    };
  };
  const cpu = growing(meters.processCpu);
  const received = growing(meters.processReceived);
  const sent = growing(meters.processSent);
  return (own) => {
    cpu(own.cpuSeconds);
    received(own.receivedBytes);
    sent(own.sentBytes);
  };
}

function aboutStartup(
  { ports, membership }: GaugeParts,
  startedAtMs: number,
  bootedAtMs: number,
): void {
  const times = membership?.node.startup.times ?? {};
  const seconds = startupSeconds(times, { startedAtMs, bootedAtMs });
  const { meters } = ports;
  meters.preKubelet.set({}, seconds.preKubelet);
  meters.preRegistration.set({}, seconds.preRegistration);
  meters.registration.set({}, seconds.registration);
  meters.postRegistration.set({}, seconds.postRegistration);
  meters.nodeStartup.set({}, seconds.nodeStartup);
}

/** As last measured: a scrape does not wait for disks. */
function logRows({ stats }: GaugeParts) {
  return stats.logs().map(({ pod, container, usedBytes }) => {
    const { uid, namespace, name } = pod;
    const labels = { uid, namespace, pod: name, container };
    return [labels, Number(usedBytes)] as const;
  });
}

function aboutPods({ ports, desiredReader, pods }: GaugeParts): void {
  const { meters } = ports;
  const desired = desiredReader.get();
  const wanted = [...desired.pods.values()].map(({ pod }) => pod);
  const known = [...pods];
  const active = known.flatMap(([, { pod, state }]) =>
    pod !== undefined && (state.kind === "running" || state.kind === "waiting")
      ? [pod]
      : []
  );
  meters.desiredPods.replace(byOrigin(wanted));
  meters.activePods.replace(byOrigin(active));
  meters.mirrorPods.set({}, wanted.filter(isStatic).length);
  const ephemeral = wanted
    .reduce((sum, pod) => sum + ephemeralContainersOf(pod).length, 0);
  meters.ephemeralContainers.set({}, ephemeral);
  const running = known.filter(([, { observed }]) =>
    observed.sandboxes.some(({ isReady }) => isReady)
  );
  meters.runningPods.set({}, running.length);
  const states = ["created", "exited", "running", "unknown"];
  const containers = known.flatMap(([, { observed }]) => observed.containers);
  meters.runningContainers.replace(states.flatMap((container_state) => {
    const count = containers
      .filter(({ state }) => state === container_state).length;
    return count === 0 && container_state !== "running"
      ? []
      : [[{ container_state }, count] as const];
  }));
  meters.workingPods.replace(working(known, desired));
  aboutResizes(meters, known.map(([, { status }]) => status));
}

/** As the pods' conditions tell of them. */
function aboutResizes(
  meters: Pick<AgentPorts["meters"], "pendingResizes" | "resizesUnderWay">,
  statuses: readonly PodMemory["status"][],
): void {
  const told = (type: string) =>
    statuses.flatMap((status) =>
      status?.conditions.filter((each) => each.type === type) ?? []
    );
  const reasons = told(PENDING).map(({ reason = "" }) => reason.toLowerCase());
  meters.pendingResizes.replace(
    [...new Set(reasons)].map((reason) => [
      { reason },
      reasons.filter((each) => each === reason).length,
    ]),
  );
  meters.resizesUnderWay.set({}, told(IN_PROGRESS).length);
}

function byOrigin(pods: readonly V1Pod[]) {
  const fromFiles = pods.filter(isStatic).length;
  return [
    [{ static: "" }, pods.length - fromFiles],
    [{ static: "true" }, fromFiles],
  ] as const;
}

const LIFECYCLES = ["sync", "terminating", "terminated"] as const;

function working(known: readonly [PodUid, PodMemory][], { pods }: Desired) {
  const counts = new Map<string, number>();
  const key = (...parts: readonly string[]) => parts.join(" ");
  for (const [uid, { state, pod }] of known) {
    const lifecycle = state.kind === "running" || state.kind === "waiting"
      ? "sync"
      : state.kind === "stopping"
      ? "terminating"
      : "terminated";
    const config = pod === undefined
      ? "runtime_only"
      : pods.has(uid)
      ? "desired"
      : "orphan";
    const origin = pod === undefined ? "unknown" : isStatic(pod) ? "true" : "";
    const name = key(lifecycle, config, origin);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return LIFECYCLES.flatMap((lifecycle) =>
    [
      ["desired", ""],
      ["desired", "true"],
      ["orphan", ""],
      ["orphan", "true"],
      ["runtime_only", "unknown"],
    ].map(([config = "", origin = ""]) =>
      [
        { lifecycle, config, static: origin },
        counts.get(key(lifecycle, config, origin)) ?? 0,
      ] as const
    )
  );
}

function aboutCertificates({ ports, membership }: GaugeParts): void {
  const { meters, clock } = ports;
  const views = membership?.certificates.map((each) => each.get()) ?? [];
  const ttl = (purpose: CertificateView["purpose"]): number => {
    const held = views.find((view) => view.purpose === purpose);
    return held?.notAfterMs === undefined
      ? Infinity
      : (held.notAfterMs - clock.nowMs()) / 1000;
  };
  meters.clientTtl.set({}, ttl("client"));
  meters.servingTtl.set({}, ttl("serving"));
}

async function aboutPulls({ config, ports }: GaugeParts): Promise<void> {
  const { files, meters } = ports;
  const { rootDir } = config.paths;
  const recordsIn = async (folder: string) =>
    (await files.list(folder) ?? [])
      .filter(({ name }) => isRecordFile(name)).length;
  meters.pullIntents.set({}, await recordsIn(pullingFolder(rootDir)));
  meters.pulledRecords.set({}, await recordsIn(pulledFolder(rootDir)));
}

async function aboutClaims({ ports, stats }: GaugeParts): Promise<void> {
  const { meters, log } = ports;
  try {
    setClaims(meters, await stats.claims());
  } catch (error) {
    log.debug("Cannot measure claims", { error: chainOf(error) });
    setClaims(meters, []);
  }
}

function setClaims(
  meters: AgentPorts["meters"],
  claims: readonly ClaimFigures[],
): void {
  const rows = (read: (of: ClaimFigures["whole"]) => bigint) =>
    claims.map(({ namespace, claim: persistentvolumeclaim, whole }) =>
      [{ namespace, persistentvolumeclaim }, Number(read(whole))] as const
    );
  meters.volumeCapacity.replace(rows((of) => of.capacityBytes));
  meters.volumeAvailable.replace(rows((of) => of.availableBytes));
  meters.volumeUsed.replace(rows((of) => of.usedBytes));
  meters.volumeInodes.replace(rows((of) => of.inodes));
  meters.volumeInodesFree.replace(rows((of) => of.inodesFree));
  meters.volumeInodesUsed.replace(rows((of) => of.inodes - of.inodesFree));
}

function buildInfo(version: string) {
  const [major = "", minor = ""] = KUBERNETES_VERSION.slice(1).split(".");
  return {
    build_date: "",
    compiler: "deno",
    git_commit: "",
    git_tree_state: "",
    git_version: `${KUBERNETES_VERSION}+denolet.${version}`,
    go_version: "",
    major,
    minor,
    platform: "linux",
  };
}
