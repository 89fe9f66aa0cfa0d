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

/** Where in a pod (or beside it) somebody is asked. */
export interface PodTarget {
  readonly host: string;
  readonly port: number;
  /** Milliseconds for the whole of it. */
  readonly timeoutMs: number;
}

export interface PodHttpRequest extends PodTarget {
  readonly scheme: "http" | "https";
  /** With its query, as written. */
  readonly path: string;
  /**
   * In this order; `Host` counts. An empty `Accept` or `User-Agent` is not
   * sent.
   */
  readonly headers: readonly (readonly [string, string])[];
  /**
   * More of the body is thrown away, and the connection with it. 0: the body
   * is not waited for, so the head alone is the answer.
   */
  readonly limitBytes: number;
}

export interface PodHttpAnswer {
  readonly status: number;
  /** At most `limitBytes` of it. */
  readonly body: Uint8Array;
  /** Where a redirect led that was not followed: to another host. */
  readonly elsewhere: string | undefined;
}

/**
 * The questions that probes and lifecycle hooks put to containers. Certificates
 * are not verified, no proxy is used and no connection is kept; redirects are
 * followed on the same host only, at most 10. A call rejects with an
 * `AgentError` whose reason is `TimedOut` (`retry`) when `timeoutMs` passed,
 * and with `retry` when nobody answers; the message is fit for an event. What
 * goes wrong after the head of an HTTP answer, the time included, has the
 * reason `BodyBroken`: the server is there, and no answer was understood. An
 * `https` question to a server of plain HTTP has the reason `PlainHttp`.
 */
export interface PodNet {
  get(request: PodHttpRequest, signal: AbortSignal): Promise<PodHttpAnswer>;
  /** Resolves once connected; the connection is closed at once. */
  connect(target: PodTarget, signal: AbortSignal): Promise<void>;
  /**
   * `grpc.health.v1.Health/Check`, in plain text; resolves with the name of
   * the status, of which `SERVING` is well.
   */
  health(
    target: PodTarget & { readonly service: string },
    signal: AbortSignal,
  ): Promise<string>;
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
