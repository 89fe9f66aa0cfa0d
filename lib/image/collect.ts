/**
 * Removes images that nobody needs: every five minutes when the disk is full,
 * and at once when eviction asks. Remembers when each image was seen and used,
 * which an agent that starts again learns anew. One collection at a time.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { Step } from "../api/step.ts";
import type { Images } from "../port/images.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import {
  type Disk,
  type GcSettings,
  grownUp,
  type ImageRecord,
  insufficient,
  need,
  removable,
  seen,
  tooOld,
} from "./gc.ts";
import type { PullRecords } from "./pull_records.ts";

/** Compat: kubelet 1.36 ImageGCPeriod. */
const PERIOD_MS = 300_000;

export interface CollectPorts {
  readonly images: Pick<Images, "list" | "remove" | "usage">;
  readonly runtime: Pick<ContainerRuntime, "listContainers">;
  /** Of the file system with this path; undefined when it is not known. */
  readonly disk: (path: string) => Promise<Disk | undefined>;
  /** Images that wanted pods name; undefined while that is not known yet. */
  readonly wanted: () => Iterable<string> | undefined;
  /** Pruned with the images. */
  readonly records: Pick<PullRecords, "prune"> | undefined;
  /** Events of the node. */
  readonly recorder: { record(step: Step): void };
  /** Told of each image that went, and why. */
  readonly removed: (reason: "age" | "space") => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export class ImageCollector {
  readonly #ports: CollectPorts;
  readonly #settings: GcSettings;
  readonly #turn = new Semaphore(1);
  #known: ReadonlyMap<string, ImageRecord> = new Map();
  #hasFailed = false;

  constructor(ports: CollectPorts, settings: GcSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  /** Collects until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const { highPercent, maxAgeMs } = this.#settings;
    const startedAtMs = clock.nowMs();
    const work = highPercent === 100 && maxAgeMs === 0
      ? async () => void await this.#look(signal)
      : () => this.#collect(startedAtMs, signal);
    while (!signal.aborted) {
      try {
        await this.#turn.run(work, signal);
        this.#hasFailed = false;
      } catch (error) {
        if (isAbort(error, signal)) return;
        this.#fail(error);
      }
      await clock.sleep(PERIOD_MS, signal).catch((error) => {
        if (!isAbort(error, signal)) throw error;
      });
    }
  }

  /** Removes all that is unused and old enough; gives how much that was. */
  removeUnused(signal: AbortSignal): Promise<bigint> {
    return this.#turn.run(async () => {
      const nowMs = await this.#look(signal);
      if (this.#ports.wanted() === undefined) return 0n;
      const candidates = removable(this.#known.values(), nowMs);
      const all = grownUp(candidates, this.#settings, nowMs);
      const freed = await this.#remove(all, { reason: "space" }, signal);
      await this.#prune(nowMs);
      return freed;
    }, signal);
  }

  async #collect(startedAtMs: number, signal: AbortSignal): Promise<void> {
    const nowMs = await this.#look(signal);
    if (this.#ports.wanted() === undefined) return;
    const candidates = removable(this.#known.values(), nowMs);
    const old = tooOld(candidates, this.#settings, { nowMs, startedAtMs });
    await this.#remove(old, { reason: "age" }, signal);
    const disk = await this.#disk(signal);
    const wanted = need(disk, this.#settings);
    if (wanted.kind === "no-capacity") {
      const message = "invalid capacity 0 on image filesystem";
      this.#say("InvalidDiskCapacity", message);
      throw new AgentError(message, { next: "retry" });
    }
    const left = candidates.filter((each) => !old.includes(each));
    const freed = wanted.kind === "none" ? 0n : await this.#remove(
      grownUp(left, this.#settings, nowMs),
      { reason: "space", bytes: wanted.bytes },
      signal,
    );
    await this.#prune(nowMs);
    if (wanted.kind === "none" || freed >= wanted.bytes) return;
    const message = insufficient(wanted, disk, freed);
    this.#say("FreeDiskSpaceFailed", message);
    throw new AgentError(message, { next: "retry" });
  }

  /** Learns what is there and used; gives the time of the look. */
  async #look(signal: AbortSignal): Promise<number> {
    const { images, runtime, clock, wanted } = this.#ports;
    const found = await images.list(signal);
    const containers = await runtime.listContainers({}, signal);
    const nowMs = clock.nowMs();
    const ids = new Set(containers.map(({ imageRef }) => imageRef));
    const use = { ids, names: wanted() ?? [] };
    this.#known = seen(this.#known, found, { use, nowMs });
    return nowMs;
  }

  async #disk(signal: AbortSignal): Promise<Disk> {
    const { images } = await this.#ports.images.usage(signal);
    const path = images[0]?.mountpoint;
    const disk = path === undefined ? undefined : await this.#ports.disk(path);
    if (disk !== undefined) return disk;
    throw new AgentError(
      `Cannot tell the size of the image file system ${path ?? ""}`,
      { next: "retry" },
    );
  }

  /** Removes in order until enough is freed; an image that stays holds up none. */
  async #remove(
    images: readonly ImageRecord[],
    { reason, bytes }: {
      readonly reason: "age" | "space";
      readonly bytes?: bigint;
    },
    signal: AbortSignal,
  ): Promise<bigint> {
    let freed = 0n;
    const failures: string[] = [];
    for (const { image } of images) {
      if (bytes !== undefined && freed >= bytes) break;
      try {
        await this.#ports.images.remove(image.id, signal);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        failures.push(chainOf(error));
        continue;
      }
      freed += image.sizeBytes;
      this.#known = new Map(
        [...this.#known].filter(([id]) => id !== image.id),
      );
      this.#ports.removed(reason);
      this.#ports.log.info("Removed an image", {
        image: image.tags[0] ?? image.id,
        because: reason,
        sizeBytes: String(image.sizeBytes),
      });
    }
    if (failures.length === 0) return freed;
    throw new AgentError(
      `Cannot remove ${failures.length} of ${images.length} images (freed ` +
        `${freed} bytes): ${failures[0]}`,
      { next: "retry" },
    );
  }

  async #prune(nowMs: number): Promise<void> {
    await this.#ports.records?.prune(new Set(this.#known.keys()), nowMs);
  }

  /** Compat: kubelet 1.36 StartGarbageCollection: an event from the second on. */
  #fail(error: unknown): void {
    if (!(error instanceof AgentError)) throw error;
    const message = chainOf(error);
    this.#ports.log.warn("Cannot collect images", { error: message });
    if (this.#hasFailed) this.#say("ImageGCFailed", message);
    this.#hasFailed = true;
  }

  #say(reason: string, message: string): void {
    this.#ports.recorder.record({ type: "Warning", reason, message });
  }
}
