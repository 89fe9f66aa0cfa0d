/**
 * Certificates on disk, named as the kubelet names them: PREFIX-current.pem is
 * a link to PREFIX-YYYY-MM-DD-HH-MM-SS.pem, which holds certificate and key
 * and only root may read. What is broken is set aside, never overwritten.
 */
import type { Files } from "../port/host.ts";
import type { Pair } from "./types.ts";
import { type CertificateFacts, readPair } from "./x509.ts";

const LARGEST_BYTES = 1 << 20;
const SECRET = 0o600;

export interface StoreParts {
  /** Must follow links. */
  readonly files: Files;
  readonly folder: string;
  /** `kubelet-client` or `kubelet-server`. */
  readonly prefix: string;
}

export type Held = { readonly pair: Pair; readonly facts: CertificateFacts };

export class PairStore {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  get currentPath(): string {
    return `${this.#parts.folder}/${this.#parts.prefix}-current.pem`;
  }

  /** Of a key whose certificate is still asked for. */
  get pendingKeyPath(): string {
    return `${this.#parts.folder}/${this.#parts.prefix}.key.tmp`;
  }

  /**
   * The current pair. One that is broken is set aside, and the newest whole
   * one beside it takes its place.
   */
  async load(nowMs: number): Promise<
    { readonly held: Held | undefined; readonly broken: string | undefined }
  > {
    const text = await this.#text(this.currentPath);
    if (text === undefined) return { held: undefined, broken: undefined };
    const reading = typeof text === "string"
      ? readPair(text, text)
      : { kind: "broken", why: text.unreadable } as const;
    if (reading.kind === "whole") return { held: reading, broken: undefined };
    await this.setAside(nowMs);
    const held = await this.#newest(nowMs);
    return { held, broken: `${this.currentPath}: ${reading.why}` };
  }

  /** Writes the pair and makes it the current one, in one step each. */
  async save(pair: Pair, nowMs: number): Promise<void> {
    const { files, folder, prefix } = this.#parts;
    await files.makeDirectory(folder, 0o755);
    const path = `${folder}/${prefix}-${stamp(nowMs)}.pem`;
    const text = pair.certificate.trimEnd() + "\n" + pair.key;
    await files.replace(path, new TextEncoder().encode(text), SECRET);
    if (await files.readLink(this.currentPath) === undefined) {
      await this.setAside(nowMs);
    }
    await files.link(this.currentPath, path);
  }

  /** The key whose request may be waiting since before a restart. */
  async pendingKey(): Promise<string | undefined> {
    const text = await this.#text(this.pendingKeyPath);
    return typeof text === "string" ? text : undefined;
  }

  async savePendingKey(pem: string): Promise<void> {
    const { files, folder } = this.#parts;
    await files.makeDirectory(folder, 0o755);
    const bytes = new TextEncoder().encode(pem);
    await files.replace(this.pendingKeyPath, bytes, SECRET);
  }

  async removePendingKey(): Promise<void> {
    await this.#parts.files.remove(this.pendingKeyPath);
  }

  /** Takes the current pair out of use; a file keeps its bytes as .broken. */
  async setAside(nowMs: number): Promise<void> {
    const { files } = this.#parts;
    const target = await files.readLink(this.currentPath);
    if (target === undefined) {
      const text = await this.#text(this.currentPath);
      if (typeof text === "string") {
        const name = this.currentPath.replace(/pem$/, `${stamp(nowMs)}.broken`);
        await files.replace(name, new TextEncoder().encode(text), SECRET);
      }
    }
    await files.remove(this.currentPath);
  }

  async #newest(nowMs: number): Promise<Held | undefined> {
    const { files, folder, prefix } = this.#parts;
    const names = (await files.list(folder) ?? []).map(({ name }) => name)
      .filter((name) => isStamped(name, prefix)).sort().reverse();
    for (const name of names) {
      const text = await this.#text(`${folder}/${name}`);
      if (typeof text !== "string") continue;
      const reading = readPair(text, text);
      if (reading.kind === "broken") continue;
      if (reading.facts.notAfterMs <= nowMs) continue;
      await files.link(this.currentPath, `${folder}/${name}`);
      return reading;
    }
    return undefined;
  }

  async #text(
    path: string,
  ): Promise<string | { readonly unreadable: string } | undefined> {
    try {
      const bytes = await this.#parts.files.read(path, LARGEST_BYTES);
      return bytes && new TextDecoder().decode(bytes);
    } catch (error) {
      return {
        unreadable: error instanceof Error ? error.message : String(error),
      };
    }
  }
}

function isStamped(name: string, prefix: string): boolean {
  return name.startsWith(`${prefix}-`) &&
    /^\d{4}(-\d\d){5}\.pem$/.test(name.slice(prefix.length + 1));
}

/** `2026-01-02-03-04-05` */
function stamp(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/[T:]/g, "-");
}
