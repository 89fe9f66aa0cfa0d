/**
 * The blocks of a PEM text. `kubelet-client-current.pem` has a certificate and
 * its key in one file, and TLS takes the first block it finds for either.
 */

/** The certificates of a text, or the text where it has none. */
export function certificatesIn(text: string): string {
  return blocks(text, "CERTIFICATE") ?? text;
}

/** The private keys of a text, or the text where it has none. */
export function keysIn(text: string): string {
  return blocks(text, "[A-Z ]*PRIVATE KEY") ?? text;
}

function blocks(text: string, label: string): string | undefined {
  const whole = new RegExp(
    `-----BEGIN (${label})-----[^-]+-----END \\1-----`,
    "g",
  );
  const found = text.match(whole);
  return found === null ? undefined : found.join("\n") + "\n";
}
