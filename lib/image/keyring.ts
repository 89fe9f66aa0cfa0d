/**
 * Which credentials fit an image, most specific registry first. Pure.
 * Compat: kubelet 1.36 BasicDockerKeyring, URLsMatch.
 */
import type { Credential, CredentialSource, Login } from "./credential.ts";

const DEFAULT_REGISTRY = "index.docker.io";

/** A pattern or an image's place: host, perhaps port, and path. */
interface Place {
  readonly parts: readonly string[];
  readonly port: string;
  readonly path: string;
}

export class Keyring {
  readonly #credentials = new Map<string, Credential[]>();

  add(source: CredentialSource, logins: Iterable<readonly [string, Login]>) {
    for (const [registry, login] of logins) {
      const key = keyOf(registry);
      if (key === undefined) continue;
      const known = this.#credentials.get(key) ?? [];
      known.push({ login, source });
      this.#credentials.set(key, known);
    }
  }

  /** `repository` has its registry spelled out: `docker.io/library/busybox`. */
  lookup(repository: string): readonly Credential[] {
    const keys = [...this.#credentials.keys()].sort().reverse();
    const found = keys.filter((key) => matches(key, repository))
      .flatMap((key) => this.#credentials.get(key) ?? []);
    if (found.length > 0 || !isOfDefaultRegistry(repository)) return found;
    return this.#credentials.get(DEFAULT_REGISTRY) ?? [];
  }
}

/**
 * True when the place of an image fits a pattern: as many host parts, each of
 * which may hold globs; the same port; and a path that begins like it.
 */
export function matches(pattern: string, repository: string): boolean {
  const glob = placeOf(pattern);
  const target = placeOf(repository);
  if (glob === undefined || target === undefined) return false;
  return glob.port === target.port &&
    glob.parts.length === target.parts.length &&
    target.path.startsWith(glob.path) &&
    glob.parts.every((part, index) =>
      globMatches(part, target.parts[index] ?? "")
    );
}

/** Host and path of a registry in a configuration; undefined when it is none. */
function keyOf(registry: string): string | undefined {
  const schemeless = registry.replace(/^https?:\/\//, "");
  if (placeOf(schemeless) === undefined) return undefined;
  const [text = ""] = schemeless.split(/[?#]/);
  const slash = text.indexOf("/");
  const host = slash < 0 ? text : text.slice(0, slash);
  const path = (slash < 0 ? "" : text.slice(slash))
    .replace(/^\/v[12]\//, "/");
  const bare = host.slice(host.lastIndexOf("@") + 1);
  return path === "/" ? bare : bare + path;
}

/** Undefined for what Go's net/url does not read as host and path. */
export function placeOf(text: string): Place | undefined {
  // deno-lint-ignore no-control-regex -- Go refuses control characters
  if (/[\x00-\x20\x7f"<>\\^`{|}]/.test(text)) return undefined;
  const [location = ""] = text.split(/[?#]/);
  const slash = location.indexOf("/");
  const host = slash < 0 ? location : location.slice(0, slash);
  const path = slash < 0 ? "" : location.slice(slash);
  if (/%(?![0-9a-fA-F]{2})/.test(path)) return undefined;
  if (host.startsWith("[")) {
    const match = /^\[([0-9a-fA-F:.%]+)\](?::(\d*))?$/.exec(host);
    if (match === null) return undefined;
    const [, address = "", port] = match;
    const parts = port === undefined ? host : address;
    return { parts: parts.split("."), port: port ?? "", path };
  }
  if (/[[\]]/.test(host)) return undefined;
  const [name = "", port = "", ...more] = host.split(":");
  if (more.length > 0 || !/^\d*$/.test(port)) return undefined;
  return { parts: name.split("."), port, path };
}

/**
 * Compat: Go filepath.Match within one part of a host, of which `*` is all
 * that net/url lets through. Both texts are a tenant's, so the time is bounded
 * by their lengths: each piece is looked for once.
 */
function globMatches(glob: string, text: string): boolean {
  const [first = "", ...rest] = glob.split("*");
  if (rest.length === 0) return glob === text;
  const last = rest.pop() ?? "";
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}

/** Compat: kubelet 1.36 isDefaultRegistryMatch. */
function isOfDefaultRegistry(repository: string): boolean {
  const [first = "", ...rest] = repository.split("/");
  if (first === "") return false;
  return rest.length === 0 || first === "docker.io" ||
    first === DEFAULT_REGISTRY || !/[.:]/.test(first);
}
