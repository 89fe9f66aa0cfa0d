/**
 * What the node's server shows and whom it trusts: the configured files, or
 * the pair that serving.ts keeps, with the CA of client certificates. Files
 * are read again when they change; what cannot be read leaves things as they
 * were. Sole writer of the cell of `ServerIdentity`.
 */
import type { Reader, Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Files } from "../port/host.ts";
import type { ServerIdentity } from "../port/node_server.ts";
import type { Pair } from "./types.ts";
import { readPair } from "./x509.ts";

export interface ServerIdentityParts {
  /** Must follow links: installers rotate by them. */
  readonly files: Pick<Files, "read" | "watch">;
  readonly clock: Clock;
  readonly log: Logger;
  /** The pair that the node has of itself; not looked at with a file. */
  readonly pair: Reader<Pair | undefined>;
  readonly identity: Writer<ServerIdentity>;
}

export interface ServerIdentityPaths {
  /** Empty: none of its own. */
  readonly tlsCertFile: string;
  readonly tlsPrivateKeyFile: string;
  /** Empty: client certificates are not asked for. */
  readonly clientCaFile: string;
}

// Compat: apiserver 0.36 DynamicFileCAContent reads every minute besides.
const AUDIT_MS = 60_000;
/** While something that should be there is not. */
const MISSING_MS = 2_000;
const LARGEST_BYTES = 4 << 20;

export const NO_IDENTITY: ServerIdentity = {
  certificate: undefined,
  key: undefined,
  clientCa: undefined,
};

export async function runServerIdentity(
  parts: ServerIdentityParts,
  paths: ServerIdentityPaths,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  const changes = new Changes(parts, paths);
  const watching = changes.run(signal);
  let before = "";
  try {
    while (!signal.aborted) {
      const changed = changes.next();
      const doubts = await read(parts, paths);
      const now = doubts.join("; ");
      if (now !== before && now !== "") {
        log.error("Cannot use what the server is configured with", {
          error: now,
        });
      }
      before = now;
      const timer = new AbortController();
      const until = AbortSignal.any([signal, timer.signal]);
      const waitMs = doubts.length === 0 ? AUDIT_MS : MISSING_MS;
      await Promise.race([
        changed,
        clock.sleep(waitMs, until).then(() => {}, () => {}),
      ]);
      timer.abort();
    }
  } finally {
    await watching;
  }
}

/** Wakes for each burst of changes, of files and of the pair. */
class Changes {
  readonly #parts: ServerIdentityParts;
  readonly #folders: readonly string[];
  #next = Promise.withResolvers<void>();

  constructor(parts: ServerIdentityParts, paths: ServerIdentityPaths) {
    this.#parts = parts;
    const files = Object.values(paths).filter((path) => path !== "");
    this.#folders = [
      ...new Set(files.map((path) => path.replace(/\/[^/]*$/, "") || "/")),
    ];
  }

  next(): Promise<void> {
    return this.#next.promise;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.allSettled([
      this.#tell(this.#parts.pair.changes(signal)),
      ...this.#folders.map((each) =>
        this.#tell(this.#parts.files.watch(each, signal))
      ),
    ]);
  }

  /** A watch that fails is silent, and the audit goes on. */
  async #tell(changes: AsyncIterable<unknown>): Promise<void> {
    for await (const _ of changes) {
      const before = this.#next;
      this.#next = Promise.withResolvers<void>();
      before.resolve();
    }
  }
}

/** Why something cannot be used; the cell keeps the old then. */
async function read(
  parts: ServerIdentityParts,
  paths: ServerIdentityPaths,
): Promise<string[]> {
  const before = parts.identity.get();
  const doubts: string[] = [];
  const or = <T>(found: T | { readonly why: string }, old: T): T => {
    if (typeof found !== "object" || found === null || !("why" in found)) {
      return found;
    }
    doubts.push(found.why);
    return old;
  };
  const pair = or(
    await ownPair(parts, paths),
    before.certificate === undefined || before.key === undefined
      ? undefined
      : { certificate: before.certificate, key: before.key },
  );
  const clientCa = or(
    await authorities(parts, paths.clientCaFile),
    before.clientCa,
  );
  const now = { certificate: pair?.certificate, key: pair?.key, clientCa };
  const isSame = now.certificate === before.certificate &&
    now.key === before.key && now.clientCa === before.clientCa;
  if (!isSame) parts.identity.set(now);
  return doubts;
}

async function ownPair(
  { files, pair }: ServerIdentityParts,
  { tlsCertFile, tlsPrivateKeyFile }: ServerIdentityPaths,
): Promise<Pair | undefined | { readonly why: string }> {
  if (tlsCertFile === "") return pair.get();
  const [certificate, key] = await Promise.all(
    [tlsCertFile, tlsPrivateKeyFile].map((path) => textOf(files, path)),
  );
  if (typeof certificate !== "string") return certificate ?? NOTHING;
  if (typeof key !== "string") return key ?? NOTHING;
  const reading = readPair(certificate, key);
  return reading.kind === "whole"
    ? reading.pair
    : { why: `${tlsCertFile}, ${tlsPrivateKeyFile}: ${reading.why}` };
}

const NOTHING = { why: "no file is named" } as const;

async function authorities(
  { files }: ServerIdentityParts,
  path: string,
): Promise<string | undefined | { readonly why: string }> {
  if (path === "") return undefined;
  const text = await textOf(files, path);
  if (typeof text !== "string") return text;
  return text.includes("-----BEGIN CERTIFICATE-----")
    ? text
    : { why: `${path} holds no certificate` };
}

async function textOf(
  files: Pick<Files, "read">,
  path: string,
): Promise<string | { readonly why: string }> {
  try {
    const bytes = await files.read(path, LARGEST_BYTES);
    return bytes === undefined
      ? { why: `${path} is not there` }
      : new TextDecoder().decode(bytes);
  } catch (error) {
    return { why: chainOf(error) };
  }
}
