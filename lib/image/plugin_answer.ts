/**
 * What is asked of a credential plugin and what it answered, as JSON. Pure. An
 * answer holds credentials: no error tells anything of it.
 * Compat: kubelet 1.36 CredentialProviderRequest, CredentialProviderResponse.
 */
import { isObject, parseJson } from "../base/json.ts";
import { parseGoDuration } from "../config/go_duration.ts";
import type { Logins } from "./docker_config.ts";

export interface PluginRequest {
  readonly apiVersion: string;
  readonly image: string;
  readonly token: string;
  readonly annotations: ReadonlyMap<string, string>;
}

export type PluginAnswer =
  | {
    readonly kind: "ok";
    /** What the answer is good for. */
    readonly scope: "Image" | "Registry" | "Global";
    /** Undefined: as configured. */
    readonly cacheMs: number | undefined;
    readonly logins: Logins;
  }
  | { readonly kind: "invalid"; readonly why: string };

const MEMBERS: ReadonlySet<string> = new Set([
  "kind",
  "apiVersion",
  "cacheKeyType",
  "cacheDuration",
  "auth",
]);

export function requestText(request: PluginRequest): string {
  const { apiVersion, image, token, annotations } = request;
  return `${
    JSON.stringify({
      kind: "CredentialProviderRequest",
      apiVersion,
      image,
      ...token === "" ? {} : { serviceAccountToken: token },
      ...annotations.size === 0
        ? {}
        : { serviceAccountAnnotations: Object.fromEntries(annotations) },
    })
  }\n`;
}

export function parseAnswer(text: string, apiVersion: string): PluginAnswer {
  const root = parseJson(text);
  if (!isObject(root)) return invalid("its answer is not a JSON object");
  if (root.apiVersion !== apiVersion) {
    return invalid(`it did not answer in ${apiVersion}`);
  }
  if (root.kind !== "CredentialProviderResponse") {
    return invalid("its answer is no CredentialProviderResponse");
  }
  if (Object.keys(root).some((name) => !MEMBERS.has(name))) {
    return invalid("its answer has fields that nobody knows");
  }
  const { cacheKeyType: scope, cacheDuration, auth } = root;
  if (scope !== "Image" && scope !== "Registry" && scope !== "Global") {
    return invalid("its cacheKeyType is none of Image, Registry, Global");
  }
  const cacheMs = durationOf(cacheDuration);
  if (cacheMs === "bad") return invalid("its cacheDuration is no duration");
  const logins = loginsOf(auth ?? {});
  return logins === undefined
    ? invalid("its auth is not a map of username and password")
    : { kind: "ok", scope, cacheMs, logins };
}

function durationOf(value: unknown): number | undefined | "bad" {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") return "bad";
  return parseGoDuration(value) ?? "bad";
}

function loginsOf(auth: unknown): Logins | undefined {
  if (!isObject(auth)) return undefined;
  const logins: [string, Logins[number][1]][] = [];
  for (const [registry, value] of Object.entries(auth)) {
    if (!isObject(value)) return undefined;
    const { username = "", password = "", ...rest } = value;
    if (typeof username !== "string" || typeof password !== "string") {
      return undefined;
    }
    if (Object.keys(rest).length > 0) return undefined;
    logins.push([registry, { username, password, email: "" }]);
  }
  return logins;
}

function invalid(why: string): PluginAnswer {
  return { kind: "invalid", why };
}
