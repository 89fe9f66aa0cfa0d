/**
 * What the node's own API needs from the network: an HTTPS server whose
 * certificate and client CA may change at any time, and a way to hand a
 * connection over to the runtime's streaming server.
 */
import type { Reader } from "../base/cell.ts";

/** PEM texts; whoever holds one of them may not write it anywhere. */
export interface ServerIdentity {
  /** The chain, leaf first; undefined: every handshake fails. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** Who may sign client certificates; undefined: none is asked for. */
  readonly clientCa: string | undefined;
}

export interface TlsRules {
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** TLS 1.2 suites as OpenSSL names them; empty: the usual ones. */
  readonly ciphers: readonly string[];
}

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
  readonly identity: Reader<ServerIdentity>;
  readonly rules: TlsRules;
}

/** A request that reached the node's API; its head is at most 64 KiB. */
export interface NodeRequest {
  readonly method: string;
  /** As it was sent: escapes and dots are still in it. */
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** By lower-case name; several of one name are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /**
   * DER of the client's certificate. Undefined unless it proved to have the
   * key, a CA of now vouches for it, and it is valid now.
   */
  readonly certificate: Uint8Array | undefined;
  /** Address of the caller, for the log. */
  readonly remote: string;
  /** The caller wants to speak another protocol from here on. */
  readonly isUpgrade: boolean;
  /** Aborts when the caller goes away or the server stops. */
  readonly signal: AbortSignal;
  /** The whole body; undefined when it is longer than `limitBytes`. */
  body(limitBytes: number): Promise<Uint8Array | undefined>;
}

export type NodeAnswer = NodeResponse | Handover;

export interface NodeResponse {
  readonly kind: "response";
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Text or bytes, or chunks of a response that goes on. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * The connection now belongs to another server: the request is repeated there
 * with these headers, and after its 101 bytes go both ways unchanged. Any
 * other answer is passed on and ends the connection; a redirect is not.
 */
export interface Handover {
  readonly kind: "handover";
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  /** After so long without a byte either way it is cut. */
  readonly idleMs: number;
  /** The caller speaks another protocol than the request that is repeated. */
  readonly webSocket?: WebSocketCaller;
  /** Told once, when the connection is over. */
  readonly ended: (counts: { toRuntime: number; toCaller: number }) => void;
}

/** Which streams of a command are wanted. */
export interface CommandStreams {
  readonly hasTty: boolean;
  readonly hasStdin: boolean;
  readonly hasStdout: boolean;
  readonly hasStderr: boolean;
}

/** A caller whose WebSocket becomes SPDY/3.1 on the way to the runtime. */
export interface WebSocketCaller {
  /** As the caller sent it. */
  readonly key: string;
  /** The one of the caller's that is spoken. */
  readonly protocol: string;
  /** `tunnel`: its messages hold SPDY already. */
  readonly holds: CommandStreams | "tunnel";
}

export type NodeHandler = (request: NodeRequest) => Promise<NodeAnswer>;

export interface NodeListener {
  /**
   * Serves until `signal` aborts. A failed handler answers 500 and disturbs
   * nobody else. Slow heads and handshakes, idle connections and more than
   * 1,000 of them are cut off. Rejects (`retry`) when the address cannot be
   * had.
   */
  serve(
    address: NodeAddress,
    handler: NodeHandler,
    signal: AbortSignal,
  ): Promise<void>;
}
