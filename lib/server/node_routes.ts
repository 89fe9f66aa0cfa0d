/**
 * The routing table of the node's API: which path and method lead where, and
 * which sub-resources of the node are asked for. Pure data and the rules that
 * read it; a new path is one more `Route`.
 */
import type { NodeAnswer, NodeRequest } from "../port/node_server.ts";
import type { User } from "../port/reviews.ts";

/** A request that is known and allowed. */
export interface Call {
  readonly request: NodeRequest;
  readonly user: User;
  /** Parts of the path by their names in the route, unescaped. */
  readonly params: ReadonlyMap<string, string>;
}

export interface Route {
  /**
   * Parts between slashes: a word stands for itself, `:name` for any text,
   * `*` at the end for all that follows. A slash at the end may be missing.
   */
  readonly path: string;
  readonly methods: readonly string[];
  readonly answer: (call: Call) => Promise<NodeAnswer>;
}

/**
 * Which sub-resources are asked for, the first that is allowed suffices; a
 * prefix counts at the borders of parts only, and what has none is `proxy`.
 * Compat: kubelet 1.36 GetRequestAttributes.
 */
const AREAS: readonly (readonly [string, readonly string[]])[] = [
  ["/pods", ["pods", "proxy"]],
  ["/runningpods", ["pods", "proxy"]],
  ["/healthz", ["healthz", "proxy"]],
  ["/configz", ["configz", "proxy"]],
  ["/stats", ["stats"]],
  ["/metrics", ["metrics"]],
  ["/logs", ["log"]],
  ["/checkpoint", ["checkpoint"]],
  ["/statusz", ["statusz"]],
  ["/flagz", ["configz"]],
];

/** Whoever may do these runs commands in containers, whatever the method. */
const STREAMING = ["/exec", "/attach", "/portForward", "/run"];

const VERBS: ReadonlyMap<string, string> = new Map([
  ["POST", "create"],
  ["GET", "get"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);

export function subresourcesOf(path: string): readonly string[] {
  const area = AREAS.find(([prefix]) => isBelow(path, prefix));
  return area?.[1] ?? ["proxy"];
}

/**
 * `strict`: a WebSocket begins with GET, and reading must not be enough to run
 * a command. The kubelet takes the method's verb: `loose`.
 */
export function verbOf(
  method: string,
  path: string,
  rule: "strict" | "loose",
): string {
  const isStream = STREAMING.some((prefix) => isBelow(path, prefix));
  if (rule === "strict" && isStream) return "create";
  return VERBS.get(method) ?? "";
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

export type Found =
  | {
    readonly kind: "found";
    readonly route: Route;
    readonly params: ReadonlyMap<string, string>;
  }
  | { readonly kind: "absent" }
  /** There is such a path, but not with this method. */
  | { readonly kind: "no-method"; readonly allowed: readonly string[] };

export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): Found {
  const parts = partsOf(path);
  if (parts === undefined) return { kind: "absent" };
  const allowed: string[] = [];
  for (const route of routes) {
    const params = match(route.path, parts);
    if (params === undefined) continue;
    if (route.methods.includes(method)) return { kind: "found", route, params };
    allowed.push(...route.methods);
  }
  return allowed.length === 0
    ? { kind: "absent" }
    : { kind: "no-method", allowed };
}

/**
 * The path without its escapes, as it is compared and shown; undefined when
 * an escape is broken or hides what a path must not hold.
 */
export function plainPath(path: string): string | undefined {
  try {
    const plain = decodeURIComponent(path);
    return /\p{Cc}/u.test(plain) || !plain.startsWith("/") ? undefined : plain;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Undefined when an escape is broken or a part leads elsewhere. */
function partsOf(path: string): string[] | undefined {
  try {
    const parts = path.slice(1).split("/").map(decodeURIComponent);
    const isOdd = parts.some((part) => part === "." || part === "..");
    return isOdd ? undefined : parts;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function match(
  pattern: string,
  parts: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const words = pattern.slice(1).split("/");
  const params = new Map<string, string>();
  const isOpen = words.at(-1) === "*";
  const own = isOpen ? parts.slice(0, words.length - 1) : closed(parts);
  if (isOpen) {
    words.pop();
    params.set("*", parts.slice(words.length).join("/"));
  }
  if (own.length !== words.length) return undefined;
  for (const [index, word] of words.entries()) {
    const part = own[index] ?? "";
    if (word.startsWith(":")) {
      if (part === "") return undefined;
      params.set(word.slice(1), part);
    } else if (word !== part) return undefined;
  }
  return params;
}

function closed(parts: readonly string[]): readonly string[] {
  return parts.length > 1 && parts.at(-1) === "" ? parts.slice(0, -1) : parts;
}
