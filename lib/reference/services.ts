/**
 * The services that containers are told of: one list and one watch for the
 * whole agent, of which only names, addresses and ports are kept.
 */
import type { Logger } from "../base/log.ts";
import { MASTER } from "../api/master_service.ts";
import type { ApiObject, ClusterObjects } from "../port/cluster.ts";
import type { ServiceFacts } from "./types.ts";

export interface ServicePorts {
  readonly objects: Pick<ClusterObjects, "watchServices">;
  readonly log: Logger;
  /** They have been listed for the first time: pods may start now. */
  readonly listed: () => void;
}

type Services = Map<string, Map<string, ServiceFacts>>;

export class ServiceList {
  readonly #ports: ServicePorts;
  /** By namespace and name; undefined until they have been listed once. */
  #services: Services | undefined;

  constructor(ports: ServicePorts) {
    this.#ports = ports;
  }

  /** Follows the services until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { objects, log, listed } = this.#ports;
    try {
      for await (const news of objects.watchServices(signal)) {
        switch (news.kind) {
          case "listed": {
            const isFirst = this.#services === undefined;
            this.#services = new Map();
            for (const each of news.services) put(this.#services, each);
            if (isFirst) listed();
            break;
          }
          case "changed":
            if (this.#services !== undefined) put(this.#services, news.service);
            break;
          case "deleted":
            take(this.#services, factsOf(news.service));
            break;
          case "silent":
            log.warn("No news of the services", { error: news.message });
            break;
          case "steady":
            break;
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /**
   * Those of a namespace, and the one that leads to the API server; undefined
   * until they have been listed once.
   */
  of(namespace: string): readonly ServiceFacts[] | undefined {
    if (this.#services === undefined) return undefined;
    const own = this.#services.get(namespace);
    const master = this.#services.get(MASTER.namespace)?.get(MASTER.name);
    return [
      ...own?.values() ?? [],
      ...master === undefined || namespace === MASTER.namespace ? [] : [master],
    ];
  }
}

function put(services: Services, service: ApiObject): void {
  const facts = factsOf(service);
  const own = services.get(facts.namespace) ?? new Map<string, ServiceFacts>();
  services.set(facts.namespace, own.set(facts.name, facts));
}

function take(services: Services | undefined, facts: ServiceFacts): void {
  const own = services?.get(facts.namespace);
  own?.delete(facts.name);
  if (own?.size === 0) services?.delete(facts.namespace);
}

function factsOf({ metadata, spec }: ApiObject): ServiceFacts {
  const { name, namespace } = membersOf(metadata);
  const { clusterIP, ports } = membersOf(spec);
  return {
    name: String(name ?? ""),
    namespace: String(namespace ?? ""),
    clusterIp: String(clusterIP ?? ""),
    ports: (Array.isArray(ports) ? ports : []).map((each: unknown) => {
      const { name, port, protocol } = membersOf(each);
      return {
        name: String(name ?? ""),
        port: Number(port ?? 0),
        protocol: String(protocol ?? "TCP"),
      };
    }),
  };
}

function membersOf(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
