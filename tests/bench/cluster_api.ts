/**
 * The API server as the benchmark asks it: over one connection that stays
 * open, so that no order waits for a handshake.
 */
import { type Access, accessBy } from "../../deploy/cluster/request.ts";
import type { ClusterFacts } from "../../deploy/cluster/facts.ts";
import type { V1Pod } from "../../lib/api/types.ts";

/** Of what every kind has, as much as the benchmark looks at. */
export interface Seen {
  readonly metadata?: V1Pod["metadata"];
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
    }[];
  };
}

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Seen;
}

interface NodeObject {
  readonly spec: { readonly taints?: readonly object[] };
}

const PODS = "/api/v1/namespaces/default/pods";
const NODES = "/api/v1/nodes";
/** Longer than any benchmark: a watch that ends is ended by the server. */
const WATCH_SECONDS = 86_400;
const MOST_ENDS = 10;
const DEADLINE_MS = 30_000;

export async function openApi(cluster: ClusterFacts): Promise<Api> {
  return new Api(cluster.server, await accessBy(cluster.adminKubeconfig));
}

export class Api {
  readonly #server: string;
  readonly #access: Access;

  constructor(server: string, access: Access) {
    this.#server = server;
    this.#access = access;
  }

  close(): void {
    this.#access.client.close();
  }

  async createPod(pod: V1Pod): Promise<void> {
    await this.#ask("POST", PODS, pod);
  }

  /** With the pod's own grace. */
  async deletePod(name: string): Promise<void> {
    await this.#ask("DELETE", `${PODS}/${name}`);
  }

  async node(name: string): Promise<NodeObject> {
    return JSON.parse(await this.#ask("GET", `${NODES}/${name}`));
  }

  async deleteNode(name: string): Promise<void> {
    await this.#ask("DELETE", `${NODES}/${name}`);
  }

  async version(): Promise<string> {
    return JSON.parse(await this.#ask("GET", "/version")).gitVersion;
  }

  /** When it resolves the watch is open; what is there comes first. */
  async watch(
    kind: "pods" | "nodes",
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent>> {
    const path = kind === "pods" ? PODS : NODES;
    return this.#goOn(path, await this.#open(path, "", signal), signal);
  }

  /** A server without time for its watchers ends them; nothing is missed. */
  async *#goOn(
    path: string,
    first: WatchBody,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    let version: string | undefined;
    let body = first;
    for (let ends = 1; ends <= MOST_ENDS; ends++) {
      for await (const event of eventsIn(body)) {
        version = event.object.metadata?.resourceVersion ?? version;
        yield event;
      }
      if (signal.aborted || version === undefined) return;
      console.error(`  the server ended the watch of ${path}; going on`);
      body = await this.#open(path, `&resourceVersion=${version}`, signal);
    }
  }

  async #open(
    path: string,
    from: string,
    signal: AbortSignal,
  ): Promise<WatchBody> {
    const response = await this.#fetch(
      `${path}?watch=1&timeoutSeconds=${WATCH_SECONDS}${from}`,
      { signal },
    );
    if (response.ok && response.body !== null) return response.body;
    throw new Error(`Cannot watch ${path}: ${await response.text()}`);
  }

  async #ask(method: string, path: string, body?: object): Promise<string> {
    const response = await this.#fetch(path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new Error(`Cannot ${method} ${path}: ${response.status} ${text}`);
  }

  #fetch(path: string, init: RequestInit): Promise<Response> {
    const { client, headers } = this.#access;
    return fetch(this.#server + path, {
      ...init,
      client,
      headers: { "content-type": "application/json", ...headers },
    });
  }
}

type WatchBody = ReadableStream<Uint8Array<ArrayBuffer>>;

async function* eventsIn(
  body: WatchBody,
): AsyncGenerator<WatchEvent> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}
