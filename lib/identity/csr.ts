/**
 * What to ask for: the subject, names, usages and signer of the node's
 * certificates, and the name of the request. Pure.
 */
import { createHash } from "node:crypto";
import type { NodeAddress } from "../node/types.ts";
import type { Purpose } from "./types.ts";

export interface Wish {
  readonly purpose: Purpose;
  readonly commonName: string;
  readonly organization: string;
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  readonly signerName: string;
  readonly usages: readonly string[];
}

/** Compat: kubelet 1.36 requestNodeCertificate */
export function clientWish(nodeName: string): Wish {
  return {
    ...subject(nodeName),
    purpose: "client",
    dnsNames: [],
    ips: [],
    signerName: "kubernetes.io/kube-apiserver-client-kubelet",
    usages: ["digital signature", "client auth"],
  };
}

/**
 * Undefined without any address: the signer would refuse it.
 * Compat: kubelet 1.36 newGetTemplateFn, addressesToHostnamesAndIPs
 */
export function servingWish(
  nodeName: string,
  addresses: readonly NodeAddress[],
): Wish | undefined {
  const { dnsNames, ips } = namesOf(addresses);
  if (ips.length === 0) return undefined;
  return {
    ...subject(nodeName),
    purpose: "serving",
    dnsNames,
    ips,
    signerName: "kubernetes.io/kubelet-serving",
    usages: ["digital signature", "server auth"],
  };
}

/** What a certificate for these addresses has to name, sorted. */
export function namesOf(
  addresses: readonly NodeAddress[],
): { readonly dnsNames: readonly string[]; readonly ips: readonly string[] } {
  const dnsNames = new Set<string>();
  const ips = new Set<string>();
  for (const { type, address } of addresses) {
    const ip = plainIp(address);
    if (ip !== undefined) ips.add(ip);
    else if (!type.endsWith("IP") && address !== "") dnsNames.add(address);
  }
  return { dnsNames: [...dnsNames].sort(), ips: [...ips].sort() };
}

/** One way to write each address; undefined for anything else. */
export function plainIp(text: string): string | undefined {
  if (/^\d+(\.\d+){3}$/.test(text)) return text;
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return undefined;
  return URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
}

/**
 * The same key and wish give the same name, so that a restart while waiting
 * finds its request again.
 * Compat: kubelet 1.36 digestedName
 */
export function requestName(wish: Wish, publicKey: Uint8Array): string {
  const hash = createHash("sha512-256");
  const write = (bytes: Uint8Array) => {
    // The delimiter is not in the alphabet: no two inputs run together.
    const options = { alphabet: "base64url", omitPadding: true } as const;
    hash.update(`${bytes.toBase64(options)}|`);
  };
  const encoder = new TextEncoder();
  write(publicKey);
  const texts = [wish.commonName, wish.organization, ...wish.usages];
  for (const text of texts) write(encoder.encode(text));
  for (const name of [...wish.dnsNames, ...wish.ips]) {
    write(encoder.encode(name));
  }
  return wish.purpose === "client"
    ? `node-csr-${hash.digest("base64url")}`
    : `csr-${hash.digest("hex").slice(0, 20)}`;
}

function subject(nodeName: string) {
  return {
    commonName: `system:node:${nodeName}`,
    organization: "system:nodes",
  };
}
