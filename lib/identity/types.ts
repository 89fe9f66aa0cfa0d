/** What others may know about the node's certificates. */

export type Purpose = "client" | "serving";

/** Why a certificate is not as it should be, in words for people. */
export interface Problem {
  readonly kind:
    | "unapproved"
    | "denied"
    | "unreachable"
    | "unusable"
    | "expired"
    | "clock";
  /** For an event or a condition: `CertificateUnapproved`. */
  readonly reason: string;
  /** Says what to do, with the command where there is one. */
  readonly message: string;
  readonly sinceMs: number;
}

/**
 * The state of one certificate. Sole writer: the loop of its purpose, in
 * client.ts or serving.ts.
 */
export interface CertificateView {
  readonly purpose: Purpose;
  readonly notBeforeMs: number | undefined;
  readonly notAfterMs: number | undefined;
  readonly renewAtMs: number | undefined;
  /** A request that waits for its answer. */
  readonly pending:
    | { readonly request: string; readonly sinceMs: number }
    | undefined;
  readonly problem: Problem | undefined;
}

/** PEM texts that belong together. The key is secret. */
export interface Pair {
  /** The chain, leaf first. */
  readonly certificate: string;
  readonly key: string;
}

export function emptyView(purpose: Purpose): CertificateView {
  return {
    purpose,
    notBeforeMs: undefined,
    notAfterMs: undefined,
    renewAtMs: undefined,
    pending: undefined,
    problem: undefined,
  };
}
