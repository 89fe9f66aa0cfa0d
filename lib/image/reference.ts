/**
 * The grammar of image names: completed, cut, and made comparable. Pure.
 * Compat: kubelet 1.36 parsers.ParseImageName, trimImageTagDigest.
 */
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST =
  /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const BARE_ID = /^[0-9a-f]{64}$/;
const LONGEST_NAME = 255;

/** What an image's name says, each part as written. */
export interface ImageName {
  /** Without tag and digest. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Undefined when it is not a name. */
export function parseImageName(image: string): ImageName | undefined {
  const [named = "", digest, ...rest] = image.split("@");
  if (rest.length > 0) return undefined;
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  const slash = named.lastIndexOf("/");
  const colon = named.indexOf(":", slash + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const path = colon < 0 ? named : named.slice(0, colon);
  return isRepository(path) ? { path, tag, digest } : undefined;
}

/**
 * The image's name with `:latest` where it has neither tag nor digest, or
 * undefined when it is not a name.
 */
export function withTag(image: string): string | undefined {
  const name = parseImageName(image);
  if (name === undefined) return undefined;
  return name.tag === undefined && name.digest === undefined
    ? `${image}:latest`
    : image;
}

/**
 * What is wrong with what is not a name.
 * Compat: distribution/reference ParseNormalizedNamed, in its words.
 */
export function nameFault(image: string): string {
  const parts = image.split("/");
  const rest = hasHost(parts) ? parts.slice(1).join("/") : image;
  const remote = rest.includes("/") || rest !== image
    ? rest
    : `library/${rest}`;
  const [path = ""] = remote.split(":");
  return path === path.toLowerCase()
    ? "invalid reference format"
    : `invalid reference format: repository name (${path}) must be lowercase`;
}

/** The name as written, without tag and digest; undefined when it is none. */
export function withoutTag(image: string): string | undefined {
  return parseImageName(image)?.path;
}

/** Where the image is, with the registry spelled out; without tag and digest. */
export function repositoryOf(image: string): string | undefined {
  const path = withoutTag(image);
  if (path === undefined) return undefined;
  if (hasHost(path.split("/"))) {
    return path.replace(/^index\.docker\.io\//, "docker.io/")
      .replace(/^docker\.io\/([^/]+)$/, "docker.io/library/$1");
  }
  return path.includes("/") ? `docker.io/${path}` : `docker.io/library/${path}`;
}

function hasHost(parts: readonly string[]): boolean {
  const [first = ""] = parts;
  return parts.length > 1 &&
    (/[.:]/.test(first) || first === "localhost" ||
      first !== first.toLowerCase());
}

function isRepository(path: string): boolean {
  if (path === "" || path.length > LONGEST_NAME) return false;
  if (BARE_ID.test(path)) return false;
  const parts = path.split("/");
  const skip = hasHost(parts) ? 1 : 0;
  if (skip === 1 && !HOST.test(parts[0] ?? "")) return false;
  return parts.slice(skip).every((part) => PATH.test(part));
}
