import assert from "node:assert/strict";
import { tlsRules } from "./tls_rules.ts";

Deno.test("tlsRules() offers what is configured and safe, and says what is not", () => {
  const rules = (tlsMinVersion: string, ...tlsCipherSuites: string[]) =>
    tlsRules({ tlsMinVersion, tlsCipherSuites, tlsCurvePreferences: [] });
  assert.deepEqual(rules(""), {
    rules: { minVersion: "TLSv1.2", ciphers: [] },
    warnings: [],
  });
  assert.deepEqual(
    rules(
      "VersionTLS12",
      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
      "TLS_AES_128_GCM_SHA256",
      "TLS_RSA_WITH_RC4_128_SHA",
    ),
    {
      rules: {
        minVersion: "TLSv1.2",
        ciphers: ["ECDHE-RSA-CHACHA20-POLY1305"],
      },
      warnings: ["tlsCipherSuites: TLS_RSA_WITH_RC4_128_SHA is not offered"],
    },
  );
  assert.equal(rules("VersionTLS13").rules.minVersion, "TLSv1.3");
  assert.match(rules("VersionTLS10").warnings[0] ?? "", /is raised/);
  // Nothing of TLS 1.2 that was named can be offered: then none of it is.
  assert.equal(
    rules("", "TLS_RSA_WITH_AES_128_CBC_SHA").rules.minVersion,
    "TLSv1.3",
  );
});
