/**
 * Why a server's certificate was not taken. Deno gives one code for all
 * reasons, but a wrong clock and a wrong CA want different people: so the
 * certificate is looked at on a connection that shows nothing and sends
 * nothing.
 */
import { isIP } from "node:net";
import * as tls from "node:tls";
import type { Secrets } from "./credentials.ts";

const LIMIT_MS = 3000;

/** The error to report: the same one, or one that says what the clock says. */
export async function diagnose(
  error: unknown,
  secrets: Secrets,
): Promise<unknown> {
  const isUntrusted = error instanceof Error && "code" in error &&
    error.code === "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
  if (!isUntrusted || secrets.access.proxyUrl !== undefined) return error;
  const life = await peerLife(secrets);
  if (life === undefined) return error;
  const nowMs = Date.now();
  if (nowMs < life.fromMs) return coded("CERT_NOT_YET_VALID", error);
  return nowMs > life.toMs ? coded("CERT_HAS_EXPIRED", error) : error;
}

function coded(code: string, cause: Error): Error {
  return Object.assign(new Error(cause.message, { cause }), { code });
}

/** When the certificate begins and ends that the server shows. */
function peerLife(
  { access }: Secrets,
): Promise<{ readonly fromMs: number; readonly toMs: number } | undefined> {
  const { promise, resolve } = Promise.withResolvers<
    { fromMs: number; toMs: number } | undefined
  >();
  const url = new URL(access.server);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const name = access.tlsServerName ?? host;
  const socket = tls.connect({
    host,
    port: url.port === "" ? 443 : Number(url.port),
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: false,
    timeout: LIMIT_MS,
  });
  const end = () => {
    socket.destroy();
    resolve(undefined);
  };
  socket.once("secureConnect", () => {
    const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
    const life = { fromMs: Date.parse(from), toMs: Date.parse(to) };
    resolve(Number.isNaN(life.fromMs + life.toMs) ? undefined : life);
    socket.destroy();
  });
  socket.once("timeout", end);
  socket.once("error", end);
  return promise;
}
