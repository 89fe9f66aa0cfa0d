/** IP addresses as texts: one spelling for each, and what kind it is. */

export type Family = "IPv4" | "IPv6";

/**
 * The spelling Go prints; undefined when the text is no address. Leading zeros
 * in IPv4 are dropped, an IPv4 address in IPv6 clothes is IPv4.
 * Compat: Go netutils.ParseIPSloppy, net.IP.String.
 */
export function canonicalIp(text: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    return parts.every((part) => part <= 255) ? parts.join(".") : undefined;
  }
  if (!text.includes(":") || !/^[\da-fA-F:.]+$/.test(text)) return undefined;
  const url = `http://[${text}]/`;
  if (!URL.canParse(url)) return undefined;
  const plain = new URL(url).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(plain);
  if (mapped === null) return plain;
  const [high, low] = [mapped[1], mapped[2]]
    .map((group) => Number.parseInt(group ?? "0", 16));
  return [high, low].flatMap((group = 0) => [group >> 8, group & 255])
    .join(".");
}

export function familyOf(ip: string): Family {
  return ip.includes(":") ? "IPv6" : "IPv4";
}

export function isUnspecified(ip: string): boolean {
  return ip === "0.0.0.0" || ip === "::";
}

export function isLoopback(ip: string): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

export function isMulticast(ip: string): boolean {
  const first = Number(ip.split(".")[0]);
  return familyOf(ip) === "IPv6"
    ? ip.startsWith("ff") && ip.indexOf(":") === 4
    : first >= 224 && first <= 239;
}

export function isLinkLocal(ip: string): boolean {
  return familyOf(ip) === "IPv6"
    ? /^fe[89ab][\da-f]:/.test(ip)
    : ip.startsWith("169.254.");
}

/** Compat: Go net.IP.IsGlobalUnicast, which private ranges are too. */
export function isGlobalUnicast(ip: string): boolean {
  return ip !== "255.255.255.255" && !isUnspecified(ip) && !isLoopback(ip) &&
    !isMulticast(ip) && !isLinkLocal(ip);
}
