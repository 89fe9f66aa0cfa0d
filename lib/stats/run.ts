/**
 * Reads the figures when somebody asks, shares them for a moment, and measures
 * disks now and then. Nothing is sampled while nobody asks. Asked by the
 * server and by eviction; keeps only the last look at each cgroup, for rates.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Pace } from "../base/pace.ts";
import type { Meters } from "../api/meters.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { Images } from "../port/images.ts";
import type {
  CgroupUse,
  MachineDisk,
  Usage,
  UseDetail,
} from "../port/usage.ts";
import { DiskMeter } from "./disks.ts";
import { SandboxImages } from "./sandbox_images.ts";
import type {
  ClaimFigures,
  ContainerFigures,
  DiskFigures,
  Figures,
  LogFigures,
  MeasuredPod,
  PodFigures,
  Sample,
} from "./types.ts";

/** Figures of one moment serve all who ask within this time. */
const FRESH_MS = 1_000;
/** From few to many: whoever wants few is served by more. */
const DETAILS = ["cpu-and-memory", "main", "everything"] as const;
/** A rate over less than this would be noise. */
const SHORTEST_RATE_MS = 500;

export interface StatsPorts {
  readonly usage: Usage;
  readonly runtime: Pick<
    ContainerRuntime,
    "listContainerStats" | "sandboxImage"
  >;
  readonly images: Pick<Images, "usage">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly meters?: Pick<Meters, "treeSeconds">;
  /** What runs now. */
  readonly pods: () => readonly MeasuredPod[];
}

export interface StatsSettings {
  readonly rootDir: string;
  /** Whether what pods take of its file system is told. */
  readonly isRootMeasured: boolean;
  /** The cgroup above all pods; empty where there is none. */
  readonly allPods: () => string;
  /** Below it, one for each class of service that has one. */
  readonly classes: () => readonly string[];
  /** How old a measured tree may be; negative: trees are not measured. */
  readonly diskAgeMs: number;
}

interface Look {
  readonly atMs: number;
  readonly usageNs: bigint;
  readonly nanoCores: bigint | undefined;
}

export class Stats {
  readonly #ports: StatsPorts;
  readonly #settings: StatsSettings;
  readonly #disks: DiskMeter;
  readonly #images: SandboxImages;
  #looks = new Map<string, Look>();
  readonly #shared = new Map<
    UseDetail,
    { readonly atMs: number; readonly figures: Promise<Figures> }
  >();

  #sharedDisks:
    | { readonly atMs: number; readonly disks: Promise<DiskFigures> }
    | undefined;

  constructor(ports: StatsPorts, settings: StatsSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#disks = new DiskMeter(ports, settings);
    this.#images = new SandboxImages(ports);
  }

  /** At most a second old. Rejects when the node itself cannot be read. */
  figures(detail: UseDetail): Promise<Figures> {
    const nowMs = this.#ports.clock.monotonicMs();
    for (const enough of DETAILS.slice(DETAILS.indexOf(detail))) {
      const known = this.#shared.get(enough);
      if (known !== undefined && nowMs - known.atMs < FRESH_MS) {
        return known.figures;
      }
    }
    const figures = this.#collect(detail);
    this.#shared.set(detail, { atMs: nowMs, figures });
    // A failure is not shared beyond those who wait for it already.
    figures.catch(() => this.#shared.delete(detail));
    return figures;
  }

  /**
   * At most a second old; trees and layers may be older. `signal` is of the
   * agent's life, as several wait for the same.
   */
  disks(signal: AbortSignal): Promise<DiskFigures> {
    const nowMs = this.#ports.clock.monotonicMs();
    const known = this.#sharedDisks;
    if (known !== undefined && nowMs - known.atMs < FRESH_MS) {
      return known.disks;
    }
    const disks = this.#disks.measure(signal);
    this.#sharedDisks = { atMs: nowMs, disks };
    disks.catch(() => this.#sharedDisks = undefined);
    return disks;
  }

  /** What logs take, as far as it has been measured. */
  logs(): readonly LogFigures[] {
    return this.#disks.logs();
  }

  /** Once for each claim, as several pods may use it. */
  async claims(): Promise<readonly ClaimFigures[]> {
    const { pods, usage } = this.#ports;
    const found = new Map<string, ClaimFigures>();
    for (const { namespace, volumes } of pods()) {
      for (const { claim, path } of volumes) {
        const key = `${namespace}/${claim}`;
        if (claim === undefined || found.has(key)) continue;
        const whole = await usage.filesystem(path);
        if (whole !== undefined) found.set(key, { namespace, claim, whole });
      }
    }
    return [...found.values()];
  }

  /** One cgroup that is no pod's: the agent's own, the runtime's. */
  async sample(cgroup: string, detail: UseDetail): Promise<Sample | undefined> {
    if (cgroup === "") return undefined;
    const use = await this.#ports.usage.cgroup(cgroup, detail);
    return use && { cgroup, use, nanoCores: this.#rate(cgroup, use) };
  }

  async #collect(detail: UseDetail): Promise<Figures> {
    const { usage, pods, clock } = this.#ports;
    const { allPods, classes } = this.#settings;
    const pace = new Pace(clock);
    const node = await this.sample("/", detail);
    if (node === undefined) throw new Error("The root has no cgroup");
    const all: PodFigures[] = [];
    const measured = pods();
    if (detail === "everything") await this.#images.learn(measured);
    for (const pod of measured) {
      all.push(await this.#pod(pod, detail));
      // Several wait for the same look: none of them may end it.
      await pace.step();
    }
    this.#dropOld();
    const tiers: Sample[] = [];
    for (const each of classes()) {
      const found = await this.sample(each, detail);
      if (found !== undefined) tiers.push(found);
    }
    return {
      atMs: clock.nowMs(),
      node,
      nodeNetwork: detail === "cpu-and-memory"
        ? []
        : await usage.network() ?? [],
      nodeDisks: detail === "everything" ? await this.#machineDisks() : [],
      allPods: await this.sample(allPods(), detail),
      classes: tiers,
      pods: all,
    };
  }

  /** A machine that does not tell of its disks tells of all else. */
  async #machineDisks(): Promise<readonly MachineDisk[]> {
    try {
      return await this.#ports.usage.machineDisks();
    } catch (error) {
      this.#ports.log.debug("Cannot measure the disks of the machine", {
        error: chainOf(error),
      });
      return [];
    }
  }

  /** One pod's failure is that pod's: its figures are left out. */
  async #pod(pod: MeasuredPod, detail: UseDetail): Promise<PodFigures> {
    try {
      const whole = pod.hasOwnCgroup
        ? await this.sample(pod.cgroup, detail)
        : undefined;
      // Nobody asks for it by itself but those who want everything.
      const sandbox = detail === "everything" ||
          detail === "main" && whole === undefined
        ? await this.#first(sandboxesOf(pod), detail)
        : undefined;
      const containers: ContainerFigures[] = [];
      for (const container of pod.containers) {
        const places = cgroupsOf(pod, container.id);
        const found = await this.#first(places, detail);
        if (found !== undefined) containers.push({ ...found, container });
      }
      const network = detail === "cpu-and-memory" || pod.isHostNetwork
        ? undefined
        : await this.#network(
          sandbox === undefined ? sandboxesOf(pod) : [sandbox.cgroup],
        );
      const sandboxImage = this.#images.of(pod.sandbox);
      return { pod, whole, sandbox, sandboxImage, network, containers };
    } catch (error) {
      this.#ports.log.debug("Cannot measure a pod", {
        pod: `${pod.namespace}/${pod.name}`,
        error: chainOf(error),
      });
      return {
        pod,
        whole: undefined,
        sandbox: undefined,
        sandboxImage: "",
        network: undefined,
        containers: [],
      };
    }
  }

  async #first(
    cgroups: readonly string[],
    detail: UseDetail,
  ): Promise<Sample | undefined> {
    for (const cgroup of cgroups) {
      const found = await this.sample(cgroup, detail);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** In the namespace of the first of these that has a process. */
  async #network(cgroups: readonly string[]) {
    const { usage } = this.#ports;
    for (const cgroup of cgroups) {
      const pid = await usage.processOf(cgroup);
      if (pid !== undefined) return await usage.network(pid);
    }
    return undefined;
  }

  /** Over the time since the last look that is long enough ago. */
  #rate(cgroup: string, { atMs, cpu }: CgroupUse): bigint | undefined {
    if (cpu === undefined) return undefined;
    const last = this.#looks.get(cgroup);
    const passedMs = atMs - (last?.atMs ?? -Infinity);
    if (last !== undefined && passedMs < SHORTEST_RATE_MS) {
      return last.nanoCores;
    }
    const used = cpu.usageNs - (last?.usageNs ?? 0n);
    // Less than before: another cgroup has taken the name.
    const nanoCores = last === undefined || used < 0n
      ? undefined
      : used * 1000n / BigInt(Math.round(passedMs));
    this.#looks.set(cgroup, { atMs, usageNs: cpu.usageNs, nanoCores });
    return nanoCores;
  }

  /** Cgroups that nobody has seen for long are gone. */
  #dropOld(): void {
    const oldMs = this.#ports.clock.nowMs() - 10 * 60_000;
    this.#looks = new Map(
      [...this.#looks].filter(([, { atMs }]) => atMs > oldMs),
    );
  }
}

function sandboxesOf(pod: MeasuredPod): string[] {
  return pod.sandbox === undefined ? [] : cgroupsOf(pod, pod.sandbox);
}

/**
 * Where a runtime puts a container below its pod's cgroup.
 * Compat: containerd and CRI-O, with cgroupfs and with systemd.
 */
export function cgroupsOf({ cgroup }: MeasuredPod, id: string): string[] {
  const names = cgroup.endsWith(".slice")
    ? [`cri-containerd-${id}.scope`, `crio-${id}.scope`]
    : [id, `crio-${id}`];
  return names.map((name) => `${cgroup}/${name}`);
}
