/**
 * Which WebSockets are spoken here instead of being handed over as they are:
 * those whose runtime would understand only SPDY. Pure.
 * Compat: kubelet 1.36 gate ExtendWebSocketsToKubelet (on).
 */
import type {
  CommandStreams,
  NodeRequest,
  WebSocketCaller,
} from "../port/node_server.ts";
import { isWebSocket } from "./stream_query.ts";

const COMMAND = "v5.channel.k8s.io";
const TUNNEL = "SPDY/3.1+";
const SPDY = [["Connection", "Upgrade"], ["Upgrade", "SPDY/3.1"]] as const;
const VERSION = "X-Stream-Protocol-Version";

export interface Spoken {
  readonly webSocket: WebSocketCaller;
  /** Of the request to the runtime, which is a POST. */
  readonly headers: readonly (readonly [string, string])[];
}

export function spokenCommand(
  headers: NodeRequest["headers"],
  streams: CommandStreams,
): Spoken | undefined {
  if (!protocolsOf(headers).includes(COMMAND)) return undefined;
  return {
    webSocket: { key: keyOf(headers), protocol: COMMAND, holds: streams },
    headers: [...SPDY, [VERSION, "v4.channel.k8s.io"]],
  };
}

export function spokenTunnel(
  headers: NodeRequest["headers"],
): Spoken | undefined {
  const protocol = tunnelOf(headers);
  if (protocol === undefined) return undefined;
  return {
    webSocket: { key: keyOf(headers), protocol, holds: "tunnel" },
    headers: [...SPDY, [VERSION, protocol.slice(TUNNEL.length)]],
  };
}

/** The ports come inside then, as with SPDY itself. */
export function tunnelOf(headers: NodeRequest["headers"]): string | undefined {
  return protocolsOf(headers)
    .find((each) => each.startsWith(TUNNEL) && each.endsWith(".k8s.io"));
}

function protocolsOf(headers: NodeRequest["headers"]): readonly string[] {
  if (!isWebSocket(headers) || keyOf(headers) === "") return [];
  const text = headers.get("sec-websocket-protocol") ?? "";
  return text.split(",").map((each) => each.trim());
}

/** Empty when it is not one. */
function keyOf(headers: NodeRequest["headers"]): string {
  const key = headers.get("sec-websocket-key") ?? "";
  return /^[A-Za-z0-9+/]{22}==$/.test(key) ? key : "";
}
