/** Usage and images, wire → ours, and pull requests, ours → wire. Pure. */
import { containerId, podUid } from "../api/id.ts";
import type { Image, PullRequest } from "../port/images.ts";
import type {
  ContainerStats,
  FilesystemUsage,
} from "../port/runtime_status.ts";
import {
  bigintOf,
  millisecondsOf,
  POD_UID_LABEL,
  unwrapped,
} from "./translate.ts";
import { imageSpec, sandboxConfig } from "./translate_spec.ts";
import type * as wire from "./wire.ts";
import type * as usage from "./wire_stats.ts";

export function containerStats(stats: usage.ContainerStats): ContainerStats {
  const { attributes, cpu, memory, writableLayer } = stats;
  return {
    id: containerId(attributes?.id ?? ""),
    name: attributes?.metadata?.name ?? "",
    podUid: podUid(attributes?.labels[POD_UID_LABEL] ?? ""),
    ...(cpu === null ? {} : {
      cpu: {
        atMs: millisecondsOf(cpu.timestamp),
        coreNanoseconds: unwrapped(cpu.usageCoreNanoSeconds),
      },
    }),
    ...(memory === null ? {} : {
      memory: {
        atMs: millisecondsOf(memory.timestamp),
        workingSetBytes: unwrapped(memory.workingSetBytes),
        usageBytes: unwrapped(memory.usageBytes),
        rssBytes: unwrapped(memory.rssBytes),
      },
    }),
    ...(writableLayer === null
      ? {}
      : { writableLayer: filesystemUsage(writableLayer) }),
  };
}

export function filesystemUsage(
  filesystem: usage.FilesystemUsage,
): FilesystemUsage {
  return {
    atMs: millisecondsOf(filesystem.timestamp),
    mountpoint: filesystem.fsId?.mountpoint ?? "",
    usedBytes: unwrapped(filesystem.usedBytes),
    inodesUsed: unwrapped(filesystem.inodesUsed),
  };
}

export function image(image: wire.Image): Image {
  return {
    id: image.id,
    tags: image.repoTags,
    digests: image.repoDigests,
    sizeBytes: bigintOf(image.size),
    isPinned: image.pinned,
    ...(image.uid === null ? {} : { uid: bigintOf(image.uid.value) }),
    userName: image.username,
  };
}

export function pullRequest(request: PullRequest): wire.PullImageRequest {
  return {
    image: imageSpec(request),
    auth: request.auth ?? null,
    sandboxConfig: request.sandbox ? sandboxConfig(request.sandbox) : null,
  };
}
