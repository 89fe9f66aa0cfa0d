/**
 * Who a client certificate belongs to: the common name and the organizations
 * of its subject, read from the DER itself, because the textual forms cannot
 * tell a line break in a name from the next name. Pure.
 */

export interface CertificateSubject {
  /** The last one, as Go takes it; empty when there is none. */
  readonly commonName: string;
  readonly organizations: readonly string[];
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OBJECT_ID = 0x06;
const VERSION = 0xa0;
const COMMON_NAME = "550403";
const ORGANIZATION = "55040a";
/** UTF8String, PrintableString, T61String, IA5String. */
const TEXTS = new Set([0x0c, 0x13, 0x14, 0x16]);
const BMP_TEXT = 0x1e;

interface Part {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Undefined when it is no certificate. */
export function subjectOf(der: Uint8Array): CertificateSubject | undefined {
  const [certificate] = parts(der) ?? [];
  const [signed] = partsOf(certificate, SEQUENCE) ?? [];
  const fields = partsOf(signed, SEQUENCE) ?? [];
  // [version] serial algorithm issuer validity subject …
  const subject = fields[fields[0]?.tag === VERSION ? 5 : 4];
  const names = partsOf(subject, SEQUENCE);
  if (names === undefined) return undefined;
  const commonNames: string[] = [];
  const organizations: string[] = [];
  for (const set of names) {
    for (const attribute of partsOf(set, SET) ?? []) {
      const [kind, value] = partsOf(attribute, SEQUENCE) ?? [];
      if (kind?.tag !== OBJECT_ID || value === undefined) continue;
      const text = textOf(value);
      if (text === undefined) return undefined;
      const id = kind.content.toHex();
      if (id === COMMON_NAME) commonNames.push(text);
      if (id === ORGANIZATION) organizations.push(text);
    }
  }
  return { commonName: commonNames.at(-1) ?? "", organizations };
}

function partsOf(part: Part | undefined, tag: number): Part[] | undefined {
  return part?.tag === tag ? parts(part.content) : undefined;
}

/** Undefined when the bytes are no whole sequence of values. */
function parts(bytes: Uint8Array): Part[] | undefined {
  const found: Part[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? -1;
    at += 2;
    if (length > 0x80) {
      const digits = length & 0x7f;
      if (digits > 4) return undefined;
      length = bytes.subarray(at, at + digits)
        .reduce((sum, digit) => sum * 256 + digit, 0);
      at += digits;
    }
    if (length < 0 || length === 0x80 || at + length > bytes.length) {
      return undefined;
    }
    found.push({ tag, content: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}

/** Undefined for what is no text. */
function textOf({ tag, content }: Part): string | undefined {
  const encoding = TEXTS.has(tag)
    ? "utf-8"
    : tag === BMP_TEXT
    ? "utf-16be"
    : undefined;
  if (encoding === undefined) return content.toHex();
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(content);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
