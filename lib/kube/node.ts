/**
 * The Node object and its lease, on a lane of their own: a heartbeat never
 * waits for pods, events or the rate of either.
 */
import { AgentError } from "../base/errors.ts";
import { objectIn, textIn } from "../base/json.ts";
import type { ApiObject, ClusterNode } from "../port/cluster.ts";
import type { Ask } from "./client.ts";
import { saying, statusOf } from "./errors.ts";
import { watchObject, type WatchParts } from "./watch.ts";

const NODES = "/api/v1/nodes";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

export class KubeNode implements ClusterNode {
  readonly #parts: WatchParts;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  get(name: string, signal: AbortSignal): Promise<ApiObject | undefined> {
    return this.#get(`get node ${name}`, pathOf(NODES, name), signal);
  }

  async create(node: ApiObject, signal: AbortSignal): Promise<ApiObject> {
    const doing = `register node ${nameOf(node)}`;
    const ask = { doing, method: "POST", path: NODES, body: node } as const;
    try {
      return await this.#ask(ask, signal);
    } catch (error) {
      // Compat: kubelet 1.36 tryRegisterWithAPIServer: it may be there already.
      throw error instanceof AgentError && statusOf(error) === 403
        ? saying(error, "already-so")
        : error;
    }
  }

  patchStatus(
    name: string,
    patch: ApiObject,
    signal: AbortSignal,
  ): Promise<ApiObject> {
    const ask = {
      doing: `write the status of node ${name}`,
      method: "PATCH",
      path: `${pathOf(NODES, name)}/status`,
      body: patch,
      contentType: "application/strategic-merge-patch+json",
    } as const;
    return this.#ask(ask, signal);
  }

  async *watch(
    name: string,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly node: ApiObject | undefined }> {
    const what = {
      path: NODES,
      fieldSelector: `metadata.name=${name}`,
      doing: `watch node ${name}`,
    };
    for await (const node of watchObject(this.#parts, what, signal)) {
      yield { node };
    }
  }

  getLease(name: string, signal: AbortSignal): Promise<ApiObject | undefined> {
    return this.#get(`get lease ${name}`, pathOf(LEASES, name), signal);
  }

  createLease(lease: ApiObject, signal: AbortSignal): Promise<ApiObject> {
    const doing = `create lease ${nameOf(lease)}`;
    const ask = { doing, method: "POST", path: LEASES, body: lease } as const;
    return this.#ask(ask, signal);
  }

  updateLease(lease: ApiObject, signal: AbortSignal): Promise<ApiObject> {
    const name = nameOf(lease);
    const ask = {
      doing: `renew lease ${name}`,
      method: "PUT",
      path: pathOf(LEASES, name),
      body: lease,
    } as const;
    return this.#ask(ask, signal);
  }

  async #get(
    doing: string,
    path: string,
    signal: AbortSignal,
  ): Promise<ApiObject | undefined> {
    try {
      return await this.#ask({ doing, method: "GET", path }, signal);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  #ask(ask: Ask, signal: AbortSignal): Promise<ApiObject> {
    return this.#parts.client.object({ ...ask, lane: "heartbeat" }, signal);
  }
}

function pathOf(collection: string, name: string): string {
  return `${collection}/${encodeURIComponent(name)}`;
}

function nameOf(object: ApiObject): string {
  return textIn(objectIn(object, "metadata"), "name") ?? "";
}
