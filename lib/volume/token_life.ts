/**
 * How long a service account token is good for, and when to ask for the next.
 * Pure. Reads claims without verifying them: the API server verifies.
 */

/** Compat: kubelet 1.36 token manager. */
const OLDEST_MS = 24 * 3_600_000;
const LONGEST_JITTER_SECONDS = 10;
const GOOD_PART = 0.8;
/** How far the server's clock may be before ours. */
const CLOCK_DIFFERENCE_MS = 60_000;

export interface TokenLife {
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Compat: kubelet 1.36 requiresRefresh. `fraction` is random, below one. */
export function renewalAtMs(life: TokenLife, fraction: number): number {
  const { issuedAtMs, expiresAtMs } = life;
  const jitterMs = Math.floor(fraction * LONGEST_JITTER_SECONDS) * 1000;
  const goodMs = (expiresAtMs - issuedAtMs) * GOOD_PART;
  return issuedAtMs + Math.min(goodMs, OLDEST_MS) - jitterMs;
}

/**
 * The life of a token that was found on disk; undefined when it is none, one
 * for another pod, or from a time that has not come. The server lets tokens for itself live a year and yet
 * wants them renewed as asked, so what was asked for is the bound.
 */
export function lifeOf(
  token: string,
  asked: {
    readonly podUid: string;
    readonly expirationSeconds: number;
    readonly nowMs: number;
  },
): TokenLife | undefined {
  const claims = claimsOf(token);
  const { iat, exp } = claims;
  if (typeof iat !== "number" || typeof exp !== "number") return undefined;
  if (boundUid(claims) !== asked.podUid) return undefined;
  if (iat * 1000 > asked.nowMs + CLOCK_DIFFERENCE_MS) return undefined;
  const seconds = Math.min(exp - iat, asked.expirationSeconds);
  return { issuedAtMs: iat * 1000, expiresAtMs: (iat + seconds) * 1000 };
}

/**
 * The life of a token that was just issued, by our clock. When the two clocks
 * are too far apart to tell, it is what was asked for.
 */
export function lifeOfNew(
  nowMs: number,
  expiresAtMs: number,
  expirationSeconds: number,
): TokenLife {
  const askedMs = expirationSeconds * 1000;
  const toldMs = expiresAtMs - nowMs;
  const leftMs = toldMs > 0 ? Math.min(toldMs, askedMs) : askedMs;
  return { issuedAtMs: nowMs, expiresAtMs: nowMs + leftMs };
}

function boundUid(claims: Members): unknown {
  return membersOf(membersOf(claims["kubernetes.io"]).pod).uid;
}

type Members = { readonly [key: string]: unknown };

function claimsOf(token: string): Members {
  const payload = token.split(".")[1] ?? "";
  try {
    const bytes = Uint8Array.fromBase64(payload, { alphabet: "base64url" });
    return membersOf(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
