/**
 * The wiring of the node's own API: whom it trusts, what it shows, which paths
 * there are. A path is added to `routesOf`.
 */
import { cell } from "./base/cell.ts";
import type { Clock } from "./base/clock.ts";
import { AgentError, chainOf, isAbort } from "./base/errors.ts";
import type { Logger } from "./base/log.ts";
import type { Loop, Membership } from "./agent_cluster.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { type RouteParts, routesOf } from "./agent_routes.ts";
import { NO_IDENTITY, runServerIdentity } from "./identity/server_identity.ts";
import { runServingCertificate } from "./identity/serving.ts";
import { emptyView, type Pair } from "./identity/types.ts";
import { View } from "./identity/view.ts";
import type { NodeHandler } from "./port/node_server.ts";
import { Authenticator } from "./server/authenticate.ts";
import { Authorizer } from "./server/authorize.ts";
import { healthHandler } from "./server/health.ts";
import { counted } from "./server/http_metrics.ts";
import { nodeApi } from "./server/node_api.ts";
import { tlsRules } from "./server/tls_rules.ts";

export interface NodeServerParts extends RouteParts {
  readonly membership: Membership | undefined;
}

/** Tried again after this: another agent may be about to end. */
const AGAIN_MS = 5_000;

/** Throws when it must not start: nobody could say who a caller is. */
export function createServers(parts: NodeServerParts): Loop[] {
  const { config, ports } = parts;
  const healthz = {
    name: "healthz",
    run: (signal: AbortSignal) => serveHealthz(parts, signal),
  };
  const isServed = config.kubelet.enableServer;
  return isServed
    ? [healthz, ...createNodeServer(config, ports, parts)]
    : [healthz];
}

async function serveHealthz(
  { config, ports }: RouteParts,
  signal: AbortSignal,
): Promise<void> {
  const { healthzPort: port, healthzBindAddress: host } = config.kubelet;
  if (port === 0) return;
  const address = { kind: "tcp", host, port } as const;
  await ports.listener.serve(address, healthHandler([]), signal);
}

function createNodeServer(
  config: Config,
  ports: AgentPorts,
  parts: NodeServerParts,
): Loop[] {
  checkReviews(parts);
  const { authentication, tlsCertFile, tlsPrivateKeyFile } = config.kubelet;
  const [identity, identityReader] = cell(NO_IDENTITY);
  const own = parts.membership === undefined ? standalonePair(parts) : {
    pair: parts.membership.servingPair,
    loops: [],
  };
  const rules = tlsRules(config.kubelet);
  const { readOnlyPort } = config.kubelet;
  if (readOnlyPort !== 0) {
    ports.log.warn(
      "readOnlyPort is not served: it would tell everybody what runs here",
      { readOnlyPort },
    );
  }
  for (const warning of rules.warnings) ports.log.warn(warning);
  const address = {
    host: config.kubelet.address,
    port: config.kubelet.port,
    identity: identityReader,
    rules: rules.rules,
  };
  return [
    ...own.loops,
    {
      name: "server-identity",
      run: (signal) =>
        runServerIdentity(
          {
            ...ports,
            files: ports.cluster.certificateFiles,
            pair: own.pair,
            identity,
          },
          {
            tlsCertFile,
            tlsPrivateKeyFile,
            clientCaFile: authentication.x509.clientCAFile,
          },
          signal,
        ),
    },
    {
      name: "node-server",
      run: (signal) => {
        const handler = handlerOf(parts, signal);
        return persistently(ports, signal, () => {
          const { host, port } = address;
          ports.log.info("Serves the node API", { address: host, port });
          return ports.nodeListener.serve(address, handler, signal);
        });
      },
    },
  ];
}

/** Compat: kubelet 1.36 BuildAuthn, BuildAuthz: refuse to start. */
function checkReviews({ config, membership }: NodeServerParts): void {
  const { authentication, authorization } = config.kubelet;
  const what = authentication.webhook.enabled
    ? "authentication.webhook.enabled"
    : authorization.mode === "Webhook"
    ? "authorization.mode Webhook"
    : undefined;
  if (what === undefined || membership !== undefined) return;
  throw new AgentError(
    `Cannot serve the node API: ${what} needs an API server, and no ` +
      "kubeconfig is given",
    { next: "give-up" },
  );
}

function handlerOf(parts: NodeServerParts, serving: AbortSignal): NodeHandler {
  const { config, ports, membership } = parts;
  const { authentication, authorization } = config.kubelet;
  const reviews = membership?.cluster.reviews;
  const { webhook } = authorization;
  const routes = routesOf(parts, serving);
  const handler = nodeApi({
    nodeName: config.nodeName,
    log: ports.log,
    serving,
    verbRule: config.flags.strictStreamingVerb ? "strict" : "loose",
    authenticator: new Authenticator({
      reviews: authentication.webhook.enabled ? reviews : undefined,
      clock: ports.clock,
      tokenLifeMs: authentication.webhook.cacheTTL,
      isAnonymousAllowed: authentication.anonymous.enabled,
    }),
    authorizer: new Authorizer({
      reviews: authorization.mode === "Webhook" ? reviews : undefined,
      clock: ports.clock,
      allowedLifeMs: webhook.cacheAuthorizedTTL,
      deniedLifeMs: webhook.cacheUnauthorizedTTL,
    }),
    routes,
  });
  const noted: NodeHandler = (request) => {
    ports.trail.note(`${request.method} ${request.path}`);
    return handler(request);
  };
  return counted(noted, { ...ports, routes });
}

/** Nobody to ask for a certificate: the node signs its own. */
function standalonePair({ config, ports }: NodeServerParts) {
  const [pair, reader] = cell<Pair | undefined>(undefined);
  const [view] = cell(emptyView("serving"));
  const addresses = [
    { type: "Hostname", address: config.nodeName },
    ...config.nodeIps.map((address) => ({ type: "InternalIP", address })),
  ];
  const { clock, log, cluster } = ports;
  const run = (signal: AbortSignal) =>
    runServingCertificate(
      {
        ...cluster,
        certificates: undefined,
        files: cluster.certificateFiles,
        clock,
        view: new View({ cell: view, clock, log }),
        addresses: cell(addresses)[1],
        pair,
      },
      {
        nodeName: config.nodeName,
        certDir: config.paths.certDir,
        serverTLSBootstrap: false,
      },
      signal,
    );
  const isNeeded = config.kubelet.tlsCertFile === "";
  return {
    pair: reader,
    loops: isNeeded ? [{ name: "serving-certificate", run }] : [],
  };
}

/** A server that cannot begin or go on is begun again. */
async function persistently(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
  serve: () => Promise<void>,
): Promise<void> {
  for (;;) {
    try {
      return await serve();
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      log.error("Cannot serve the node API", { error: chainOf(error) });
      await clock.sleep(AGAIN_MS, signal);
    }
  }
}
