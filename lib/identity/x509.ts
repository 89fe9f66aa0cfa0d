/**
 * Certificates and requests as a library makes and reads them; the only file
 * of the program that knows it. Keys come from outside and go nowhere else.
 */
// The library finds its algorithms by decorators, which need this first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { plainIp, type Wish } from "./csr.ts";
import type { Pair } from "./types.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** What a certificate says; of a chain: the leaf, and the soonest end. */
export interface CertificateFacts {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly issuer: string;
  readonly subject: string;
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export type PairReading =
  | {
    readonly kind: "whole";
    readonly pair: Pair;
    readonly facts: CertificateFacts;
  }
  | { readonly kind: "broken"; readonly why: string };

/** Reads a certificate and its key; both may be in one text. */
export function readPair(certificate: string, key: string): PairReading {
  const chain = blocks(certificate, "CERTIFICATE");
  const keys = blocks(key, "[A-Z ]*PRIVATE KEY");
  const [leaf] = chain;
  const [ownKey] = keys;
  if (leaf === undefined) return broken("there is no whole certificate in it");
  if (ownKey === undefined) return broken("there is no whole key in it");
  try {
    const parsed = chain.map((each) => new X509Certificate(each));
    const [first] = parsed;
    if (first?.checkPrivateKey(createPrivateKey(ownKey)) !== true) {
      return broken("the key does not belong to the certificate");
    }
    const pair = { certificate: chain.join("\n") + "\n", key: `${ownKey}\n` };
    return { kind: "whole", pair, facts: factsOf(first, parsed) };
  } catch {
    // The library's words may quote the key.
    return broken("the certificate or the key cannot be decoded");
  }
}

/** False when none of the CAs has signed it; true where there is none. */
export function mayBeSignedBy(pair: Pair, ca: string): boolean {
  const authorities = blocks(ca, "CERTIFICATE");
  if (authorities.length === 0) return true;
  const chain = blocks(pair.certificate, "CERTIFICATE")
    .map((each) => new X509Certificate(each));
  return authorities.map((each) => new X509Certificate(each))
    .some(({ publicKey }) => chain.some((each) => each.verify(publicKey)));
}

function broken(why: string): PairReading {
  return { kind: "broken", why };
}

function blocks(text: string, label: string): string[] {
  const whole = new RegExp(
    `-----BEGIN (${label})-----[A-Za-z0-9+/=\\s]+-----END \\1-----`,
    "g",
  );
  return text.match(whole) ?? [];
}

function factsOf(
  leaf: X509Certificate,
  chain: readonly X509Certificate[],
): CertificateFacts {
  const names = (leaf.subjectAltName ?? "").split(", ");
  const after = (prefix: string) =>
    names.filter((each) => each.startsWith(prefix))
      .map((each) => each.slice(prefix.length));
  return {
    commonName: part(leaf.subject, "CN")[0] ?? "",
    organizations: part(leaf.subject, "O"),
    issuer: leaf.issuer,
    subject: leaf.subject,
    dnsNames: after("DNS:"),
    ips: after("IP Address:").map((each) => plainIp(each) ?? each),
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: Math.min(...chain.map((each) => each.validToDate.getTime())),
  };
}

/** Values of one kind in a subject, which has one a line. */
function part(subject: string, kind: string): string[] {
  return subject.split("\n").filter((line) => line.startsWith(`${kind}=`))
    .map((line) => line.slice(kind.length + 1));
}

/** The PEM of a PKCS#10 request, signed with the key it asks for. */
export async function certificateRequest(
  wish: Wish,
  keys: CryptoKeyPair,
): Promise<string> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf([["O", wish.organization], ["CN", wish.commonName]]),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: alternativeNames(wish),
  });
  return request.toString("pem") + "\n";
}

/** A certificate that nobody vouches for, for the node's own server. */
export async function selfSigned(
  names: {
    readonly commonName: string;
    readonly dnsNames: readonly string[];
    readonly ips: readonly string[];
  },
  keys: CryptoKeyPair,
  life: {
    readonly notBeforeMs: number;
    readonly notAfterMs: number;
    /** Hexadecimal. */
    readonly serialNumber: string;
  },
): Promise<Pair> {
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: life.serialNumber,
    name: nameOf([["CN", names.commonName]]),
    notBefore: new Date(life.notBeforeMs),
    notAfter: new Date(life.notAfterMs),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ...alternativeNames(names),
    ],
  });
  return {
    certificate: certificate.toString("pem") + "\n",
    key: await keyPem(keys.privateKey),
  };
}

export async function keyPem(key: CryptoKey): Promise<string> {
  const bytes = await crypto.subtle.exportKey("pkcs8", key);
  return x509.PemConverter.encode(bytes, "PRIVATE KEY") + "\n";
}

export async function publicBytes(key: CryptoKey): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.exportKey("spki", key));
}

/** Undefined when the text is no key of ours. */
export async function readKeys(
  pem: string,
): Promise<CryptoKeyPair | undefined> {
  const [block] = blocks(pem, "PRIVATE KEY");
  if (block === undefined) return undefined;
  try {
    const bytes = x509.PemConverter.decodeFirst(block);
    const privateKey = await importKey("pkcs8", bytes, ["sign"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
    if (x === undefined || y === undefined) return undefined;
    const jwk = { kty: kty ?? "EC", crv: crv ?? "P-256", x, y };
    const publicKey = await crypto.subtle.importKey(
      "jwk",
      jwk,
      ALGORITHM,
      true,
      [
        "verify",
      ],
    );
    return { privateKey, publicKey };
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function importKey(
  format: "pkcs8",
  bytes: ArrayBuffer,
  usages: KeyUsage[],
): Promise<CryptoKey> {
  return crypto.subtle.importKey(format, bytes, ALGORITHM, true, usages);
}

function nameOf(parts: readonly (readonly [string, string])[]): string {
  return new x509.Name(parts.map(([kind, value]) => ({ [kind]: [value] })))
    .toString();
}

function alternativeNames(
  { dnsNames, ips }: Pick<Wish, "dnsNames" | "ips">,
): x509.Extension[] {
  if (dnsNames.length + ips.length === 0) return [];
  return [
    new x509.SubjectAlternativeNameExtension([
      ...dnsNames.map((value) => ({ type: "dns" as const, value })),
      ...ips.map((value) => ({ type: "ip" as const, value })),
    ]),
  ];
}
