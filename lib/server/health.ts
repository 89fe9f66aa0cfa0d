/**
 * `/healthz` on its own plain port: may the outside believe that this agent
 * works? Asked by kubeadm, node-problem-detector and load balancers, so the
 * texts are Kubernetes' own. Answers this one path and nothing else.
 * Compat: apiserver 0.36 healthz handleRootHealth, but with the reasons shown:
 * the port is local, and whoever reads this at night needs them.
 */
import type {
  Handler,
  IncomingRequest,
  OutgoingResponse,
} from "../port/net.ts";

export interface HealthCheck {
  readonly name: string;
  /** Why it fails; undefined when all is well. Must answer at once. */
  check(): string | undefined;
}

/** That the agent answers at all is the first thing it says. */
const PING: HealthCheck = { name: "ping", check: () => undefined };

export function healthHandler(checks: readonly HealthCheck[]): Handler {
  const all = [PING, ...checks];
  return (request) => Promise.try(() => answer(all, request));
}

function answer(
  checks: readonly HealthCheck[],
  request: IncomingRequest,
): OutgoingResponse {
  if (request.path !== "/healthz") return plain(404, "404 page not found\n");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "Method Not Allowed\n");
  }
  const results = checks.map((each) => ({
    name: each.name,
    reason: each.check(),
  }));
  const lines = results.map(({ name, reason }) =>
    reason === undefined
      ? `[+]${name} ok\n`
      : `[-]${name} failed: ${oneLine(reason)}\n`
  ).join("");
  if (results.some(({ reason }) => reason !== undefined)) {
    return plain(500, `${lines}healthz check failed\n`);
  }
  return request.query.has("verbose")
    ? plain(200, `${lines}healthz check passed\n`)
    : plain(200, "ok");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function plain(status: number, body: string): OutgoingResponse {
  return { status, contentType: "text/plain; charset=utf-8", body };
}
