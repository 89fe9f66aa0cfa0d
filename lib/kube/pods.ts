/** Pods of the cluster: watched for one node, patched, made and removed. */
import type { PodStatusChange } from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import { AgentError } from "../base/errors.ts";
import type { ClusterPods, PodNews, PodRef } from "../port/cluster.ts";
import { saying, ServerRefusal, statusOf } from "./errors.ts";
import { podBody, podFrom, podNews, podStatusPatch } from "./translate.ts";
import { watchObjects, type WatchParts } from "./watch.ts";

/** 110 pods of 600 KB each: far more than any node has. */
const LONGEST_LIST_BYTES = 64 * 1024 * 1024;
const STRATEGIC = "application/strategic-merge-patch+json";

export class KubePods implements ClusterPods {
  readonly #parts: WatchParts;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  async *watch(nodeName: string, signal: AbortSignal): AsyncGenerator<PodNews> {
    const what = {
      path: "/api/v1/pods",
      fieldSelector: `spec.nodeName=${nodeName}`,
      doing: `watch the pods of node ${nodeName}`,
      mostBytes: LONGEST_LIST_BYTES,
    };
    for await (const news of watchObjects(this.#parts, what, signal)) {
      yield podNews(news);
    }
  }

  async patchStatus(
    pod: PodRef,
    status: PodStatusChange,
    signal: AbortSignal,
  ): Promise<V1Pod> {
    const ask = {
      doing: `write the status of pod ${titleOf(pod)}`,
      method: "PATCH",
      path: `${pathOf(pod)}/status`,
      body: podStatusPatch(pod, status),
      contentType: STRATEGIC,
    } as const;
    try {
      return podFrom(await this.#parts.client.object(ask, signal));
    } catch (error) {
      throw isOther(error) ? saying(error, "give-up") : error;
    }
  }

  async remove(pod: PodRef, signal: AbortSignal): Promise<void> {
    const ask = {
      doing: `delete pod ${titleOf(pod)}`,
      method: "DELETE",
      path: pathOf(pod),
      body: {
        apiVersion: "v1",
        kind: "DeleteOptions",
        gracePeriodSeconds: 0,
        preconditions: { uid: pod.uid },
      },
    } as const;
    try {
      await this.#parts.client.text(ask, signal);
    } catch (error) {
      const isGone = isOther(error) ||
        (error instanceof AgentError && statusOf(error) === 404);
      throw isGone ? saying(error, "already-so") : error;
    }
  }

  async create(pod: V1Pod, signal: AbortSignal): Promise<V1Pod> {
    const { name = "", namespace = "default" } = pod.metadata ?? {};
    const ask = {
      doing: `create pod ${namespace}/${name}`,
      method: "POST",
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
      body: podBody(pod),
    } as const;
    return podFrom(await this.#parts.client.object(ask, signal));
  }

  async get(
    pod: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<V1Pod | undefined> {
    const doing = `get pod ${titleOf(pod)}`;
    const ask = { doing, method: "GET", path: pathOf(pod) } as const;
    try {
      return podFrom(await this.#parts.client.object(ask, signal));
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

function pathOf({ namespace, name }: Named): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/` +
    encodeURIComponent(name);
}

function titleOf({ namespace, name }: Named): string {
  return `${namespace}/${name}`;
}

/** A conflict about the uid: the pod we mean is gone. */
function isOther(error: unknown): error is AgentError {
  return error instanceof AgentError && error.cause instanceof ServerRefusal &&
    error.cause.status === 409 && /\buid\b/i.test(error.cause.message);
}
