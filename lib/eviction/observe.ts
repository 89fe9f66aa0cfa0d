/**
 * Reads the machine for eviction: a handful of files and at most one question
 * to the runtime. What cannot be read is left out; that is told in the log and
 * by `explain`, and nobody acts on it.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Images } from "../port/images.ts";
import type { FilesystemCounts, Usage } from "../port/usage.ts";
import type { Measured } from "./measure.ts";

export interface ObservePorts {
  readonly usage: Pick<Usage, "cgroup" | "filesystem" | "processes">;
  readonly images: Pick<Images, "usage">;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ObserveSettings {
  readonly rootDir: string;
  readonly memoryBytes: bigint;
  /** The cgroup above all pods; empty: it is not looked at. */
  readonly allPods: () => string;
}

/** `memory`: for a quick look in between; the rest is absent. */
export type Scope = "memory" | "everything";

export async function observe(
  ports: ObservePorts,
  settings: ObserveSettings & { readonly scope: Scope },
  signal: AbortSignal,
): Promise<Measured> {
  const { usage, clock } = ports;
  const { rootDir, memoryBytes, scope } = settings;
  const read = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask();
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      ports.log.debug("Cannot measure for eviction", {
        error: chainOf(error),
      });
      return undefined;
    }
  };
  const allPods = settings.allPods();
  const node = await read(() => usage.cgroup("/", "cpu-and-memory"));
  const pods = allPods === ""
    ? undefined
    : await read(() => usage.cgroup(allPods, "cpu-and-memory"));
  const memory = {
    ...{ node, allPods: pods, allPodsPath: allPods, memoryBytes },
  };
  if (scope === "memory") {
    return { ...memory, ...NO_DISKS, atMs: clock.nowMs() };
  }
  const disk = (path: string | undefined) =>
    path === undefined
      ? Promise.resolve(undefined)
      : read<FilesystemCounts | undefined>(() => usage.filesystem(path));
  const found = await read(() => ports.images.usage(signal));
  const imagePath = found?.images[0]?.mountpoint;
  const layerPath = found?.containers[0]?.mountpoint ?? imagePath;
  const [root, images, containers] = await Promise.all(
    [rootDir, imagePath, layerPath].map(disk),
  );
  const processes = await read(() => usage.processes());
  return {
    ...memory,
    ...{ root, images, containers, processes },
    atMs: clock.nowMs(),
  };
}

const NO_DISKS = {
  root: undefined,
  images: undefined,
  containers: undefined,
  processes: undefined,
} as const;
