/**
 * What a manifest's `httpGet` and ports mean as a request: address, target and
 * headers. Probes and lifecycle hooks read it the same way. Pure.
 * Compat: kubelet 1.36 pkg/probe NewRequestForHTTPGetAction and
 * ResolveContainerPort, on Go's net/url.
 */
import type { V1Container, V1HTTPGetAction } from "./types.ts";

export interface HttpGet {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  /** Path and query, encoded as they go out. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
}

export type Understood<T> =
  | ({ readonly kind: "understood" } & T)
  /** The manifest means nothing; why, in the kubelet's words. */
  | { readonly kind: "invalid"; readonly message: string };

/** `userAgent` is sent unless the manifest names one: `kube-probe/1.36`. */
export function httpGetOf(
  action: V1HTTPGetAction,
  container: Pick<V1Container, "ports">,
  { podIp, userAgent }: {
    readonly podIp: string;
    readonly userAgent: string;
  },
): Understood<HttpGet> {
  const port = portOf(action.port, container);
  if (port.kind === "invalid") return port;
  const host = action.host ?? "";
  return {
    kind: "understood",
    scheme: action.scheme?.toLowerCase() === "https" ? "https" : "http",
    host: host === "" ? podIp : host,
    port: port.port,
    path: targetOf(action.path ?? ""),
    headers: headersOf(action.httpHeaders ?? [], userAgent),
  };
}

/** A port by number, or by its name in the same container. */
export function portOf(
  port: number | string,
  container: Pick<V1Container, "ports">,
): Understood<{ readonly port: number }> {
  const named = typeof port === "string"
    ? container.ports?.find(({ name }) => name === port)?.containerPort
    : port;
  const number = named ?? (/^[+-]?\d+$/.test(`${port}`) ? Number(port) : NaN);
  if (Number.isNaN(number)) {
    return {
      kind: "invalid",
      message: `strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`,
    };
  }
  return number > 0 && number < 65536
    ? { kind: "understood", port: number }
    : { kind: "invalid", message: `invalid port number: ${number}` };
}

/** Names in Go's spelling, `Host` and `User-Agent` first, the rest sorted. */
function headersOf(
  given: readonly { readonly name: string; readonly value?: string }[],
  userAgent: string,
): readonly (readonly [string, string])[] {
  const own = given.map(({ name, value }): readonly [string, string] => [
    canonical(name),
    value ?? "",
  ]);
  const has = (wanted: string) => own.some(([name]) => name === wanted);
  const first = (wanted: string) => own.filter(([name]) => name === wanted);
  const all = has("Accept") ? own : [...own, ["Accept", "*/*"] as const];
  return [
    ...first("Host"),
    ...has("User-Agent")
      ? first("User-Agent").slice(0, 1)
      : [["User-Agent", userAgent] as const],
    ...all.filter(([name]) => name !== "Host" && name !== "User-Agent")
      .toSorted(([one], [other]) => one < other ? -1 : one > other ? 1 : 0),
  ];
}

/** Compat: Go's CanonicalMIMEHeaderKey. */
function canonical(name: string): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return name;
  return name.toLowerCase()
    .replace(/(?:^|-)[a-z]/g, (found) => found.toUpperCase());
}

/** Compat: what Go makes of a path that is parsed and written again. */
function targetOf(path: string): string {
  const [beforeFragment = ""] = path.split("#", 1);
  const rest = beforeFragment
    .replace(/^[a-zA-Z][a-zA-Z0-9+.-]*:/, "")
    .replace(/^\/\/[^/?]*/, "");
  const query = rest.indexOf("?");
  const own = query < 0 ? rest : rest.slice(0, query);
  // deno-lint-ignore no-control-regex -- they are what Go refuses to parse
  const isBroken = /[\x00-\x1f\x7f]/.test(path) ||
    /%(?![0-9a-fA-F]{2})/.test(own);
  if (isBroken) return rooted(escaped(new TextEncoder().encode(path)));
  const isEncoded = /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/.test(own);
  const encoded = isEncoded ? own : escaped(unescaped(own));
  return rooted(encoded) + (query < 0 ? "" : rest.slice(query));
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function escaped(bytes: Uint8Array): string {
  return [...bytes].map((byte) => {
    const text = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.~$&+,/:;=@]/.test(text)) return text;
    return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

function unescaped(path: string): Uint8Array {
  const bytes = new TextEncoder().encode(path);
  const plain: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const pair = String.fromCharCode(...bytes.subarray(at + 1, at + 3));
    const isEscape = byte === 0x25 && /^[0-9a-fA-F]{2}$/.test(pair);
    plain.push(isEscape ? Number.parseInt(pair, 16) : byte);
    if (isEscape) at += 2;
  }
  return new Uint8Array(plain);
}
