/** When a certificate is to be renewed, and what is wrong with one. Pure. */
import type { Wish } from "./csr.ts";
import type { CertificateFacts } from "./x509.ts";

/** A clock that differs by more is told; less is no one's business. */
const SKEW_MS = 5 * 60_000;

/**
 * `fraction` in [0, 1) spreads the nodes of a cluster.
 * Compat: client-go certificate_manager nextRotationDeadline: 70 to 90 %.
 */
export function renewAtMs(facts: Life, fraction: number): number {
  const lifeMs = facts.notAfterMs - facts.notBeforeMs;
  return facts.notBeforeMs + lifeMs * (0.7 + 0.2 * fraction);
}

type Life = Pick<CertificateFacts, "notBeforeMs" | "notAfterMs">;

/**
 * The wait before the next try, after `failures` of them in a row.
 * Compat: client-go certificate_manager rotate: 2 s doubled, then each 32 s.
 */
export function retryDelayMs(failures: number, fraction: number): number {
  const delayMs = Math.min(2000 * 2 ** Math.max(0, failures - 1), 32_000);
  return delayMs * (1 + 0.1 * fraction);
}

/**
 * After a denial: somebody said no, and is not to be bothered every second.
 * One minute doubled to 15.
 */
export function deniedDelayMs(denials: number, fraction: number): number {
  const delayMs = Math.min(60_000 * 2 ** Math.max(0, denials - 1), 900_000);
  return delayMs * (1 + 0.1 * fraction);
}

export function isExpired(facts: Life, nowMs: number): boolean {
  return nowMs >= facts.notAfterMs;
}

/** What a certificate does not say that the wish asks for; undefined: all. */
export function lacks(
  facts: CertificateFacts,
  wish: Wish,
): string | undefined {
  if (facts.commonName !== wish.commonName) {
    return `it is for ${facts.commonName}, not for ${wish.commonName}`;
  }
  if (!facts.organizations.includes(wish.organization)) {
    return `it has no organization ${wish.organization}`;
  }
  const missing = [
    ...wish.dnsNames.filter((each) => !facts.dnsNames.includes(each)),
    ...wish.ips.filter((each) => !facts.ips.includes(each)),
  ];
  return missing.length === 0
    ? undefined
    : `it does not name ${missing.join(", ")}`;
}

/** Words for a clock that cannot be right; undefined for one that may be. */
export function clockProblem(
  localMs: number,
  known: {
    readonly serverMs: number | undefined;
    readonly notBeforeMs: number | undefined;
  },
): string | undefined {
  const local = new Date(localMs).toISOString();
  const { serverMs, notBeforeMs } = known;
  if (serverMs !== undefined && Math.abs(serverMs - localMs) > SKEW_MS) {
    const word = localMs < serverMs ? "behind" : "ahead of";
    const server = new Date(serverMs).toISOString();
    return `the local clock (${local}) is ${
      span(localMs - serverMs)
    } ${word} ` +
      `the API server's (${server}): set it, or certificates seem invalid`;
  }
  if (notBeforeMs !== undefined && notBeforeMs > localMs + SKEW_MS) {
    return `the certificate begins at ${new Date(notBeforeMs).toISOString()} ` +
      `and the local clock says ${local}: set it`;
  }
  return undefined;
}

function span(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}
