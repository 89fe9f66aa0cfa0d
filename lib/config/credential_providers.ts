/**
 * The configuration of image credential plugins: text of one or several files
 * to checked values, or the first problem with its place. Pure.
 * Compat: kubelet 1.36 readCredentialProviderConfig,
 * validateCredentialProviderConfig.
 */
import {
  fieldsOfProvider,
  type ProviderRow,
  tokenRowOf,
} from "./credential_provider_rows.ts";
import { type ConfigText, parseConfigDocument } from "./parse.ts";
import { placeOf, type Tree } from "./tree.ts";

const HEADER = {
  kind: "CredentialProviderConfig",
  apiVersions: ["v1", "v1beta1", "v1alpha1"].map((version) =>
    `kubelet.config.k8s.io/${version}`
  ),
};
const REQUEST_GROUP = "credentialprovider.kubelet.k8s.io";
const WITH_TOKENS = `${REQUEST_GROUP}/v1`;
const REQUEST_VERSIONS: readonly string[] = [
  WITH_TOKENS,
  `${REQUEST_GROUP}/v1alpha1`,
  `${REQUEST_GROUP}/v1beta1`,
];
const CACHE_TYPES: readonly string[] = ["ServiceAccount", "Token"];
const ANNOTATION =
  /^(?:(?=.{1,253}\/)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\/)?[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;

/** How a plugin is given a token of the pod's service account. */
export interface TokenAttributes {
  readonly audience: string;
  readonly cacheType: "ServiceAccount" | "Token";
  readonly isAccountRequired: boolean;
  readonly requiredAnnotations: readonly string[];
  readonly optionalAnnotations: readonly string[];
}

/** One plugin, in the order in which they are asked. */
export interface CredentialProvider {
  /** Of the program in the directory of plugins. */
  readonly name: string;
  readonly matchImages: readonly string[];
  readonly defaultCacheMs: number;
  /** Of the request and of the answer. */
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly token: TokenAttributes | undefined;
}

export type ParsedProviders =
  | { readonly kind: "ok"; readonly providers: readonly CredentialProvider[] }
  | { readonly kind: "invalid"; readonly message: string };

/** `files` in the order of their names. */
export function parseCredentialProviders(
  files: readonly ConfigText[],
  { allowsTokens }: { readonly allowsTokens: boolean },
): ParsedProviders {
  const providers: CredentialProvider[] = [];
  for (const file of files) {
    const parsed = parseConfigDocument(file, "file", HEADER);
    if (parsed.kind === "invalid") return parsed;
    const list = parsed.root.entries.get("providers");
    const unknown = [...parsed.root.entries.keys()]
      .find((key) => key !== "providers");
    if (unknown !== undefined) {
      return invalid(parsed.root, `${unknown}: unknown field`);
    }
    if (list === undefined) continue;
    if (list.kind !== "list") return invalid(list, "providers: must be a list");
    for (const [index, tree] of list.items.entries()) {
      const path = `providers[${index}]`;
      const row = fieldsOfProvider(tree);
      if (typeof row === "string") return invalid(tree, `${path}${row}`);
      const problem = problemOf(row, allowsTokens ? "allowed" : "refused") ??
        (providers.some(({ name }) => name === row.name)
          ? `.name: ${JSON.stringify(row.name)} is there twice`
          : undefined);
      if (problem !== undefined) return invalid(tree, `${path}${problem}`);
      providers.push(providerOf(row));
    }
  }
  if (providers.length > 0) return { kind: "ok", providers };
  const [first] = files;
  return {
    kind: "invalid",
    message: `${first === undefined ? "" : `${first.path}: `}` +
      "providers: at least one is required",
  };
}

function invalid(tree: Tree, problem: string): ParsedProviders {
  return { kind: "invalid", message: `${placeOf(tree.origin)}${problem}` };
}

function problemOf(
  row: ProviderRow,
  tokens: "allowed" | "refused",
): string | undefined {
  const { name, apiVersion, matchImages, defaultCacheDuration } = row;
  if (name === "" || /[/ ]/.test(name) || name === "." || name === "..") {
    return `.name: ${JSON.stringify(name)} must be the name of a program, ` +
      "without slash and space";
  }
  if (!REQUEST_VERSIONS.includes(apiVersion)) {
    return `.apiVersion: must be one of ${REQUEST_VERSIONS.join(", ")}`;
  }
  if (matchImages.length === 0) {
    return ".matchImages: at least one pattern is required";
  }
  const odd = matchImages.find((each) => /[\s"<>\\^`{|}]/.test(each));
  if (odd !== undefined) {
    return `.matchImages: ${JSON.stringify(odd)} is no host with a path`;
  }
  if (defaultCacheDuration === undefined) {
    return ".defaultCacheDuration: is required";
  }
  if (defaultCacheDuration < 0) {
    return ".defaultCacheDuration: must not be negative";
  }
  return row.tokenAttributes === undefined
    ? undefined
    : tokenProblem(row, tokens);
}

function tokenProblem(
  { tokenAttributes: tree, apiVersion }: ProviderRow,
  tokens: "allowed" | "refused",
): string | undefined {
  const path = ".tokenAttributes";
  if (tokens === "refused") {
    return `${path}: needs the feature gate ` +
      "KubeletServiceAccountTokenForCredentialProviders";
  }
  const row = tokenRowOf(tree);
  if (typeof row === "string") return path + row;
  const required = row.requiredServiceAccountAnnotationKeys;
  const optional = row.optionalServiceAccountAnnotationKeys;
  if (row.serviceAccountTokenAudience === "") {
    return `${path}.serviceAccountTokenAudience: is required`;
  }
  if (row.requireServiceAccount === undefined) {
    return `${path}.requireServiceAccount: is required`;
  }
  if (apiVersion !== WITH_TOKENS) {
    return `${path}: needs apiVersion: ${WITH_TOKENS}`;
  }
  if (!row.requireServiceAccount && required.length > 0) {
    return `${path}.requiredServiceAccountAnnotationKeys: needs ` +
      "requireServiceAccount: true";
  }
  if (!CACHE_TYPES.includes(row.cacheType)) {
    return `${path}.cacheType: must be one of ${CACHE_TYPES.join(", ")}`;
  }
  const keys = [...required, ...optional];
  const odd = keys.find((key) => !ANNOTATION.test(key.toLowerCase()));
  if (odd !== undefined) {
    return `${path}: ${JSON.stringify(odd)} is no name of an annotation`;
  }
  return new Set(keys).size === keys.length
    ? undefined
    : `${path}: an annotation is named twice`;
}

/** Of a row that has been found good. */
function providerOf(row: ProviderRow): CredentialProvider {
  const { name, matchImages, apiVersion, args, env } = row;
  return {
    name,
    matchImages,
    defaultCacheMs: row.defaultCacheDuration ?? 0,
    apiVersion,
    args,
    env: new Map(env.map(({ name, value }) => [name, value])),
    token: tokenOf(row.tokenAttributes),
  };
}

function tokenOf(tree: Tree | undefined): TokenAttributes | undefined {
  const row = tree === undefined ? undefined : tokenRowOf(tree);
  if (row === undefined || typeof row === "string") return undefined;
  return {
    audience: row.serviceAccountTokenAudience,
    cacheType: row.cacheType === "Token" ? "Token" : "ServiceAccount",
    isAccountRequired: row.requireServiceAccount ?? false,
    requiredAnnotations: row.requiredServiceAccountAnnotationKeys,
    optionalAnnotations: row.optionalServiceAccountAnnotationKeys,
  };
}
