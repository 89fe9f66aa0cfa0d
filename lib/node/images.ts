/**
 * The images a node tells the scheduler about: the largest, each with a few
 * of its names, those by digest first.
 * Compat: kubelet 1.36 nodestatus.Images.
 */
import type { ApiObject } from "../port/cluster.ts";
import type { Image } from "../port/images.ts";

const MOST_NAMES = 5;

/** `maxImages` -1 means all. */
export function imageList(
  images: readonly Image[],
  maxImages: number,
): readonly ApiObject[] {
  const bySize = [...images].sort((a, b) =>
    Number(b.sizeBytes - a.sizeBytes) || (a.id < b.id ? -1 : 1)
  );
  const told = maxImages < 0 ? bySize : bySize.slice(0, maxImages);
  return told.map(({ digests, tags, sizeBytes }) => ({
    names: [...digests, ...tags].slice(0, MOST_NAMES),
    // The API server leaves out a size of nothing.
    ...sizeBytes > 0n ? { sizeBytes: Number(sizeBytes) } : {},
  }));
}
