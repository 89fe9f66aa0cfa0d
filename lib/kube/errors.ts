/**
 * HTTP statuses and failed connections → `AgentError`. Reading the server's
 * text is allowed here, at the edge, and nowhere else.
 */
import { AgentError, type Next } from "../base/errors.ts";
import { isObject, objectIn, textIn } from "../base/json.ts";
import type { ApiObject } from "../port/cluster.ts";
import { parseObject } from "./json.ts";
import { codeOf, WaitedTooLong } from "./transport.ts";

/** A refusal in the server's words; `cause` of an `AgentError`. */
export class ServerRefusal extends Error {
  override readonly name = "ServerRefusal";
  readonly status: number;
  /** `status.reason`, as `AlreadyExists`. */
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    facts: { status: number; reason: string; retryAfterSeconds?: number },
  ) {
    super(message);
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/**
 * What to do after each status. A missing object is `give-up`: asking again is
 * no use. Who wants it gone says so with `nextOr`. A credential that is not
 * taken is `retry`: it may be replaced, or the server may not know it yet.
 */
const NEXT: Readonly<Record<number, Next>> = {
  400: "give-up",
  403: "give-up",
  404: "give-up",
  405: "give-up",
  406: "give-up",
  413: "give-up",
  415: "give-up",
  422: "give-up",
};

/** The refusal of an answer with status 300 and more. */
export function refusalOf(
  answer: {
    readonly status: number;
    readonly text: string;
    readonly retryAfter: string | undefined;
  },
): ServerRefusal {
  const told = statusObject(answer.text);
  const seconds = Number(
    answer.retryAfter ?? objectIn(told, "details")
      .retryAfterSeconds,
  );
  return new ServerRefusal(
    textIn(told, "message") ??
      ["it answered", answer.status, ...plain(answer.text)].join(" "),
    {
      status: answer.status,
      reason: textIn(told, "reason") ?? "",
      ...(Number.isFinite(seconds) && seconds > 0
        ? { retryAfterSeconds: seconds }
        : {}),
    },
  );
}

function statusObject(text: string): ApiObject {
  if (!text.startsWith("{")) return {};
  try {
    const value = parseObject(text, "read a refusal");
    return isObject(value) ? value : {};
  } catch (error) {
    if (error instanceof AgentError) return {};
    throw error;
  }
}

/** One line of whatever stands in the body, for people. */
function plain(text: string): readonly string[] {
  const line = text.slice(0, 2000).replace(/[^\x20-\x7e]+/g, " ").trim();
  return line === "" ? [] : [line.slice(0, 200)];
}

export function refused(doing: string, refusal: ServerRefusal): AgentError {
  const isThere = refusal.reason === "AlreadyExists";
  return new AgentError(`Cannot ${doing}: ${refusal.message}`, {
    next: isThere ? "already-so" : NEXT[refusal.status] ?? "retry",
    ...(refusal.reason === "" ? {} : { reason: refusal.reason }),
    cause: refusal,
  });
}

/** The status the server answered with; undefined for other failures. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof AgentError && error.cause instanceof ServerRefusal
    ? error.cause.status
    : undefined;
}

/** The same failure with another `next`. */
export function saying(error: AgentError, next: Next): AgentError {
  return new AgentError(error.message, {
    next,
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    cause: error.cause,
  });
}

/** What is known of a call that got no answer. */
export interface Attempt {
  readonly doing: string;
  readonly server: string;
  readonly nowMs: number;
}

/** A failure on the way: no connection, no trust, no end of the answer. */
export function unreachable(error: unknown, attempt: Attempt): AgentError {
  if (error instanceof AgentError) {
    return new AgentError(`Cannot ${attempt.doing}`, {
      next: error.next,
      ...(error.reason === undefined ? {} : { reason: error.reason }),
      cause: error,
    });
  }
  const { words, reason } = describe(error, attempt);
  return new AgentError(`Cannot ${attempt.doing}: ${words}`, {
    next: "retry",
    reason,
    cause: error,
  });
}

/** True when nobody listens: to try again costs the server nothing. */
export function isRefusedConnection(error: unknown): boolean {
  return error instanceof AgentError && error.reason === "ConnectionRefused";
}

function describe(
  error: unknown,
  { server, nowMs }: Attempt,
): { readonly words: string; readonly reason: string } {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof WaitedTooLong) {
    return { words: text, reason: "Silent" };
  }
  const code = codeOf(error);
  const clock = `; the local clock says ${new Date(nowMs).toISOString()}`;
  const known: Readonly<Record<string, readonly [string, string]>> = {
    ECONNREFUSED: ["ConnectionRefused", `nobody listens at ${server}`],
    ENOTFOUND: ["NoSuchHost", `the name in ${server} is not known`],
    ETIMEDOUT: ["Silent", `${server} does not answer`],
    ECONNRESET: ["ConnectionLost", `${server} closed the connection`],
    EPIPE: ["ConnectionLost", `${server} closed the connection`],
    CERT_NOT_YET_VALID: [
      "ClockOrCertificate",
      `the certificate of ${server} is not valid yet${clock}`,
    ],
    CERT_HAS_EXPIRED: [
      "ClockOrCertificate",
      `the certificate of ${server} has expired${clock}`,
    ],
    ERR_TLS_CERT_ALTNAME_INVALID: [
      "WrongName",
      `the certificate of ${server} is for other names: ${text}`,
    ],
  };
  const found = known[code];
  if (found !== undefined) return { reason: found[0], words: found[1] };
  if (/UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|UNKNOWN_ISSUER/.test(code)) {
    return {
      reason: "UntrustedServer",
      words: `the certificate of ${server} is not signed by the CA of the ` +
        `kubeconfig (${text})`,
    };
  }
  return { reason: "ConnectionFailed", words: text };
}

/** For answers that may hold a secret: words about a broken one quote it. */
export function withoutQuote(doing: string): AgentError {
  return new AgentError(
    `Cannot ${doing}: the API server's answer is not JSON`,
    { next: "retry", reason: "Nonsense" },
  );
}
