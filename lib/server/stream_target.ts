/**
 * Where the runtime's streaming server may be: on this machine and nowhere
 * else, whatever the runtime says. Pure.
 */

export interface StreamTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** Text: why the address is refused. */
export function streamTarget(url: string): StreamTarget | string {
  const parsed = URL.parse(url);
  if (parsed === null) return "The runtime's streaming address is no URL";
  const { protocol, hostname, port, pathname, search, username } = parsed;
  if (protocol !== "http:" || username !== "") {
    return `The runtime's streaming address is not plain http: ${protocol}`;
  }
  const host = hostname.replace(/^\[|\]$/g, "");
  if (!isLoopback(host)) {
    return `The runtime's streaming address is not on this machine: ${host}`;
  }
  return {
    host: host === "localhost" ? "127.0.0.1" : host,
    port: port === "" ? 80 : Number(port),
    path: pathname + search,
  };
}

/** As `URL` writes addresses: it has undone every other spelling. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}
