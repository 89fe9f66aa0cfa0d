/**
 * Runs the sources of wanted pods and is the only writer of the `desired`
 * cell. With no source configured nothing is wanted, and that is known at
 * once.
 */
import type { Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { TaskScope } from "../base/tasks.ts";
import type { ClusterPods } from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import type { Http } from "../port/net.ts";
import { runApiSource } from "./api_source.ts";
import { runFileSource } from "./file_source.ts";
import { merge, type SourceState } from "./merge.ts";
import type { Desired, SourceKind } from "./types.ts";
import { runUrlSource } from "./url_source.ts";

/** What of the configuration is about sources; empty means not used. */
export interface SourceConfig {
  readonly nodeName: string;
  /** Static pods may name objects of the API server. */
  readonly mayReference: boolean;
  readonly staticPodPath: string;
  readonly staticPodURL: string;
  readonly staticPodURLHeader: ReadonlyMap<string, readonly string[]>;
  readonly fileCheckFrequencyMs: number;
  readonly httpCheckFrequencyMs: number;
}

export interface SourcesPorts {
  /** Follows links, as admins place them in the manifest folder. */
  readonly files: Files;
  readonly http: Http;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: SourceConfig;
  readonly desired: Writer<Desired>;
  /** Undefined on a standalone node. */
  readonly api: ApiSource | undefined;
}

export interface ApiSource {
  readonly pods: Pick<ClusterPods, "watch">;
  /** Resolves when there is a credential to ask with. */
  readonly isOpen: (signal: AbortSignal) => Promise<void>;
}

/** Runs until `signal` aborts; what is wanted stays in the cell. */
export async function runSources(
  ports: SourcesPorts,
  signal: AbortSignal,
): Promise<void> {
  const { config, clock, log, desired, api } = ports;
  const states = new Map<SourceKind, SourceState>();
  const deliver = (state: SourceState) => {
    states.set(state.kind, state);
    desired.set(merge([...states.values()], desired.get(), clock.nowMs()));
  };
  const path = cleanPath(config.staticPodPath);
  const url = config.staticPodURL;
  if (path !== "") states.set("file", silent("file"));
  if (url !== "") states.set("url", silent("url"));
  if (api !== undefined) states.set("api", silent("api"));
  desired.set(merge([...states.values()], desired.get(), clock.nowMs()));
  const scope = new TaskScope(signal, log);
  if (path !== "") {
    const periodMs = config.fileCheckFrequencyMs;
    const { nodeName, mayReference } = config;
    const source = {
      ...{ ...ports, deliver, nodeName, mayReference },
      ...{ path, periodMs },
    };
    scope.run("file-source", (each) => runFileSource(source, each));
  }
  if (url !== "") {
    const periodMs = config.httpCheckFrequencyMs;
    const headers = [...config.staticPodURLHeader].flatMap(([name, values]) =>
      values.map((value) => [name, value] as const)
    );
    const { nodeName, mayReference } = config;
    const source = {
      ...{ ...ports, deliver, nodeName, mayReference },
      ...{ url, headers, periodMs },
    };
    scope.run("url-source", (each) => runUrlSource(source, each));
  }
  if (api !== undefined) {
    const { nodeName } = config;
    scope.run("api-source", async (each) => {
      await api.isOpen(each);
      await runApiSource({ pods: api.pods, nodeName, deliver }, each);
    });
  }
  await scope.closed();
}

function silent(kind: SourceKind): SourceState {
  return { kind, isReady: false, deliveries: [] };
}

/** Compat: kubelet 1.36 takes slashes off the end. */
function cleanPath(path: string): string {
  return path === "" ? "" : path.replace(/(?<!\/)\/+$/, "") || "/";
}
