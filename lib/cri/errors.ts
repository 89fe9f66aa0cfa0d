/**
 * gRPC status codes → `AgentError`. `channel.ts` makes one of these from every
 * failed call, so that nobody further in sees a status code or reads message
 * text. Reading text is allowed here, at the edge, and nowhere else.
 */
import { AgentError, type Next } from "../base/errors.ts";

/** gRPC status codes by number. */
const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const satisfies readonly string[];

export type Code = typeof CODES[number];

/**
 * What to do after each code. A missing object is `give-up` here: asking again
 * for the same id is no use. Callers for whom "gone" is the wanted state wrap
 * the call in `absentIsUndefined`.
 */
const NEXT: Partial<Record<Code, Next>> = {
  NOT_FOUND: "give-up",
  INVALID_ARGUMENT: "give-up",
  OUT_OF_RANGE: "give-up",
  UNIMPLEMENTED: "give-up",
  PERMISSION_DENIED: "give-up",
  UNAUTHENTICATED: "give-up",
  ALREADY_EXISTS: "already-so",
};

/** A failed call as gRPC tells it; always the `cause` of an `AgentError`. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: Code;

  constructor(code: Code, details: string) {
    super(details);
    this.code = code;
  }
}

/** The code with this number; UNKNOWN for numbers gRPC does not have. */
export function codeOf(number: number): Code {
  return CODES[number] ?? "UNKNOWN";
}

/** What failed, for the message of the error. */
export interface Attempt {
  /** Verb and object: `create container app`. */
  readonly doing: string;
  readonly socketPath: string;
  readonly deadlineMs: number | "none";
}

export function toAgentError(error: RpcError, attempt: Attempt): AgentError {
  return new AgentError(
    `Cannot ${attempt.doing}: ${wordsOf(error, attempt)}`,
    {
      next: NEXT[error.code] ?? "retry",
      ...error.code === "UNAVAILABLE" ? { reason: "RuntimeUnavailable" } : {},
      cause: error,
    },
  );
}

/** Undefined instead of a failure when the runtime knows no such object. */
export async function absentIsUndefined<T>(
  answer: Promise<T>,
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/** True when `error` is an `AgentError` made from this status code. */
export function hasCode(error: unknown, code: Code): boolean {
  return error instanceof AgentError && error.cause instanceof RpcError &&
    error.cause.code === code;
}

/** Compat: kubelet 1.36: containerd 2.2 says so in words alone. */
export function isNotImplemented(error: unknown): boolean {
  return hasCode(error, "UNIMPLEMENTED") ||
    (hasCode(error, "UNKNOWN") && error instanceof AgentError &&
      error.message.includes("not implemented"));
}

/**
 * The error of a pull, with its machine-readable reason.
 * Compat: kubelet 1.36 evalCRIPullErr: the reason stands at the beginning of
 * the runtime's text. A pull is always worth another try, since registries
 * change; only an RPC that does not exist is not.
 */
export function toPullError(error: unknown, image: string): unknown {
  if (!(error instanceof AgentError)) return error;
  const words = error.cause instanceof RpcError ? error.cause.message : "";
  for (const [reason, because] of PULL_REASONS) {
    if (!words.startsWith(reason)) continue;
    return new AgentError(
      `image pull failed for ${image} because ${because}` +
        words.slice(reason.length),
      { next: "retry", reason, cause: error },
    );
  }
  return new AgentError(error.message, {
    next: hasCode(error, "UNIMPLEMENTED") ? "give-up" : "retry",
    reason: "ErrImagePull",
    cause: error.cause,
    ...hasCode(error, "UNKNOWN") ? { told: words } : toldByGo(error),
  });
}

/**
 * Throws the error of a sandbox that cannot be made.
 * Compat: kubelet 1.36 createPodSandbox: Go's words for a failed call.
 */
export function failSandbox(error: unknown): never {
  if (!(error instanceof AgentError)) throw error;
  const { message, next, reason, cause } = error;
  throw new AgentError(message, {
    next,
    cause,
    ...reason === undefined ? {} : { reason },
    ...toldByGo(error),
  });
}

/** A runtime that is away, or late, is told of in our words. */
function toldByGo({ cause }: AgentError): { readonly told?: string } {
  if (!(cause instanceof RpcError)) return {};
  const { code, message } = cause;
  if (code === "UNAVAILABLE" || code === "DEADLINE_EXCEEDED") return {};
  const name = code.toLowerCase().split("_")
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join("");
  return { told: `rpc error: code = ${name} desc = ${message}` };
}

const PULL_REASONS: readonly (readonly [string, string])[] = [
  ["RegistryUnavailable", "the registry is unavailable"],
  ["SignatureValidationFailed", "the signature validation failed"],
];

/** The error of a command that ran into its time limit, marked as such. */
export function toExecError(error: unknown): unknown {
  if (!hasCode(error, "DEADLINE_EXCEEDED")) return error;
  return error instanceof AgentError
    ? new AgentError(error.message, {
      next: "retry",
      reason: "CommandTimedOut",
      cause: error.cause,
    })
    : error;
}

/** The runtime's own words, or ours where the failure was on our side. */
function wordsOf(error: RpcError, attempt: Attempt): string {
  const words = error.message;
  if (
    error.code === "DEADLINE_EXCEEDED" &&
    words.startsWith("Deadline exceeded") && attempt.deadlineMs !== "none"
  ) {
    return `deadline of ${attempt.deadlineMs / 1000} s passed`;
  }
  if (error.code === "UNAVAILABLE") {
    if (words.includes("ENOENT")) return `no such socket ${attempt.socketPath}`;
    if (words.includes("ECONNREFUSED")) {
      return `nobody listens on socket ${attempt.socketPath}`;
    }
    if (words.includes("EACCES") || words.includes("EPERM")) {
      return `not allowed to open socket ${attempt.socketPath}`;
    }
    return `runtime is not available: ${words}`;
  }
  return words === "" ? error.code : words;
}
