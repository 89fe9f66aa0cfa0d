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

import type { NodeRequest, NodeResponse } from "../port/node_server.ts";
import { text } from "./node_answer.ts";
import type { Route } from "./node_routes.ts";

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

/**
 * `/healthz` and its single checks on the node's API: reasons are withheld, as
 * whoever may ask for health need not know more.
 * Compat: apiserver 0.36 healthz handleRootHealth, adaptCheckToHandler
 */
export function healthRoutes(checks: readonly HealthCheck[]): Route[] {
  const all = [PING, ...checks];
  return [
    {
      path: "/healthz",
      methods: ["GET", "HEAD"],
      answer: ({ request }) => Promise.try(() => rootHealth(all, request)),
    },
    {
      path: "/healthz/:check",
      methods: ["GET", "HEAD"],
      answer: ({ params }) =>
        Promise.try(() => {
          const name = params.get("check");
          const check = all.find((each) => each.name === name);
          if (check === undefined) return text(404, "404: Page Not Found");
          const reason = check.check();
          return reason === undefined
            ? text(200, "ok")
            : text(500, `internal server error: ${oneLine(reason)}\n`);
        }),
    },
  ];
}

function rootHealth(
  checks: readonly HealthCheck[],
  { query }: Pick<NodeRequest, "query">,
): NodeResponse {
  const excluded = new Set(query.get("exclude"));
  const results = checks.map(({ name, check }) => {
    if (excluded.delete(name)) {
      return { isWell: true, line: `[+]${name} excluded: ok\n` };
    }
    return check() === undefined
      ? { isWell: true, line: `[+]${name} ok\n` }
      : { isWell: false, line: `[-]${name} failed: reason withheld\n` };
  });
  const unknown = [...excluded].map((name) => JSON.stringify(name)).join(",");
  const lines = results.map(({ line }) => line).join("") +
    (unknown === ""
      ? ""
      : "warn: some health checks cannot be excluded: no matches for " +
        `${unknown}\n`);
  if (results.some(({ isWell }) => !isWell)) {
    return text(500, `${lines}healthz check failed\n`);
  }
  return text(
    200,
    query.has("verbose") ? `${lines}healthz check passed\n` : "ok",
  );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function plain(status: number, body: string): OutgoingResponse {
  return { status, contentType: "text/plain; charset=utf-8", body };
}
