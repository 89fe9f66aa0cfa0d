/**
 * A small network of pods: at each address somebody answers as told, is
 * silent, or nobody is there. Time is the fake clock's.
 */
import { AgentError } from "../../lib/base/errors.ts";
import type { Clock } from "../../lib/base/clock.ts";
import type {
  PodHttpAnswer,
  PodHttpRequest,
  PodNet,
  PodTarget,
} from "../../lib/port/net.ts";

/** What is at one address. */
export type Behaviour =
  | {
    readonly kind: "http";
    readonly status: number;
    readonly body?: string;
    readonly location?: string;
    /** No TLS here: `https` is not understood. */
    readonly isPlain?: true;
  }
  /** Takes the connection and says nothing. */
  | { readonly kind: "silent" }
  /** Sends a head, and a body that goes on for ever. */
  | { readonly kind: "drip"; readonly status: number }
  /** Hangs up without a word. */
  | { readonly kind: "hangs-up" }
  | {
    readonly kind: "grpc";
    readonly services: ReadonlyMap<string, string>;
  };

type Answer = PodHttpAnswer | { readonly location: string };

const MOST_REDIRECTS = 10;

export class FakePodNet implements PodNet {
  readonly #clock: Clock;
  readonly #places = new Map<string, Behaviour>();
  /** Requests as they arrived, oldest first, by address. */
  readonly arrived = new Map<string, PodHttpRequest[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on the address answers so. */
  put(host: string, port: number, behaviour: Behaviour): void {
    this.#places.set(`${host}:${port}`, behaviour);
  }

  /** From now on nobody is there. */
  take(host: string, port: number): void {
    this.#places.delete(`${host}:${port}`);
  }

  async get(
    request: PodHttpRequest,
    signal: AbortSignal,
  ): Promise<PodHttpAnswer> {
    signal.throwIfAborted();
    const first = `${request.scheme}://${request.host}:${request.port}`;
    let url = new URL(request.path, first);
    for (let count = 1;; count++) {
      const answer = await this.#ask(request, url, signal);
      if (!("location" in answer)) return answer;
      if (count === MOST_REDIRECTS) {
        throw failed(`Get "${answer.location}": stopped after 10 redirects`);
      }
      url = new URL(answer.location, url);
    }
  }

  async connect(target: PodTarget, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await Promise.resolve();
    const address = `${target.host}:${target.port}`;
    if (this.#places.has(address)) return;
    throw failed(`dial tcp ${address}: connect: connection refused`);
  }

  async health(
    target: PodTarget & { readonly service: string },
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted();
    const address = `${target.host}:${target.port}`;
    const place = this.#places.get(address);
    if (place?.kind !== "grpc") {
      await this.#clock.sleep(target.timeoutMs, signal);
      const within = `${target.timeoutMs / 1000}s`;
      throw failed(
        place === undefined
          ? `timeout: failed to connect service "${address}" within ` +
            `${within}: context deadline exceeded`
          : `timeout: health rpc did not complete within ${within}`,
        "TimedOut",
      );
    }
    const status = place.services.get(target.service);
    if (status !== undefined) return status;
    throw failed(
      "error: health rpc probe failed: " +
        "rpc error: code = NotFound desc = unknown service",
    );
  }

  async #ask(
    request: PodHttpRequest,
    url: URL,
    signal: AbortSignal,
  ): Promise<Answer> {
    const port = url.port === ""
      ? url.protocol === "https:" ? 443 : 80
      : Number(url.port);
    const address = `${url.hostname}:${port}`;
    const heard = this.arrived.get(address) ?? [];
    this.arrived.set(address, [...heard, request]);
    const place = this.#places.get(address);
    const get = `Get "${url.href}"`;
    switch (place?.kind) {
      case undefined:
        throw failed(
          `${get}: dial tcp ${address}: connect: connection refused`,
        );
      case "hangs-up":
      case "grpc":
        throw failed(`${get}: EOF`);
      case "silent":
        await this.#clock.sleep(request.timeoutMs, signal);
        throw failed(
          `${get}: context deadline exceeded ` +
            "(Client.Timeout exceeded while awaiting headers)",
          "TimedOut",
        );
      case "drip":
        if (request.limitBytes === 0) {
          return answerOf(place.status, "", request.limitBytes);
        }
        await this.#clock.sleep(request.timeoutMs, signal);
        throw failed(
          "context deadline exceeded " +
            "(Client.Timeout or context cancellation while reading body)",
          "BodyBroken",
        );
      case "http": {
        const { status, body = "", location, isPlain } = place;
        if (isPlain && url.protocol === "https:") {
          const why = "http: server gave HTTP response to HTTPS client";
          throw failed(`${get}: ${why}`, "PlainHttp");
        }
        const answer = answerOf(status, body, request.limitBytes);
        const isRedirect = [301, 302, 303, 307, 308].includes(status);
        if (!isRedirect || location === undefined) return answer;
        const target = new URL(location, url);
        return target.hostname === url.hostname
          ? { location }
          : { ...answer, elsewhere: target.href };
      }
    }
  }
}

function answerOf(
  status: number,
  text: string,
  limitBytes: number,
): PodHttpAnswer {
  const body = new TextEncoder().encode(text).subarray(0, limitBytes);
  return { status, body, elsewhere: undefined };
}

function failed(message: string, reason?: string): AgentError {
  return new AgentError(message, {
    next: "retry",
    ...reason === undefined ? {} : { reason },
  });
}
