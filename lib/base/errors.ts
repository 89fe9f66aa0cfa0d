/**
 * Failures that cross a layer. Adapters set `next` once, at the edge, from
 * status codes; nobody further in reads message text to find out what to do.
 * Expected outcomes are values, not errors; bugs are assertions.
 */

/**
 * What the caller should do next.
 * - `retry`: may succeed later (runtime down, deadline, throttled).
 * - `give-up`: will not succeed without a change of input.
 * - `already-so`: the wanted state is there already (not found on remove,
 *   already exists on create).
 */
export type Next = "retry" | "give-up" | "already-so";

export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly next: Next;
  /**
   * A short machine-readable reason, where one is contract: it shows up as a
   * container's waiting reason or an event's reason (`ErrImagePull`).
   */
  readonly reason: string | undefined;
  /** The words of its event, where those are contract, too. */
  readonly told: string | undefined;

  constructor(
    message: string,
    options: { next: Next; reason?: string; cause?: unknown; told?: string },
  ) {
    super(message, { cause: options.cause });
    this.next = options.next;
    this.reason = options.reason;
    this.told = options.told;
  }
}

/** What an event says of it. */
export function toldOf(error: unknown): string {
  return error instanceof AgentError && error.told !== undefined
    ? error.told
    : chainOf(error);
}

/** What to do after any thrown value; unknown errors are worth a retry. */
export function nextOf(error: unknown): Next {
  return error instanceof AgentError ? error.next : "retry";
}

/** Waits for work whose wanted state may be there already. */
export async function orAlreadySo(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (nextOf(error) !== "already-so") throw error;
  }
}

/** One line with the whole chain of causes, outermost first. */
export function chainOf(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && depth < 8; depth++) {
    const text = current instanceof Error ? current.message : String(current);
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}

/** True when the error is an abort of `signal`, not a failure of the work. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted &&
    (error === signal.reason ||
      (error instanceof DOMException && error.name === "AbortError") ||
      (error instanceof Error && isAbort(error.cause, signal)));
}
