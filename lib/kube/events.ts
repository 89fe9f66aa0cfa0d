/** Events, on a lane and at a rate of their own. */
import { objectIn, textIn } from "../base/json.ts";
import type { ApiObject, ClusterEvents } from "../port/cluster.ts";
import type { Client } from "./client.ts";

export class KubeEvents implements ClusterEvents {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  create(event: ApiObject, signal: AbortSignal): Promise<ApiObject> {
    const metadata = objectIn(event, "metadata");
    const namespace = textIn(metadata, "namespace") ?? "default";
    const ask = {
      doing: `record event ${textIn(event, "reason") ?? ""}`.trimEnd(),
      method: "POST",
      path: pathOf(namespace),
      body: event,
      lane: "events",
    } as const;
    return this.#client.object(ask, signal);
  }

  patch(
    event: { readonly namespace: string; readonly name: string },
    patch: ApiObject,
    signal: AbortSignal,
  ): Promise<ApiObject> {
    const ask = {
      doing: `count event ${event.namespace}/${event.name}`,
      method: "PATCH",
      path: `${pathOf(event.namespace)}/${encodeURIComponent(event.name)}`,
      body: patch,
      contentType: "application/strategic-merge-patch+json",
      lane: "events",
    } as const;
    return this.#client.object(ask, signal);
  }
}

function pathOf(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}
