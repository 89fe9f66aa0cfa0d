/** Asks a world's API server as its administrator, and waits for answers. */
import { parse } from "yaml";
import { until } from "../world/command.ts";
import type { ClusterFacts } from "./facts.ts";

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly contentType?: string;
  readonly body?: unknown;
  /** Whose rights to ask with; the administrator's by default. */
  readonly kubeconfig?: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly "certificate-authority-data": string } },
  ];
  readonly users: readonly [
    { readonly user: Readonly<Record<string, string>> },
  ];
}

/** What it takes to ask with the rights of a kubeconfig. */
export interface Access {
  /** The caller's to close. */
  readonly client: Deno.HttpClient;
  readonly headers: Readonly<Record<string, string>>;
}

export async function accessBy(kubeconfig: string): Promise<Access> {
  const text = await Deno.readTextFile(kubeconfig);
  const { clusters, users }: Kubeconfig = parse(text);
  const { user } = users[0];
  const cert = user["client-certificate-data"];
  const key = user["client-key-data"];
  const caCerts = [atob(clusters[0].cluster["certificate-authority-data"])];
  return {
    client: Deno.createHttpClient({
      caCerts,
      ...(cert !== undefined && key !== undefined
        ? { cert: atob(cert), key: atob(key) }
        : {}),
    }),
    headers: user.token === undefined
      ? {}
      : { authorization: `Bearer ${user.token}` },
  };
}

/** One request with a connection of its own; any status is an answer. */
export async function ask(
  cluster: ClusterFacts,
  path: string,
  wish: Ask = {},
): Promise<Answer> {
  const access = await accessBy(wish.kubeconfig ?? cluster.adminKubeconfig);
  using client = access.client;
  const response = await fetch(cluster.server + path, {
    client,
    method: wish.method ?? "GET",
    headers: {
      "content-type": wish.contentType ?? "application/json",
      ...access.headers,
    },
    ...(wish.body === undefined ? {} : { body: JSON.stringify(wish.body) }),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, text: await response.text() };
}

/** As `ask`, for an answer that is to be a success: the parsed object. */
export async function get<T>(
  cluster: ClusterFacts,
  path: string,
  wish: Ask = {},
): Promise<T> {
  const { status, text } = await ask(cluster, path, wish);
  if (status >= 300) {
    throw new Error(
      `Cannot ${wish.method ?? "GET"} ${path}: ${status} ${text}`,
    );
  }
  return JSON.parse(text);
}

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** Server-side apply: makes the object, or makes it so. */
export async function apply(
  cluster: ClusterFacts,
  plural: string,
  object: ApiObject & Record<string, unknown>,
): Promise<void> {
  const { name, namespace } = object.metadata;
  const group = object.apiVersion.includes("/") ? "apis" : "api";
  const scope = namespace === undefined ? "" : `namespaces/${namespace}/`;
  await get(
    cluster,
    `/${group}/${object.apiVersion}/${scope}${plural}/${name}` +
      "?fieldManager=denolet-cluster&force=true",
    {
      method: "PATCH",
      contentType: "application/apply-patch+yaml",
      body: object,
    },
  );
}

/** Whether the API server says that it is ready, or `path` is there. */
export async function isThere(
  cluster: ClusterFacts,
  path: string,
): Promise<boolean> {
  try {
    return (await ask(cluster, path)).status === 200;
  } catch (error) {
    // Nobody listens there yet, or not for long.
    if (error instanceof TypeError) return false;
    if (error instanceof DOMException) return false;
    throw error;
  }
}

/** Handshakes of the impatient slow down what they wait for. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

export function untilThere(
  cluster: ClusterFacts,
  path: string,
  timeoutMs = 60_000,
): Promise<void> {
  return until(`${path} at ${cluster.server}`, async () => {
    if (await isThere(cluster, path)) return true;
    await pause();
    return false;
  }, timeoutMs);
}
