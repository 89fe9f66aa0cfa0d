/** A small web: answers by URL, which tests change at will. */
import { AgentError } from "../../lib/base/errors.ts";
import type { Http, HttpResponse } from "../../lib/port/net.ts";

export interface FakeAnswer {
  readonly status?: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

type Request = Parameters<Http["get"]>[0];

export class FakeHttp implements Http {
  readonly #answers = new Map<string, FakeAnswer>();
  /** The headers each URL was last asked with. */
  readonly asked = new Map<string, readonly (readonly [string, string])[]>();

  /** From now on the URL answers so. */
  put(url: string, answer: FakeAnswer): void {
    this.#answers.set(url, answer);
  }

  /** From now on nobody is there. */
  take(url: string): void {
    this.#answers.delete(url);
  }

  get(request: Request, signal: AbortSignal): Promise<HttpResponse> {
    return Promise.try(() => {
      signal.throwIfAborted();
      this.asked.set(request.url, request.headers);
      const answer = this.#answers.get(request.url);
      if (answer === undefined) {
        throw new AgentError(`Cannot get ${request.url}`, { next: "retry" });
      }
      const { body = "", status = 200, headers = {} } = answer;
      const bytes = typeof body === "string"
        ? new TextEncoder().encode(body)
        : body;
      if (bytes.length > request.limitBytes) {
        throw new AgentError(`Cannot get ${request.url}: body too long`, {
          next: "give-up",
        });
      }
      return { status, headers: new Map(Object.entries(headers)), body: bytes };
    });
  }
}
