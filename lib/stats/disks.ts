/**
 * What pods take on disk: writable layers from the runtime, logs and volumes
 * by walking them. A walk is slow, so it is done at most once in a while for
 * each tree, one at a time, and whoever asks meanwhile gets what is known.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Pace } from "../base/pace.ts";
import { within } from "../base/wait.ts";
import type { ContainerId, PodUid } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import type { Images } from "../port/images.ts";
import type { ContainerRuntime, ListFilter } from "../port/runtime.ts";
import type { FilesystemUsage } from "../port/runtime_status.ts";
import type { Usage } from "../port/usage.ts";
import type {
  Disk,
  DiskFigures,
  LogFigures,
  MeasuredPod,
  MeasuredVolume,
  VolumeTaken,
} from "./types.ts";

interface Ports {
  readonly usage: Usage;
  readonly runtime: Pick<ContainerRuntime, "listContainerStats">;
  readonly images: Pick<Images, "usage">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pods: () => readonly MeasuredPod[];
  readonly meters?: Pick<Meters, "treeSeconds">;
}

interface Settings {
  readonly rootDir: string;
  readonly isRootMeasured: boolean;
  /** How old a measured tree may be; negative: trees are not measured. */
  readonly diskAgeMs: number;
}

/** The runtime itself looks no more often, and asks every shim for it. */
const LAYERS_AGE_MS = 10_000;
const ALL_LAYERS_MS = 10_000;
const POD_LAYERS_MS = 2_000;

export class DiskMeter {
  readonly #ports: Ports;
  readonly #settings: Settings;
  #trees = new Map<string, VolumeTaken>();
  #walking: Promise<void> | undefined;
  /** Some pod's containers could not be asked the last time. */
  #hasSilent = false;
  #layersOf: {
    readonly atMs: number;
    readonly found: Promise<ReadonlyMap<ContainerId, FilesystemUsage>>;
  } | undefined;

  constructor(ports: Ports, settings: Settings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  async measure(signal: AbortSignal): Promise<DiskFigures> {
    const { usage, clock, pods } = this.#ports;
    const { isRootMeasured, rootDir } = this.#settings;
    await this.#walk(signal);
    const [root, runtime, layers, processes] = await Promise.all([
      isRootMeasured ? usage.filesystem(rootDir) : undefined,
      this.#runtimeDisks(signal),
      this.#recentLayers(signal),
      usage.processes(),
    ]);
    const all = pods();
    return {
      atMs: clock.nowMs(),
      root,
      ...runtime,
      layers,
      logs: new Map(
        all.flatMap(({ containers }) =>
          containers.flatMap(({ id, logDirectory }) => {
            const taken = this.#trees.get(logDirectory);
            return taken === undefined ? [] : [[id, taken] as const];
          })
        ),
      ),
      volumes: await this.#volumes(all),
      processes,
    };
  }

  logs(): readonly LogFigures[] {
    return this.#ports.pods().flatMap((pod) =>
      pod.containers.flatMap(({ name, logDirectory }) => {
        const taken = this.#trees.get(logDirectory);
        return taken === undefined
          ? []
          : [{ pod, container: name, usedBytes: taken.usedBytes }];
      })
    );
  }

  /** The first to ask waits for what was never measured; others do not. */
  async #walk(signal: AbortSignal): Promise<void> {
    const { diskAgeMs } = this.#settings;
    if (diskAgeMs < 0) return;
    const wanted = new Map(
      this.#ports.pods().flatMap((pod) => [
        ...pod.containers.map(({ logDirectory }) =>
          [logDirectory, "logs"] as const
        ),
        ...pod.volumes.filter(({ measuredBy }) => measuredBy === "walk")
          .map(({ path }) => [path, "volume"] as const),
      ]),
    );
    this.#trees = new Map(
      [...this.#trees].filter(([path]) => wanted.has(path)),
    );
    const isNew = wanted.keys().some((path) => !this.#trees.has(path));
    this.#walking ??= this.#visit(wanted, signal)
      .finally(() => this.#walking = undefined);
    if (isNew) await this.#walking;
  }

  /** Never rejects but for the abort. */
  async #visit(
    wanted: ReadonlyMap<string, "logs" | "volume">,
    signal: AbortSignal,
  ): Promise<void> {
    const { usage, clock, log, meters } = this.#ports;
    const pace = new Pace(clock);
    for (const [path, kind] of wanted) {
      const age = clock.nowMs() - (this.#trees.get(path)?.atMs ?? -Infinity);
      if (age < this.#settings.diskAgeMs) continue;
      const startedMs = clock.monotonicMs();
      try {
        const { usedBytes, inodes } = await usage.tree(path, signal);
        if (kind === "volume") {
          const seconds = (clock.monotonicMs() - startedMs) / 1000;
          meters?.treeSeconds.observe({ metric_source: "du" }, seconds);
        }
        // Compat: kubelet 1.36 volumeStatCalculator: both at one moment.
        const whole = kind === "volume"
          ? await usage.filesystem(path)
          : undefined;
        const atMs = clock.nowMs();
        this.#trees.set(path, { usedBytes, inodes, whole, atMs });
        // A small tree takes no turn of its own, but a hundred of them do.
        await pace.step(signal);
      } catch (error) {
        if (isAbort(error, signal)) return;
        log.debug("Cannot measure a tree", { path, error: chainOf(error) });
      }
    }
  }

  async #volumes(
    pods: readonly MeasuredPod[],
  ): Promise<DiskFigures["volumes"]> {
    const found = new Map<PodUid, Map<string, VolumeTaken>>();
    for (const { uid, volumes } of pods) {
      const own = new Map<string, VolumeTaken>();
      for (const volume of volumes) {
        const taken = await this.#volume(volume);
        if (taken !== undefined) own.set(volume.name, taken);
      }
      found.set(uid, own);
    }
    return found;
  }

  async #volume(
    { path, measuredBy }: MeasuredVolume,
  ): Promise<VolumeTaken | undefined> {
    const { usage, clock } = this.#ports;
    if (measuredBy === "walk") return this.#trees.get(path);
    const whole = await this.#or(() => usage.filesystem(path), undefined);
    if (whole === undefined) return undefined;
    const { usedBytes, inodes, inodesFree } = whole;
    const atMs = clock.nowMs();
    return { usedBytes, inodes: inodes - inodesFree, atMs, whole };
  }

  async #runtimeDisks(signal: AbortSignal) {
    const { images } = this.#ports;
    const found = await this.#or(
      () => images.usage(signal),
      { images: [], containers: [] },
    );
    const [image, containers] = await Promise.all([
      this.#disk(found.images[0]),
      this.#disk(found.containers[0] ?? found.images[0]),
    ]);
    return { image, containers };
  }

  async #disk(own: FilesystemUsage | undefined): Promise<Disk | undefined> {
    if (own === undefined) return undefined;
    const { usage } = this.#ports;
    const whole = await this.#or(
      () => usage.filesystem(own.mountpoint),
      undefined,
    );
    return whole && { whole, own };
  }

  #recentLayers(
    signal: AbortSignal,
  ): Promise<ReadonlyMap<ContainerId, FilesystemUsage>> {
    const nowMs = this.#ports.clock.monotonicMs();
    const known = this.#layersOf;
    if (known !== undefined && nowMs - known.atMs < LAYERS_AGE_MS) {
      return known.found;
    }
    const found = this.#layers(signal);
    this.#layersOf = { atMs: nowMs, found };
    return found;
  }

  async #layers(
    signal: AbortSignal,
  ): Promise<ReadonlyMap<ContainerId, FilesystemUsage>> {
    const all = this.#hasSilent
      ? undefined
      : await this.#askLayers({}, ALL_LAYERS_MS, signal);
    if (all !== undefined) return new Map(all);
    // One shim that hangs keeps the runtime from telling of all the others.
    const pods = this.#ports.pods();
    const each = await Promise.all(
      pods.map(({ uid }) =>
        this.#askLayers({ podUid: uid }, POD_LAYERS_MS, signal)
      ),
    );
    this.#hasSilent = each.includes(undefined);
    return new Map(each.flatMap((found) => found ?? []));
  }

  /** Undefined: there was no answer, or not in time. */
  async #askLayers(filter: ListFilter, ms: number, signal: AbortSignal) {
    const { runtime, clock } = this.#ports;
    const list = await this.#or(
      () =>
        within(
          { clock, ms, signal },
          (each) => runtime.listContainerStats(filter, each),
        ),
      undefined,
    );
    return list?.flatMap(({ id, writableLayer }) =>
      writableLayer === undefined ? [] : [[id, writableLayer] as const]
    );
  }

  /** A runtime that is away leaves its own figures out, no others. */
  async #or<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.#ports.log.debug("Cannot measure disks", {
        error: chainOf(error),
      });
      return otherwise;
    }
  }
}
