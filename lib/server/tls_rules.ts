/**
 * TLS settings as Go names them → what this server can do. Pure. Suites that
 * nobody should use any more are not offered, whatever is configured.
 */
import type { TlsRules } from "../port/node_server.ts";

/** TLS 1.2 suites by Go's name, and as OpenSSL names them. */
const SUITES: ReadonlyMap<string, string> = new Map([
  [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
  ],
  [
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
  ],
  [
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
  ],
  [
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
  ],
  ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
  ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"],
  ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
  [
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
  ],
]);
/** Of TLS 1.3: always offered, as Go offers them. */
const ALWAYS = /^TLS_(AES|CHACHA20)_/;

export function tlsRules(
  { tlsMinVersion, tlsCipherSuites }: {
    readonly tlsMinVersion: string;
    readonly tlsCipherSuites: readonly string[];
  },
): { readonly rules: TlsRules; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  if (tlsMinVersion === "VersionTLS10" || tlsMinVersion === "VersionTLS11") {
    warnings.push(`tlsMinVersion: ${tlsMinVersion} is raised to VersionTLS12`);
  }
  const ciphers = new Set<string>();
  for (const name of tlsCipherSuites) {
    const own = SUITES.get(name);
    if (own !== undefined) ciphers.add(own);
    else if (!ALWAYS.test(name)) {
      warnings.push(`tlsCipherSuites: ${name} is not offered`);
    }
  }
  const isTls13 = tlsMinVersion === "VersionTLS13" ||
    // Nothing that was named is left for TLS 1.2.
    (tlsCipherSuites.length > 0 && ciphers.size === 0);
  return {
    rules: {
      minVersion: isTls13 ? "TLSv1.3" : "TLSv1.2",
      ciphers: [...ciphers],
    },
    warnings,
  };
}
