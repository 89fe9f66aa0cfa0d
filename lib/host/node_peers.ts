/**
 * Which certificate a connection's client has proved to hold. A certificate
 * that is merely shown counts for nothing: `getPeerCertificate` is filled even
 * when nobody vouches for it.
 */
import type { Duplex } from "node:stream";
import { isIP } from "node:net";

/** The part of a TLS socket that is read here. */
export interface Proof {
  readonly authorized: boolean;
  getPeerCertificate(): unknown;
}

interface Met {
  readonly der: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly authorities: string | undefined;
}

export class ProvenPeers {
  readonly #met = new WeakMap<object, Met>();
  #authorities: string | undefined;

  /** Those of now; what others vouched for before does not count any more. */
  authorities(pem: string | undefined): void {
    this.#authorities = pem;
  }

  /** After the handshake. */
  met(socket: Proof & Duplex): void {
    if (socket.authorized !== true || this.#authorities === undefined) return;
    const shown = fieldsOf(socket.getPeerCertificate());
    const der = shown.get("raw");
    const notBeforeMs = Date.parse(String(shown.get("valid_from")));
    const notAfterMs = Date.parse(String(shown.get("valid_to")));
    const isDated = !Number.isNaN(notBeforeMs) && !Number.isNaN(notAfterMs);
    if (!(der instanceof Uint8Array) || !isDated) return;
    const authorities = this.#authorities;
    this.#met.set(socket, { der, notBeforeMs, notAfterMs, authorities });
  }

  /** The certificate's DER, as long as it is worth something. */
  proven(socket: object, nowMs: number): Uint8Array | undefined {
    const met = this.#met.get(socket);
    if (met === undefined || met.authorities !== this.#authorities) return;
    return met.notBeforeMs <= nowMs && nowMs <= met.notAfterMs
      ? met.der
      : undefined;
  }
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(
    typeof value === "object" && value !== null ? Object.entries(value) : [],
  );
}

/** Without the IPv4-in-IPv6 prefix of sockets that listen on both. */
export function plainAddress(address: string | undefined): string {
  const found = address?.replace(/^::ffff:/, "") ?? "";
  return isIP(found) === 0 ? "unknown" : found;
}
