/** What the inside needs from the network: one HTTP request, one listener. */

export interface HttpResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface Http {
  /**
   * One GET. Rejects (`give-up`) when the body is longer than `limitBytes`,
   * (`retry`) when the server cannot be reached or `timeoutMs` passed.
   */
  get(
    request: {
      readonly url: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly timeoutMs: number;
      readonly limitBytes: number;
    },
    signal: AbortSignal,
  ): Promise<HttpResponse>;
}

/** A request that reached one of our listeners. */
export interface IncomingRequest {
  readonly method: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface OutgoingResponse {
  readonly status: number;
  readonly contentType: string;
  /** Text, or chunks of a response that goes on. */
  readonly body: string | AsyncIterable<Uint8Array>;
}

export type Handler = (request: IncomingRequest) => Promise<OutgoingResponse>;

/** Where to listen: a TCP address, or a Unix socket only its owner may open. */
export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

export interface Listener {
  /**
   * Serves until `signal` aborts; a failed handler answers 500 and disturbs
   * nobody else. Rejects (`retry`) when the address cannot be had.
   */
  serve(
    address: ListenAddress,
    handler: Handler,
    signal: AbortSignal,
  ): Promise<void>;
}
