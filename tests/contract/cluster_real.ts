/**
 * A real kube-apiserver for tests: opened by lib/kube, and acted on past the
 * port as an admin would. Wanted from the environment:
 * - DENOLET_TEST_KUBECONFIG: an admin's, of a cluster with a controller manager
 *   that signs certificates.
 */
import { silentLogger } from "../../lib/base/log.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { HostFiles } from "../../lib/host/files.ts";
import { openLibc } from "../../lib/host/libc.ts";
import { Client } from "../../lib/kube/client.ts";
import { Credentials } from "../../lib/kube/credentials.ts";
import { hostPrograms } from "../../lib/host/programs.ts";
import { kubeconfigs, type KubeOptions } from "../../lib/kube/open.ts";
import { Transport } from "../../lib/kube/transport.ts";
import type { ApiObject, PodRef } from "../../lib/port/cluster.ts";
import type { Files } from "../../lib/port/host.ts";
import { makeRequest } from "../../deploy/cluster/certificates.ts";
import type { ClusterHarness } from "./cluster_case.ts";

export const KUBECONFIG = Deno.env.get("DENOLET_TEST_KUBECONFIG") ?? "";
const REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

export function realFiles(): Files {
  return new HostFiles({ libc: openLibc(), roots: ["/"], links: "follow" });
}

export function kubeOptions(own: Partial<KubeOptions> = {}): KubeOptions {
  return {
    files: realFiles(),
    clock: systemClock,
    random: systemRandom,
    programs: hostPrograms,
    log: silentLogger,
    userAgent: "denolet/test",
    limits: {
      kubeAPIQPS: 50,
      kubeAPIBurst: 100,
      eventRecordQPS: 50,
      eventBurst: 100,
      heartbeatTimeoutMs: 10_000,
    },
    ...own,
  };
}

/** Requests past the port. */
export class Admin {
  readonly #transport = new Transport();
  readonly #client: Client;

  constructor(path: string) {
    this.#client = new Client({
      credentials: new Credentials({
        path,
        pairPath: undefined,
        files: realFiles(),
        clock: systemClock,
        programs: hostPrograms,
        log: silentLogger,
      }),
      transport: this.#transport,
      clock: systemClock,
      rates: {},
      deadlinesMs: { main: 10_000, events: 10_000, heartbeat: 10_000 },
      userAgent: "denolet/test-admin",
    });
  }

  ask(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: ApiObject,
  ): Promise<ApiObject> {
    return this.#client.object({
      doing: `${method} ${path}`,
      method,
      path,
      ...(body === undefined ? {} : { body }),
      ...(method === "PATCH"
        ? { contentType: "application/strategic-merge-patch+json" }
        : {}),
    }, AbortSignal.timeout(10_000));
  }

  /** Approves or denies one request. */
  async answer(name: string, type: "Approved" | "Denied"): Promise<void> {
    const found = await this.ask("GET", `${REQUESTS}/${name}`);
    const condition = {
      type,
      status: "True",
      reason: "Tested",
      message: "by a test",
    };
    await this.ask("PUT", `${REQUESTS}/${name}/approval`, {
      ...found,
      status: { conditions: [condition] },
    });
  }

  /** Waits for a request that `isIt` knows. */
  async request(isIt: (request: ApiObject) => boolean): Promise<string> {
    for (let tries = 0; tries < 200; tries++) {
      const { items } = await this.ask("GET", REQUESTS);
      const found = (Array.isArray(items) ? items : []).find(isIt);
      if (found !== undefined) return found.metadata.name;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("Nobody asked");
  }

  async removeRequest(name: string): Promise<void> {
    await this.ask("DELETE", `${REQUESTS}/${name}`);
  }

  close(): void {
    this.#transport.drop();
  }
}

export function openReal(): Promise<ClusterHarness> {
  const cluster = kubeconfigs(kubeOptions()).open({ path: KUBECONFIG });
  const admin = new Admin(KUBECONFIG);
  const names = new Set<string>();
  const placed = new Set<string>();
  return Promise.resolve<ClusterHarness>({
    cluster,
    request: async (nodeName: string) => {
      names.add(nodeName);
      const commonName = `system:node:${nodeName}`;
      const organization = "system:nodes";
      return (await makeRequest({ commonName, organization })).request;
    },
    approve: (name: string) => admin.answer(name, "Approved"),
    deny: (name: string) => admin.answer(name, "Denied"),
    removeRequest: (name: string) => admin.removeRequest(name),
    removeNode: async (name: string) => {
      await admin.ask("DELETE", `/api/v1/nodes/${name}`);
    },
    deletePod: async ({ namespace, name }: PodRef, seconds: number) => {
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
      await admin.ask("DELETE", path, { gracePeriodSeconds: seconds });
    },
    condition: async (pod: PodRef, type: string) => {
      const condition = { type, status: "True" };
      await admin.ask(
        "PATCH",
        `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/status`,
        { status: { conditions: [condition] } },
      );
    },
    place: async (kind, name, content) => {
      const metadata = { name };
      await admin.ask("POST", collectionOf(kind), { metadata, ...content });
      placed.add(`${collectionOf(kind)}/${name}`);
    },
    change: async (kind, name, content) => {
      const path = `${collectionOf(kind)}/${name}`;
      await admin.ask("PUT", path, { metadata: { name }, ...content });
    },
    take: async (kind, name) => {
      const path = `${collectionOf(kind)}/${name}`;
      await admin.ask("DELETE", path);
      placed.delete(path);
    },
    runtimeClass: async (name, handler) => {
      const path = "/apis/node.k8s.io/v1/runtimeclasses";
      if (handler === undefined) {
        await admin.ask("DELETE", `${path}/${name}`);
      } else {
        await admin.ask("POST", path, { metadata: { name }, handler });
      }
    },
    close: async () => {
      for (const path of placed) await admin.ask("DELETE", path);
      for (const name of names) {
        await admin.removeRequest(name).catch(() => undefined);
      }
      admin.close();
      cluster.close();
      // Sockets close a moment after they are told to.
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  });
}

function collectionOf(kind: string): string {
  const scope = kind === "PersistentVolume" ? "" : "namespaces/default/";
  return `/api/v1/${scope}${kind.toLowerCase()}s`;
}
