/**
 * How a connection to the API server is made: TLS with exactly the CA of the
 * kubeconfig (the public ones count only where it names none), the client
 * certificate, the name to expect, and a proxy on the way where one is named.
 */
import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { isIP } from "node:net";
import { AgentError } from "../base/errors.ts";
import type { Secrets } from "./credentials.ts";

/** Idle connections are probed by the kernel this often. */
const PROBE_MS = 30_000;
const PROXY_LIMIT_MS = 10_000;
/**
 * A burst of pods finds its connections again, each of which costs both ends a
 * handshake; a node at rest keeps none but that of its lease.
 */
const IDLE_LIMIT_MS = 30_000;

type Done = (error: Error | null, socket?: Duplex) => void;

/** Keeps connections open for the next request; opens none by itself. */
export function agentFor(
  secrets: Secrets,
  maxSockets: number,
  idleMs = IDLE_LIMIT_MS,
): http.Agent {
  const { access } = secrets;
  const pool = {
    keepAlive: true,
    keepAliveMsecs: PROBE_MS,
    maxSockets,
    maxFreeSockets: maxSockets,
    timeout: idleMs,
  };
  if (access.server.startsWith("http://")) return new http.Agent(pool);
  const identity = identityOf(secrets);
  const name = access.tlsServerName;
  if (access.proxyUrl === undefined) {
    const servername = name === undefined ? {} : { servername: name };
    return new https.Agent({ ...pool, ...identity, ...servername });
  }
  const goal = new URL(access.server);
  const proxy = new URL(access.proxyUrl);
  const expected = nameToExpect(name ?? goal.hostname);
  const createConnection = (_options: unknown, done: Done) => {
    connectThrough(proxy, goal, (error, socket) => {
      if (error !== null || socket === undefined) return done(error);
      const secured = tls.connect({ ...identity, ...expected, socket });
      secured.once("secureConnect", () => done(null, secured));
      secured.once("error", done);
    });
  };
  const agent = new https.Agent({ ...pool, ...identity });
  return Object.assign(agent, { createConnection });
}

/** Whom to trust, and who we are. */
export function identityOf({ access, ca, certificate, key }: Secrets) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined
      ? {}
      : { cert: certificate, key }),
    rejectUnauthorized: !access.isInsecure,
  };
}

/** Addresses are not sent as the server's name, but are compared all the same. */
export function nameToExpect(
  name: string,
): { host: string } | { servername: string } {
  const bare = name.replace(/^\[|\]$/g, "");
  return isIP(bare) === 0 ? { servername: bare } : { host: bare };
}

/** A tunnel by HTTP CONNECT. */
function connectThrough(proxy: URL, goal: URL, done: Done): void {
  const open = { "http:": http.request, "https:": https.request }[
    proxy.protocol
  ];
  if (open === undefined) {
    const what = `proxy-url with ${proxy.protocol}//`;
    const message = `Cannot use ${what}: supported are http:// and https://`;
    return done(new AgentError(message, { next: "give-up" }));
  }
  const target = `${goal.hostname}:${goal.port === "" ? "443" : goal.port}`;
  const login = `${decodeURIComponent(proxy.username)}:${
    decodeURIComponent(proxy.password)
  }`;
  const request = open({
    host: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: proxy.port === "" ? (open === http.request ? 80 : 443) : proxy.port,
    method: "CONNECT",
    path: target,
    agent: false,
    timeout: PROXY_LIMIT_MS,
    headers: {
      host: target,
      ...(login === ":" ? {} : {
        "proxy-authorization": `Basic ${
          new TextEncoder().encode(login).toBase64()
        }`,
      }),
    },
  });
  const refuse = (why: string) =>
    done(
      new AgentError(`Cannot go through proxy ${proxy.host}: ${why}`, {
        next: "retry",
      }),
    );
  request.once("connect", (answer, socket) => {
    if (answer.statusCode === 200) return done(null, socket);
    socket.destroy();
    refuse(`it answered ${answer.statusCode}`);
  });
  request.once("timeout", () => request.destroy(new Error("no answer")));
  request.once("error", (error) => refuse(error.message));
  request.end();
}
