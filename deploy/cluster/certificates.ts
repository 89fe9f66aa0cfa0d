/** Makes keys and signs certificates, as PEM texts. Knows no file and no name. */
// @peculiar/x509 finds its algorithms by decorators, which need this first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const YEAR_MS = 365 * 24 * 3_600_000;
/** Nodes with a clock that is a little behind must not refuse. */
const BACKDATE_MS = 5 * 60_000;

/** Two PEM texts that belong together. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

export interface Wish {
  readonly commonName: string;
  readonly organization?: string;
  readonly use: "client" | "server" | "both";
  readonly hosts?: readonly string[];
  readonly lifetimeMs?: number;
}

export async function makeAuthority(commonName: string): Promise<Pair> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: new x509.Name([{ CN: [commonName] }]).toString(),
    ...lifetime(10 * YEAR_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign |
          x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pair(certificate, keys);
}

export async function issue(authority: Pair, wish: Wish): Promise<Pair> {
  const keys = await makeKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  const uses = { client: [clientAuth], server: [serverAuth] };
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subject(wish),
    issuer: issuer.subject,
    ...lifetime(wish.lifetimeMs ?? YEAR_MS),
    publicKey: keys.publicKey,
    signingKey: await readKey(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(
        wish.use === "both" ? [clientAuth, serverAuth] : uses[wish.use],
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...alternativeNames(wish),
    ],
  });
  return pair(certificate, keys);
}

/** `sha256:…` of its key, as `kubeadm join --discovery-token-ca-cert-hash`. */
export async function hashOf(certificate: string): Promise<string> {
  const { publicKey } = new x509.X509Certificate(certificate);
  const digest = await crypto.subtle.digest("SHA-256", publicKey.rawData);
  return `sha256:${new Uint8Array(digest).toHex()}`;
}

/** A PKCS#10 request of a new key, as a node makes one. */
export async function makeRequest(
  wish: Pick<Wish, "commonName" | "organization" | "hosts">,
): Promise<{ readonly request: string; readonly key: string }> {
  const keys = await makeKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject(wish),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: alternativeNames(wish),
  });
  return { request: request.toString("pem"), key: await privatePem(keys) };
}

/** The key pair that service account tokens are signed with. */
export async function makeSigningKey(): Promise<
  { readonly publicKey: string; readonly key: string }
> {
  const keys = await makeKeys();
  const spki = await crypto.subtle.exportKey("spki", keys.publicKey);
  return {
    publicKey: x509.PemConverter.encode(spki, "PUBLIC KEY"),
    key: await privatePem(keys),
  };
}

function makeKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function readKey(pem: string): Promise<CryptoKey> {
  const bytes = x509.PemConverter.decodeFirst(pem);
  return crypto.subtle.importKey("pkcs8", bytes, ALGORITHM, false, ["sign"]);
}

async function privatePem(keys: CryptoKeyPair): Promise<string> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return x509.PemConverter.encode(pkcs8, "PRIVATE KEY") + "\n";
}

async function pair(
  certificate: x509.X509Certificate,
  keys: CryptoKeyPair,
): Promise<Pair> {
  return {
    certificate: certificate.toString("pem") + "\n",
    key: await privatePem(keys),
  };
}

function subject(wish: Pick<Wish, "commonName" | "organization">): string {
  return new x509.Name([
    ...(wish.organization === undefined ? [] : [{ O: [wish.organization] }]),
    { CN: [wish.commonName] },
  ]).toString();
}

function alternativeNames({ hosts = [] }: Pick<Wish, "hosts">) {
  if (hosts.length === 0) return [];
  return [
    new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({
      type: /^[0-9.]+$|:/.test(value) ? "ip" as const : "dns" as const,
      value,
    }))),
  ];
}

function lifetime(ms: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + ms),
  };
}

/** Positive, as the standard wants it: the first bit is never set. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return "4" + [...bytes].map((byte) => byte.toString(16).padStart(2, "0"))
    .join("").slice(1);
}
