/**
 * `Http` by `fetch`: one GET with a deadline and a limit for the body.
 * Compat: redirects as Go's http.Client, which the kubelet uses for its
 * manifest URL: at most 10, and credentials do not leave the host's domain.
 */
import { joined } from "../base/bytes.ts";
import { AgentError } from "../base/errors.ts";
import type { Http, HttpResponse } from "../port/net.ts";

const MOST_REDIRECTS = 10;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const SENSITIVE: ReadonlySet<string> = new Set([
  "authorization",
  "www-authenticate",
  "cookie",
  "cookie2",
]);

type Request = Parameters<Http["get"]>[0];

export const hostHttp: Http = {
  async get(request, signal) {
    const deadline = new AbortController();
    const late = new DOMException("Deadline passed", "TimeoutError");
    const timer = setTimeout(() => deadline.abort(late), request.timeoutMs);
    const either = AbortSignal.any([signal, deadline.signal]);
    try {
      return await follow(request, either);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw asAgentError(request, error, deadline.signal);
    } finally {
      clearTimeout(timer);
    }
  },
};

async function follow(
  request: Request,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const first = parseUrl(request.url);
  let url = first;
  for (let count = 0; count <= MOST_REDIRECTS; count++) {
    const response = await fetch(url, {
      redirect: "manual",
      headers: headersFor(request, first, url),
      signal,
    });
    const target = REDIRECTS.has(response.status)
      ? response.headers.get("location")
      : null;
    if (target === null) return await readAnswer(response, request);
    await response.body?.cancel();
    url = parseUrl(target, url);
  }
  throw new AgentError(
    `Cannot get ${shown(request.url)}: more than ${MOST_REDIRECTS} redirects`,
    { next: "retry" },
  );
}

async function readAnswer(
  response: Response,
  request: Request,
): Promise<HttpResponse> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by an error cancels the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > request.limitBytes) {
      throw new AgentError(
        `Cannot get ${shown(request.url)}: body longer than ` +
          `${request.limitBytes} bytes`,
        { next: "give-up" },
      );
    }
    chunks.push(chunk);
  }
  return {
    status: response.status,
    headers: new Map(response.headers),
    body: joined(chunks),
  };
}

function headersFor(request: Request, first: URL, url: URL): Headers {
  const headers = new Headers();
  const mayTell = url.hostname === first.hostname ||
    url.hostname.endsWith(`.${first.hostname}`);
  for (const [name, value] of request.headers) {
    if (mayTell || !SENSITIVE.has(name.toLowerCase())) {
      headers.append(name, value);
    }
  }
  return headers;
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new AgentError(`Cannot get ${shown(text)}: not an http(s) URL`, {
    next: "give-up",
  });
}

function asAgentError(
  request: Request,
  error: unknown,
  deadline: AbortSignal,
): AgentError {
  if (error instanceof AgentError) return error;
  const why = deadline.aborted
    ? `: no answer within ${request.timeoutMs} ms`
    : "";
  return new AgentError(`Cannot get ${shown(request.url)}${why}`, {
    next: error instanceof Deno.errors.NotCapable ? "give-up" : "retry",
    cause: error,
  });
}

/** The URL without a password that may be in it. */
function shown(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//…@");
}
