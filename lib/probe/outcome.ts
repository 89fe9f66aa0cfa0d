/** How one probe went, and what is said of it. Pure. */
export type Outcome =
  /** A warning counts as a success. */
  | { readonly kind: "success"; readonly warning?: string }
  | { readonly kind: "failure"; readonly message: string }
  /** Nobody could ask; counts for nothing. */
  | {
    readonly kind: "error";
    /** Compat: the word the kubelet's event has for it. */
    readonly state: "failure" | "unknown";
    readonly message: string;
  };

export const SUCCESS: Outcome = { kind: "success" };

export function failed(message: string): Outcome {
  return { kind: "failure", message };
}

export function errored(
  message: string,
  state: "failure" | "unknown" = "unknown",
): Outcome {
  return { kind: "error", state, message };
}

/** The words of an adapter's failure. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export const LONGEST_OUTPUT_BYTES = 10 * 1024;

/** Text of the beginning of some output. */
export function outputText(...parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  let room = LONGEST_OUTPUT_BYTES;
  let text = "";
  for (const part of parts) {
    text += decoder.decode(part.subarray(0, room), { stream: true });
    room -= Math.min(room, part.length);
  }
  return text + decoder.decode();
}
