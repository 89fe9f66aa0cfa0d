/** Signs requests as a cluster's signer does, with a key of its own. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

export class FakeAuthority {
  readonly #keys: CryptoKeyPair;
  readonly #certificate: x509.X509Certificate;

  constructor(keys: CryptoKeyPair, certificate: x509.X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
  }

  static async create(): Promise<FakeAuthority> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, [
      "sign",
      "verify",
    ]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: "01",
      name: "CN=fake",
      keys,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date("2000-01-01"),
      notAfter: new Date("2100-01-01"),
      extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
    });
    return new FakeAuthority(keys, certificate);
  }

  get pem(): string {
    return this.#certificate.toString("pem");
  }

  /** What a signer makes of a request, valid as long as it is told. */
  async sign(
    request: string,
    life: { readonly notBeforeMs: number; readonly notAfterMs: number },
  ): Promise<string> {
    const asked = new x509.Pkcs10CertificateRequest(request);
    if (!await asked.verify()) throw new Error("The request is not signed");
    const names = asked.getExtension("2.5.29.17");
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: "02",
      subject: asked.subject,
      issuer: this.#certificate.subject,
      publicKey: await asked.publicKey.export(),
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(life.notBeforeMs),
      notAfter: new Date(life.notAfterMs),
      extensions: names === null ? [] : [names],
    });
    return certificate.toString("pem") + "\n";
  }

  /** A server's pair for these addresses, for servers of a test's own. */
  async server(
    ips: readonly string[],
    options: { readonly notAfterMs?: number; readonly notBeforeMs?: number } =
      {},
  ): Promise<{ readonly certificate: string; readonly key: string }> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, [
      "sign",
      "verify",
    ]);
    const now = Date.now();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: "03",
      subject: "CN=server",
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(options.notBeforeMs ?? now - 60_000),
      notAfter: new Date(options.notAfterMs ?? now + 3_600_000),
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          ips.map((value) => ({
            type: /^[\d.]+$/.test(value) ? "ip" as const : "dns" as const,
            value,
          })),
        ),
      ],
    });
    const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    return {
      certificate: certificate.toString("pem") + "\n",
      key: x509.PemConverter.encode(key, "PRIVATE KEY") + "\n",
    };
  }
}
