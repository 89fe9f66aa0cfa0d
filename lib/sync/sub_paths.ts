/**
 * Binds the paths inside of volumes that a container mounts, right before it
 * is created. Called by apply.ts. The words tell nothing of the host, which a
 * pod may try to find out about.
 * Compat: kubelet 1.36 makeMounts.
 */
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { SubPathMount } from "../pod/action.ts";
import type { Mounts } from "../port/host.ts";

export interface SubPathPorts {
  readonly mounts: Pick<Mounts, "makeInside" | "bindInside">;
  readonly log: Logger;
}

export async function prepareSubPaths(
  ports: SubPathPorts,
  container: string,
  subPaths: readonly SubPathMount[],
): Promise<void> {
  const { mounts } = ports;
  for (const each of subPaths) {
    const { volume, path } = each;
    const at = { ports, container, volume: each.volumeName };
    await worded(
      at,
      "failed to create subPath directory",
      () => mounts.makeInside(volume, path),
    );
    await worded(
      at,
      "failed to prepare subPath",
      () => mounts.bindInside(each),
    );
  }
}

async function worded(
  at: {
    readonly ports: SubPathPorts;
    readonly container: string;
    readonly volume: string;
  },
  words: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { container, volume } = at;
    at.ports.log.warn("A path inside of a volume cannot be mounted", {
      container,
      volume,
      error: chainOf(error),
    });
    throw new AgentError(
      `${words} for volumeMount "${volume}" of container "${container}"`,
      { next: "retry", reason: "CreateContainerConfigError" },
    );
  }
}
