/** Keeps one certificate's view up to date for those who read the cell. */
import type { Clock } from "../base/clock.ts";
import type { Writer } from "../base/cell.ts";
import type { Logger } from "../base/log.ts";
import type { CertificateView, Problem } from "./types.ts";
import type { CertificateFacts } from "./x509.ts";

export interface ViewParts {
  readonly cell: Writer<CertificateView>;
  readonly clock: Clock;
  readonly log: Logger;
  /** It could not be renewed. */
  readonly failed?: () => void;
}

export class View {
  readonly #parts: ViewParts;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  holds(facts: CertificateFacts, renewAtMs: number | undefined): void {
    const { notBeforeMs, notAfterMs } = facts;
    this.#set({ notBeforeMs, notAfterMs, renewAtMs });
  }

  /** Undefined: nothing is asked for any more. */
  waitsFor(request: string | undefined): void {
    const { cell, clock } = this.#parts;
    const before = cell.get().pending;
    if (before?.request === request) return;
    this.#set({
      pending: request === undefined
        ? undefined
        : { request, sinceMs: clock.nowMs() },
    });
  }

  /** Tells a problem; the same one again keeps its beginning. */
  problem(kind: Problem["kind"], message: string): void {
    const { cell, clock, log, failed } = this.#parts;
    if (kind === "unreachable" || kind === "denied") failed?.();
    const { purpose, problem: before } = cell.get();
    if (before?.kind === kind && before.message === message) return;
    const sinceMs = before?.kind === kind ? before.sinceMs : clock.nowMs();
    const reason = REASONS[kind];
    this.#set({ problem: { kind, reason, message, sinceMs } });
    log.warn("Certificate needs attention", { purpose, reason, message });
  }

  solved(): void {
    if (this.#parts.cell.get().problem !== undefined) {
      this.#set({ problem: undefined });
    }
  }

  #set(part: Partial<CertificateView>): void {
    const { cell } = this.#parts;
    cell.set({ ...cell.get(), ...part });
  }
}

const REASONS: Readonly<Record<Problem["kind"], string>> = {
  unapproved: "CertificateUnapproved",
  denied: "CertificateDenied",
  unreachable: "CertificateRequestFailed",
  unusable: "KubeconfigUnusable",
  expired: "CertificateExpired",
  clock: "ClockWrong",
};
