/**
 * `PodNet`'s HTTP and TCP: what probes and lifecycle hooks ask containers.
 * Every question has a connection of its own. The other side is trusted with
 * nothing: what it sends is bounded, and how long it takes.
 * Compat: kubelet 1.36 pkg/probe/http and tcp, and the words of Go's client.
 */
import { LONGEST_TIMER_MS } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type {
  PodHttpAnswer,
  PodHttpRequest,
  PodNet,
  PodTarget,
} from "../port/net.ts";
import {
  type AnswerHead,
  BrokenAnswer,
  ByteReader,
  readBody,
  readHead,
} from "./http_answer.ts";
import { joinHostPort, openWire, type PodWire } from "./pod_wire.ts";

const MOST_REDIRECTS = 10;
/** A timer that is later than this was held up by the agent or the machine. */
const LATE_MS = 20;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export const hostPodNet: Omit<PodNet, "health"> = {
  async get(request, signal) {
    using deadline = deadlineOf(request, signal);
    const first = urlOf(request);
    let step: Step = { url: first, shown: first.href, referer: undefined };
    for (let count = 1;; count++) {
      const found = await ask(request, step, { deadline, first, count });
      if (found.kind === "answer") return found.answer;
      step = found.next;
    }
  },

  async connect(target, signal) {
    using deadline = deadlineOf(target, signal);
    try {
      const wire = await openWire(
        { scheme: "http", host: target.host, port: target.port },
        deadline.signal,
      );
      wire.close();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!deadline.signal.aborted) throw error;
      const address = joinHostPort(target.host, target.port);
      throw late(`dial tcp ${address}: i/o timeout`);
    }
  },
};

interface Step {
  readonly url: URL;
  /** As the error names it. */
  readonly shown: string;
  readonly referer: string | undefined;
}

interface Deadline extends Disposable {
  /** Aborts when the time is over, or with the caller's signal. */
  readonly signal: AbortSignal;
  readonly caller: AbortSignal;
}

type Found =
  | { readonly kind: "answer"; readonly answer: PodHttpAnswer }
  | { readonly kind: "redirect"; readonly next: Step };

/** One request on one connection. */
async function ask(
  request: PodHttpRequest,
  step: Step,
  run: {
    readonly deadline: Deadline;
    readonly first: URL;
    readonly count: number;
  },
): Promise<Found> {
  const { deadline, first, count } = run;
  let wire: PodWire | undefined;
  const stop = () => wire?.close();
  deadline.signal.addEventListener("abort", stop, { once: true });
  let head: AnswerHead | undefined;
  try {
    const bytes = requestBytes(request, step, first);
    wire = await openWire(wireTargetOf(request, step, first), deadline.signal);
    await wire.write(bytes);
    const { read } = wire;
    const reader = new ByteReader(read);
    head = await readHead(reader);
    const target = redirectOf(head, step);
    if (target !== undefined && target.url.hostname === first.hostname) {
      return { kind: "redirect", next: nextStep(target, count) };
    }
    const body = request.limitBytes === 0
      ? new Uint8Array()
      : await readBody(reader, head, request.limitBytes);
    const elsewhere = target?.url.href;
    return { kind: "answer", answer: { status: head.status, body, elsewhere } };
  } catch (error) {
    throw head === undefined
      ? headError(error, step, deadline)
      : bodyError(error, deadline);
  } finally {
    deadline.signal.removeEventListener("abort", stop);
    wire?.close();
  }
}

function redirectOf(head: AnswerHead, step: Step): Step | undefined {
  const { status, location } = head;
  if (!REDIRECTS.has(status) || location === undefined) return undefined;
  if (!URL.canParse(location, step.url)) {
    throw new RefusedRedirect(
      `failed to parse Location header ${JSON.stringify(location)}`,
      step.shown,
    );
  }
  const url = new URL(location, step.url);
  return { url, shown: location, referer: step.url.href };
}

/** A redirect that cannot be followed, which counts as no answer. */
class RefusedRedirect extends Error {
  override readonly name = "RefusedRedirect";
  readonly shown: string;

  constructor(message: string, shown: string) {
    super(message);
    this.shown = shown;
  }
}

function nextStep(step: Step, count: number): Step {
  if (count >= MOST_REDIRECTS) {
    const message = `stopped after ${MOST_REDIRECTS} redirects`;
    throw new RefusedRedirect(message, step.shown);
  }
  const scheme = step.url.protocol.slice(0, -1);
  if (scheme === "http" || scheme === "https") return step;
  const message = `unsupported protocol scheme "${scheme}"`;
  throw new RefusedRedirect(message, step.shown);
}

function urlOf({ scheme, host, port, path }: PodHttpRequest): URL {
  const text = `${scheme}://${joinHostPort(host, port)}${path}`;
  if (URL.canParse(text)) return new URL(text);
  throw new AgentError(`parse ${JSON.stringify(text)}: invalid URL`, {
    next: "give-up",
  });
}

function wireTargetOf(request: PodHttpRequest, { url }: Step, first: URL) {
  const scheme = url.protocol === "https:" ? "https" : "http";
  const usual = scheme === "https" ? 443 : 80;
  const port = url.port === "" ? usual : Number(url.port);
  return url === first
    ? { scheme, host: request.host, port: request.port } as const
    : { scheme, host: url.hostname.replace(/^\[|\]$/g, ""), port } as const;
}

/** Compat: Go sends `Host` and `User-Agent` first and closes in the end. */
function requestBytes(
  request: PodHttpRequest,
  { url, referer }: Step,
  first: URL,
): Uint8Array {
  const isFirst = url === first;
  const named = request.headers.find(([name]) => is(name, "host"))?.[1] ?? "";
  const host = named !== "" && (isFirst || url.host === first.host)
    ? named
    : isFirst
    ? joinHostPort(request.host, request.port)
    : url.host;
  const path = isFirst ? request.path : `${url.pathname}${url.search}`;
  const lines = [`GET ${path === "" ? "/" : path} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of request.headers) {
    if (is(name, "host")) continue;
    if (value === "" && (is(name, "accept") || is(name, "user-agent"))) {
      continue;
    }
    lines.push(`${name}: ${value}`);
  }
  if (referer !== undefined) lines.push(`Referer: ${referer}`);
  lines.push("Connection: close");
  const broken = lines.find((line) => /[\r\n\0]/.test(line));
  if (broken !== undefined) {
    const name = broken.slice(0, broken.indexOf(":"));
    throw new BrokenAnswer(
      `net/http: invalid header field value for "${name}"`,
    );
  }
  return new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
}

function is(name: string, lower: string): boolean {
  return name.toLowerCase() === lower;
}

const NO_ANSWER = { next: "retry", reason: undefined } as const;

function headError(error: unknown, step: Step, deadline: Deadline): unknown {
  if (deadline.caller.aborted) return deadline.caller.reason;
  const shown = error instanceof RefusedRedirect ? error.shown : step.shown;
  const get = `Get "${shown}"`;
  if (deadline.signal.aborted) {
    return late(
      `${get}: context deadline exceeded ` +
        "(Client.Timeout exceeded while awaiting headers)",
    );
  }
  const { next, reason } = error instanceof AgentError ? error : NO_ANSWER;
  return new AgentError(`${get}: ${wordsOf(error)}`, {
    next,
    ...reason === undefined ? {} : { reason },
    cause: error,
  });
}

/** The head was there: whoever needs no more than that asks for no body. */
function bodyError(error: unknown, deadline: Deadline): unknown {
  if (deadline.caller.aborted) return deadline.caller.reason;
  if (error instanceof RefusedRedirect) {
    const message = `Get "${error.shown}": ${error.message}`;
    return new AgentError(message, { next: "retry", cause: error });
  }
  const message = deadline.signal.aborted
    ? "context deadline exceeded " +
      "(Client.Timeout or context cancellation while reading body)"
    : wordsOf(error);
  const reason = "BodyBroken";
  return new AgentError(message, { next: "retry", reason, cause: error });
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function late(message: string): AgentError {
  return new AgentError(message, { next: "retry", reason: "TimedOut" });
}

/**
 * The time that the agent itself was late is not the other side's: an answer
 * that has come by then is still heard.
 */
function deadlineOf({ timeoutMs }: PodTarget, caller: AbortSignal): Deadline {
  caller.throwIfAborted();
  const own = new AbortController();
  const stop = () => own.abort(caller.reason);
  const waitMs = Math.min(timeoutMs, LONGEST_TIMER_MS);
  const dueMs = performance.now() + waitMs;
  const end = () => own.abort(new Error("late"));
  let timer = setTimeout(() => {
    const lateMs = performance.now() - dueMs;
    if (lateMs < LATE_MS) return end();
    timer = setTimeout(end, Math.min(lateMs, waitMs));
  }, waitMs);
  caller.addEventListener("abort", stop, { once: true });
  return {
    signal: own.signal,
    caller,
    [Symbol.dispose]() {
      clearTimeout(timer);
      caller.removeEventListener("abort", stop);
    },
  };
}
