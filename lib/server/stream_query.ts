/** What a streaming request asks for in its query. Pure. */
import type { CommandStreams, NodeRequest } from "../port/node_server.ts";

export type StreamOptions = CommandStreams;

/** Text: why it is refused. Compat: cri-streaming 0.36 NewOptions */
export function streamOptions(
  query: NodeRequest["query"],
): StreamOptions | string {
  const isSet = (name: string) => query.get(name)?.[0] === "1";
  const hasTty = isSet("tty");
  const options = {
    hasTty,
    hasStdin: isSet("input"),
    hasStdout: isSet("output"),
    // A terminal has one stream for both.
    hasStderr: isSet("error") && !hasTty,
  };
  return options.hasStdin || options.hasStdout || options.hasStderr
    ? options
    : "you must specify at least 1 of stdin, stdout, stderr";
}

/**
 * The ports that a WebSocket names ahead; SPDY names them on the way. Text:
 * why it is refused. Compat: cri-streaming 0.36 NewV4Options
 */
export function portsOf(
  { query, headers }: Pick<NodeRequest, "query" | "headers">,
): readonly number[] | string {
  if (!isWebSocket(headers)) return [];
  const texts = query.get("port") ?? [];
  if (texts.length === 0) return 'query parameter "port" is required';
  const ports: number[] = [];
  for (const text of texts) {
    if (text === "") return 'query parameter "port" cannot be empty';
    for (const each of text.split(",")) {
      const port = /^\d{1,5}$/.test(each) ? Number(each) : NaN;
      if (!(port <= 65535)) {
        return `unable to parse ${JSON.stringify(text)} as a port`;
      }
      if (port < 1) return `port ${JSON.stringify(each)} must be > 0`;
      ports.push(port);
    }
  }
  return ports;
}

export function isWebSocket(headers: NodeRequest["headers"]): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}
