/**
 * What is shown to the server, always as the files hold it now: kubeconfig,
 * CA, certificate, key and token are looked at again before a call when the
 * last look is a second old. A file that becomes unreadable, or a key that
 * does not fit its certificate yet, leaves the last good set in use.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Material } from "../port/cluster.ts";
import type { Files } from "../port/host.ts";
import type { Programs } from "../port/programs.ts";
import { askPlugin, type PluginCredential } from "./exec_plugin.ts";
import { certificatesIn, keysIn } from "./pem.ts";
import { type Access, parseKubeconfig } from "./translate_kubeconfig.ts";

const LOOK_EVERY_MS = 1000;
const LARGEST_BYTES = 1 << 20;
/** A credential that ends so soon may end on the way. */
const EXPIRY_MARGIN_MS = 10_000;

/** PEM. */
interface Pair {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export interface Secrets extends Pair {
  readonly access: Access;
  readonly ca: string | undefined;
  /** The whole header. */
  readonly authorization: string | undefined;
}

export interface CredentialParts {
  readonly path: string;
  /** Stands in for the kubeconfig's own pair when the file is there. */
  readonly pairPath: string | undefined;
  readonly files: Files;
  readonly clock: Clock;
  readonly programs: Programs;
  readonly log: Logger;
}

/** True when connections made with one set can serve for the other. */
export function isSamePeer(a: Secrets, b: Secrets): boolean {
  return a.ca === b.ca && a.certificate === b.certificate && a.key === b.key &&
    a.access.server === b.access.server &&
    a.access.proxyUrl === b.access.proxyUrl &&
    a.access.tlsServerName === b.access.tlsServerName &&
    a.access.isInsecure === b.access.isInsecure;
}

export class Credentials {
  readonly #parts: CredentialParts;
  readonly #texts: FileTexts;
  #parsed: { readonly text: string; readonly access: Access } | undefined;
  #pair: { readonly of: Pair; readonly checked: Pair } | undefined;
  #plugin: PluginCredential | undefined;
  #good: Secrets | undefined;
  #lookedAtMs = -Infinity;
  #loading: Promise<Secrets> | undefined;
  #complaint = "";

  constructor(parts: CredentialParts) {
    this.#parts = parts;
    this.#texts = new FileTexts(parts.files);
  }

  /** What to show now. Many callers at once share one look. */
  current(): Promise<Secrets> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#good !== undefined && nowMs - this.#lookedAtMs < LOOK_EVERY_MS) {
      return Promise.resolve(this.#good);
    }
    this.#loading ??= this.#look(nowMs).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** The next call reads everything again and asks the plugin anew. */
  forget(): void {
    this.#texts.forget();
    this.#plugin = undefined;
    this.#lookedAtMs = -Infinity;
  }

  async #look(nowMs: number): Promise<Secrets> {
    try {
      const secrets = await this.#load();
      this.#complaint = "";
      this.#good = secrets;
    } catch (error) {
      if (this.#good === undefined) throw error;
      this.#complain(chainOf(error));
    }
    this.#lookedAtMs = nowMs;
    return this.#good;
  }

  #complain(complaint: string): void {
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    this.#parts.log.warn("Credentials are not taken, the last ones stay", {
      error: complaint,
    });
  }

  async #load(): Promise<Secrets> {
    const access = await this.#access();
    const ca = await this.#text(access.ca);
    const own = await this.#ownPair() ?? {
      certificate: await this.#text(access.certificate),
      key: await this.#text(access.key),
    };
    const plugin = access.exec === undefined || own.certificate !== undefined
      ? undefined
      : await this.#ask(access, ca);
    const pair = plugin?.certificate === undefined ? own : plugin;
    return {
      access,
      ca,
      ...this.#checked(pair),
      authorization: await this.#authorization(access, plugin),
    };
  }

  /** Looked through once for each pair: signatures take their time. */
  #checked({ certificate, key }: Pair): Pair {
    const known = this.#pair;
    const isKnown = known !== undefined &&
      known.of.certificate === certificate && known.of.key === key;
    if (isKnown) return known.checked;
    const checked = {
      certificate: certificate && certificatesIn(certificate),
      key: key && keysIn(key),
    };
    checkPair(checked, this.#parts.path);
    this.#pair = { of: { certificate, key }, checked };
    return checked;
  }

  async #access(): Promise<Access> {
    const { path, log } = this.#parts;
    const text = await this.#texts.need(path);
    if (this.#parsed?.text === text) return this.#parsed.access;
    const access = parseKubeconfig(text, path);
    if (access.isInsecure) {
      log.warn("The API server's certificate is not checked", {
        kubeconfig: path,
        because: "insecure-skip-tls-verify",
      });
    }
    this.#parsed = { text, access };
    return access;
  }

  #text(material: Material | undefined): Promise<string | undefined> {
    if (material === undefined) return Promise.resolve(undefined);
    return material.kind === "data"
      ? Promise.resolve(material.text)
      : this.#texts.need(material.path);
  }

  async #ownPair() {
    const { pairPath } = this.#parts;
    if (pairPath === undefined) return undefined;
    const text = await this.#texts.read(pairPath);
    return text === undefined ? undefined : { certificate: text, key: text };
  }

  async #ask(
    access: Access,
    ca: string | undefined,
  ): Promise<PluginCredential | undefined> {
    if (access.exec === undefined) return undefined;
    const untilMs = this.#plugin?.expiresAtMs ?? Infinity;
    const nowMs = this.#parts.clock.nowMs();
    if (this.#plugin === undefined || nowMs + EXPIRY_MARGIN_MS > untilMs) {
      const target = { access, ca };
      this.#plugin = await askPlugin(access.exec, target, this.#parts.programs);
    }
    return this.#plugin;
  }

  async #authorization(
    access: Access,
    plugin: PluginCredential | undefined,
  ): Promise<string | undefined> {
    if (plugin?.token !== undefined) return `Bearer ${plugin.token}`;
    if (access.tokenPath !== undefined) {
      const token = (await this.#texts.need(access.tokenPath)).trim();
      if (token !== "") return `Bearer ${token}`;
    }
    if (access.token !== undefined) return `Bearer ${access.token.trim()}`;
    if (access.basic === undefined) return undefined;
    const { user, password } = access.basic;
    const bytes = new TextEncoder().encode(`${user}:${password}`);
    return `Basic ${bytes.toBase64()}`;
  }
}

/** Texts of files, read again when the files are others. */
export class FileTexts {
  readonly #files: Files;
  readonly #known = new Map<string, { version: string; text: string }>();

  constructor(files: Files) {
    this.#files = files;
  }

  forget(): void {
    this.#known.clear();
  }

  async read(path: string): Promise<string | undefined> {
    const found = await this.#files.stat(path);
    if (found === undefined) return undefined;
    const known = this.#known.get(path);
    if (known?.version === found.version) return known.text;
    const bytes = await this.#files.read(path, LARGEST_BYTES);
    if (bytes === undefined) return undefined;
    const text = new TextDecoder().decode(bytes);
    this.#known.set(path, { version: found.version, text });
    return text;
  }

  async need(path: string): Promise<string> {
    const text = await this.read(path);
    if (text !== undefined) return text;
    throw new AgentError(`Cannot read ${path}: there is no such file`, {
      next: "give-up",
    });
  }
}

/** Two files are replaced one after the other: between them they differ. */
function checkPair({ certificate, key }: Pair, path: string): void {
  if (certificate === undefined && key === undefined) return;
  const refuse = (why: string) =>
    new AgentError(`Cannot use the client certificate of ${path}: ${why}`, {
      next: "give-up",
    });
  if (certificate === undefined) throw refuse("there is only its key");
  if (key === undefined) throw refuse("its key is missing");
  if (!fits(certificate, key, refuse)) {
    throw refuse("the key does not belong to it");
  }
}

function fits(
  certificate: string,
  key: string,
  refuse: (why: string) => AgentError,
): boolean {
  try {
    return new X509Certificate(certificate)
      .checkPrivateKey(createPrivateKey(key));
  } catch {
    // The library's words may quote the key.
    throw refuse("it, or its key, is not whole PEM");
  }
}
