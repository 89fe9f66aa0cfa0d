/**
 * Which images may go, in which order, and how much has to be freed. Pure.
 * Compat: kubelet 1.36 realImageGCManager.GarbageCollect; besides, an image
 * that a wanted pod names is kept although no container uses it yet.
 */
import type { Image } from "../port/images.ts";
import { parseImageName, repositoryOf, withTag } from "./reference.ts";

export interface GcSettings {
  /** Used percent of the file system from which on space is freed. */
  readonly highPercent: number;
  /** Used percent at which it is enough. */
  readonly lowPercent: number;
  /** Nothing younger is removed for space. */
  readonly minAgeMs: number;
  /** Unused for longer is removed in any case; 0: never. */
  readonly maxAgeMs: number;
}

/** What is remembered of one image of the node. */
export interface ImageRecord {
  readonly image: Image;
  readonly firstSeenMs: number;
  /** -Infinity: never, as far as this agent has seen. */
  readonly lastUsedMs: number;
}

export interface Disk {
  readonly capacityBytes: bigint;
  readonly availableBytes: bigint;
}

/** Who uses images now. */
export interface ImageUse {
  /** Ids of images of containers, ended ones included. */
  readonly ids: ReadonlySet<string>;
  /** Names in wanted pods. */
  readonly names: Iterable<string>;
}

/** What is known after another look at the node. */
export function seen(
  before: ReadonlyMap<string, ImageRecord>,
  images: readonly Image[],
  { use, nowMs }: { readonly use: ImageUse; readonly nowMs: number },
): ReadonlyMap<string, ImageRecord> {
  const wanted = new Set(
    [...use.names].flatMap((name) => fullName(name) ?? []),
  );
  return new Map(images.map((image) => {
    const names = [...image.tags, ...image.digests];
    const isUsed = use.ids.has(image.id) ||
      names.some((name) => use.ids.has(name)) ||
      names.some((name) => wanted.has(fullName(name) ?? name));
    const known = before.get(image.id);
    return [image.id, {
      image,
      firstSeenMs: known?.firstSeenMs ?? nowMs,
      lastUsedMs: isUsed ? nowMs : known?.lastUsedMs ?? -Infinity,
    }];
  }));
}

/** Registry, path and tag or digest spelled out, to compare names by. */
function fullName(image: string): string | undefined {
  const tagged = withTag(image);
  const name = tagged === undefined ? undefined : parseImageName(tagged);
  const repository = repositoryOf(image);
  if (name === undefined || repository === undefined) return undefined;
  return name.digest === undefined
    ? `${repository}:${name.tag}`
    : `${repository}@${name.digest}`;
}

/** Unused and not pinned, the longest unused first, then the oldest. */
export function removable(
  records: Iterable<ImageRecord>,
  nowMs: number,
): readonly ImageRecord[] {
  return [...records]
    .filter(({ image, lastUsedMs }) => !image.isPinned && lastUsedMs < nowMs)
    .sort((a, b) =>
      a.lastUsedMs === b.lastUsedMs
        ? a.firstSeenMs - b.firstSeenMs
        : a.lastUsedMs < b.lastUsedMs
        ? -1
        : 1
    );
}

/** Unused for too long; none before the agent itself is that old. */
export function tooOld(
  candidates: readonly ImageRecord[],
  { maxAgeMs }: GcSettings,
  { nowMs, startedAtMs }: {
    readonly nowMs: number;
    readonly startedAtMs: number;
  },
): readonly ImageRecord[] {
  if (maxAgeMs === 0 || nowMs - startedAtMs <= maxAgeMs) return [];
  return candidates.filter(({ lastUsedMs }) => nowMs - lastUsedMs > maxAgeMs);
}

/** Old enough to be removed for space. */
export function grownUp(
  candidates: readonly ImageRecord[],
  { minAgeMs }: GcSettings,
  nowMs: number,
): readonly ImageRecord[] {
  return candidates.filter(({ firstSeenMs }) =>
    nowMs - firstSeenMs >= minAgeMs
  );
}

export type Need =
  | { readonly kind: "none"; readonly usedPercent: number }
  | { readonly kind: "no-capacity" }
  | {
    readonly kind: "free";
    readonly bytes: bigint;
    readonly usedPercent: number;
  };

/** How much space is to be freed. */
export function need(disk: Disk, settings: GcSettings): Need {
  const { capacityBytes: capacity } = disk;
  if (capacity <= 0n) return { kind: "no-capacity" };
  const available = disk.availableBytes > capacity
    ? capacity
    : disk.availableBytes;
  const usedPercent = 100 - Number(available * 100n / capacity);
  if (usedPercent < settings.highPercent) return { kind: "none", usedPercent };
  const goal = capacity * BigInt(100 - settings.lowPercent) / 100n;
  return { kind: "free", bytes: goal - available, usedPercent };
}

/** In the kubelet's words, with the arithmetic behind them. */
export function insufficient(
  wanted: Extract<Need, { kind: "free" }>,
  disk: Disk,
  freedBytes: bigint,
): string {
  return "Insufficient free disk space on the node's image filesystem " +
    `(${wanted.usedPercent}% of ${sizeText(disk.capacityBytes)} used). ` +
    "Failed to free sufficient space by deleting unused images (freed " +
    `${freedBytes} bytes of ${wanted.bytes} wanted). Investigate disk usage, ` +
    "as it could be used by active images, logs, volumes, or other data.";
}

/** Compat: kubelet 1.36 formatSize: `12.3 GiB`. */
export function sizeText(bytes: bigint): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  if (bytes < 1024n) return `${bytes} B`;
  let size = Number(bytes) / 1024;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(1)} ${units[unit]}`;
}
