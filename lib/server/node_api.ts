/**
 * Every request to the node's API goes this way: who is it, may they, what do
 * they want. Nothing is answered before the first two questions are. Called by
 * the HTTPS server; knows no path by itself.
 * Compat: kubelet 1.36 InstallAuthFilter (order, statuses and texts)
 */
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type {
  NodeHandler,
  NodeRequest,
  NodeResponse,
} from "../port/node_server.ts";
import type { User } from "../port/reviews.ts";
import type { Authenticator } from "./authenticate.ts";
import type { Authorizer } from "./authorize.ts";
import { text } from "./node_answer.ts";
import {
  findRoute,
  plainPath,
  type Route,
  subresourcesOf,
  verbOf,
} from "./node_routes.ts";

export interface NodeApiParts {
  readonly nodeName: string;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly routes: readonly Route[];
  readonly verbRule: "strict" | "loose";
  readonly log: Logger;
  /** Ends with the server: what several callers wait for goes on without one. */
  readonly serving: AbortSignal;
}

export function nodeApi(parts: NodeApiParts): NodeHandler {
  return async (request) => {
    const { path } = request;
    const plain = plainPath(path);
    if (plain === undefined) return text(400, "400: Bad Request");
    const user = await whoIs(parts, request);
    if (user === undefined) return text(401, "Unauthorized");
    const refusal = await refusalOf(parts, request, { user, plain });
    if (refusal !== undefined) return refusal;
    const found = findRoute(parts.routes, request.method, path);
    switch (found.kind) {
      case "absent":
        return text(404, "404: Page Not Found");
      case "no-method": {
        const answer = text(405, "405: Method Not Allowed");
        const allow = ["Allow", found.allowed.join(", ")] as const;
        return { ...answer, headers: [...answer.headers, allow] };
      }
      case "found":
        return await answered(parts, found, { request, user });
    }
  };
}

async function answered(
  { log }: NodeApiParts,
  { route, params }: Extract<ReturnType<typeof findRoute>, { kind: "found" }>,
  call: { readonly request: NodeRequest; readonly user: User },
) {
  try {
    return await route.answer({ ...call, params });
  } catch (error) {
    if (!call.request.signal.aborted) {
      log.warn("Cannot answer a request", {
        route: route.path,
        error: chainOf(error),
      });
    }
    return text(500, `${chainOf(error)}\n`);
  }
}

async function whoIs(
  { authenticator, log, serving }: NodeApiParts,
  request: NodeRequest,
): Promise<User | undefined> {
  try {
    return await authenticator.user(request, serving);
  } catch (error) {
    log.warn("Cannot authenticate a caller", {
      remote: request.remote,
      error: chainOf(error),
    });
    return undefined;
  }
}

async function refusalOf(
  parts: NodeApiParts,
  request: NodeRequest,
  { user, plain }: { readonly user: User; readonly plain: string },
): Promise<NodeResponse | undefined> {
  const { nodeName: node, authorizer, log, serving } = parts;
  const subresources = subresourcesOf(plain);
  const verb = verbOf(request.method, plain, parts.verbRule);
  const question = { user, verb, node };
  const verdict = await authorizer.verdict(question, subresources, serving);
  const who = `user=${user.name}, verb=${verb}, resource=nodes`;
  switch (verdict.kind) {
    case "allowed":
      return undefined;
    case "denied":
      log.debug("Forbidden", { user: user.name, verb, path: plain });
      return text(
        403,
        `Forbidden (${who}, subresource(s)=[${subresources.join(" ")}])\n`,
      );
    case "failed":
      log.warn("Cannot authorize a caller", {
        user: user.name,
        error: chainOf(verdict.cause),
      });
      return text(
        500,
        `Authorization error (${who}, subresource=${verdict.subresource})`,
      );
  }
}
