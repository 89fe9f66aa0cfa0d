/** Opens clusters from kubeconfigs, and makes keys. Called by main.ts. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { Config } from "../config/load.ts";
import type {
  Cluster,
  Keys,
  KubeconfigFacts,
  Kubeconfigs,
} from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import type { Machine } from "../port/machine.ts";
import type { Programs } from "../port/programs.ts";
import { isAbort } from "../base/errors.ts";
import { KubeCertificates } from "./certificates.ts";
import { Client } from "./client.ts";
import type { OnAnswer } from "./told.ts";
import { Credentials, FileTexts } from "./credentials.ts";
import { KubeEvents } from "./events.ts";
import { KubeNode } from "./node.ts";
import { KubeObjects } from "./objects.ts";
import { KubeRuntimeClasses } from "./runtime_classes.ts";
import { KubePods } from "./pods.ts";
import { KubeReviews } from "./reviews.ts";
import { TokenBucket } from "../base/token_bucket.ts";
import { Transport } from "./transport.ts";
import { parseKubeconfig } from "./translate_kubeconfig.ts";

export interface KubeOptions {
  /** Must follow links: `kubelet-client-current.pem` is one. */
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly limits: KubeLimits;
  /** `denolet/0.1.0 (linux/amd64)` */
  readonly userAgent: string;
  /** Runs credential plugins. */
  readonly programs: Programs;
  readonly onAnswer?: OnAnswer;
  /** How long a watch may be without a byte; 90 s when absent. */
  readonly silenceMs?: number;
}

export interface KubeLimits {
  readonly kubeAPIQPS: number;
  readonly kubeAPIBurst: number;
  readonly eventRecordQPS: number;
  readonly eventBurst: number;
  /** Of a lease or node status. Compat: min(status period, lease duration). */
  readonly heartbeatTimeoutMs: number;
}

/** What a node of a cluster needs to ask the API server and to prove itself. */
export function openCluster(
  { kubelet }: Pick<Config, "kubelet">,
  ports: {
    readonly certificateFiles: Files;
    readonly machine: Machine;
    readonly programs: Programs;
    readonly clock: Clock;
    readonly log: Logger;
    /** The agent's own. */
    readonly version: string;
    readonly onAnswer?: OnAnswer;
  },
) {
  const { certificateFiles, machine, programs, clock, log, version } = ports;
  const { onAnswer } = ports;
  const random = systemRandom;
  return {
    kubeconfigs: kubeconfigs({
      files: certificateFiles,
      clock,
      random,
      programs,
      log,
      limits: {
        ...kubelet,
        // Compat: kubelet 1.36, the heartbeat client's timeout.
        heartbeatTimeoutMs: Math.min(
          kubelet.nodeStatusUpdateFrequency,
          kubelet.nodeLeaseDurationSeconds * 1000,
        ),
      },
      userAgent: `denolet/${version} (linux)`,
      ...onAnswer === undefined ? {} : { onAnswer },
    }),
    keys: systemKeys,
    certificateFiles,
    machine,
    random,
  };
}

/** An answer may take this long, waits for a turn and retries included. */
const REQUEST_MS = 30_000;

export function kubeconfigs(options: KubeOptions): Kubeconfigs {
  return {
    read: (path) => readFacts(options.files, path),
    open: ({ path, pairPath }) => open(options, path, pairPath),
  };
}

export const systemKeys: Keys = {
  create: () =>
    crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]),
};

function open(
  options: KubeOptions,
  path: string,
  pairPath: string | undefined,
): Cluster {
  const { files, clock, random, log, limits, programs } = options;
  const client = new Client({
    credentials: new Credentials({
      path,
      pairPath,
      files,
      clock,
      programs,
      log,
    }),
    transport: new Transport(),
    clock,
    rates: {
      main: new TokenBucket(limits.kubeAPIQPS, limits.kubeAPIBurst),
      events: new TokenBucket(limits.eventRecordQPS, limits.eventBurst),
    },
    deadlinesMs: {
      main: REQUEST_MS,
      events: REQUEST_MS,
      heartbeat: limits.heartbeatTimeoutMs,
    },
    userAgent: options.userAgent,
    ...options.onAnswer === undefined ? {} : { onAnswer: options.onAnswer },
  });
  const { silenceMs } = options;
  const parts = {
    client,
    random,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  };
  return {
    pods: new KubePods(parts),
    nodes: new KubeNode(parts),
    events: new KubeEvents(client),
    certificates: new KubeCertificates(parts),
    objects: new KubeObjects(parts),
    runtimeClasses: new KubeRuntimeClasses(parts),
    reviews: new KubeReviews(client),
    isHealthy: (signal) => isHealthy(client, signal),
    serverTimeMs: () => client.serverTimeMs(),
    reconnect: () => client.reconnect(),
    close: () => client.close(),
  };
}

async function isHealthy(
  client: Client,
  signal: AbortSignal,
): Promise<boolean> {
  const ask = {
    doing: "ask whether the API server is healthy",
    method: "GET",
    path: "/healthz",
    lane: "heartbeat",
  } as const;
  try {
    return await client.text(ask, signal) === "ok";
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    return false;
  }
}

async function readFacts(
  files: Files,
  path: string,
): Promise<KubeconfigFacts | undefined> {
  const texts = new FileTexts(files);
  const text = await texts.read(path);
  if (text === undefined) return undefined;
  const access = parseKubeconfig(text, path);
  const { server, ca, tlsServerName, proxyUrl, isInsecure } = access;
  const [certificate, key] = await Promise.all(
    [access.certificate, access.key].map((each) =>
      each?.kind === "file" ? texts.need(each.path) : each?.text
    ),
  );
  return {
    server,
    ca,
    tlsServerName,
    proxyUrl,
    isInsecure,
    clientPair: certificate === undefined || key === undefined
      ? undefined
      : { certificate, key },
  };
}
