/**
 * Reads the agent's configuration from disk at start: the `--config` file and its
 * `*.conf` drop-ins. Parsing is not done here.
 */
import { resolve } from "node:path";
import { AgentError } from "../base/errors.ts";
import {
  type CredentialProvider,
  parseCredentialProviders,
} from "../config/credential_providers.ts";
import type { FoundFile } from "../config/file_modes.ts";
import type { Config } from "../config/load.ts";

/** A file's path and text, for messages that name the place. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const LARGEST_BYTES = 10 * 1024 * 1024;

/** The configuration file and its drop-ins; an empty path: none. */
export async function readConfigTexts(
  file: string,
  directory: string,
): Promise<{ configFile?: TextFile; dropIns: readonly TextFile[] }> {
  const dropIns = directory === "" ? [] : await readDropIns(directory);
  if (file === "") return { dropIns };
  return { configFile: await readConfigFile(resolve(file)), dropIns };
}

/** Rejects (`give-up`) with the reason when the file cannot be read. */
async function readConfigFile(path: string): Promise<TextFile> {
  try {
    const { size } = await Deno.stat(path);
    if (size > LARGEST_BYTES) throw new Error(`it has ${size} bytes`);
    return { path, text: await Deno.readTextFile(path) };
  } catch (cause) {
    throw new AgentError(`Cannot read ${path}`, { next: "give-up", cause });
  }
}

/**
 * Every `*.conf` file below a directory.
 * Compat: kubelet 1.36 mergeKubeletConfigurations walks it recursively.
 */
async function readDropIns(directory: string): Promise<TextFile[]> {
  const found: TextFile[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory) found.push(...await readDropIns(path));
      else if (path.endsWith(".conf")) found.push(await readConfigFile(path));
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError(`Cannot read ${directory}`, {
      next: "give-up",
      cause,
    });
  }
  return found;
}

/** What the configuration refers to, as the agent wants it at its start. */
export interface Referred {
  readonly credentialProviders: readonly CredentialProvider[];
}

export async function readReferred(
  config: Pick<Config, "flags" | "features">,
): Promise<Referred> {
  return {
    credentialProviders: await readCredentialProviders(config),
  };
}

/**
 * The image credential plugins that two flags configure, checked, their
 * programs found.
 * Compat: kubelet 1.36 RegisterCredentialProviderPlugins.
 */
async function readCredentialProviders(
  { flags, features }: Pick<Config, "flags" | "features">,
): Promise<readonly CredentialProvider[]> {
  const { imageCredentialProviderConfig: path } = flags;
  if (path === "") return [];
  const parsed = parseCredentialProviders(await readProviderTexts(path), {
    allowsTokens: features.KubeletServiceAccountTokenForCredentialProviders,
  });
  if (parsed.kind === "invalid") {
    throw new AgentError(parsed.message, { next: "give-up" });
  }
  for (const { name } of parsed.providers) {
    const program = `${flags.imageCredentialProviderBinDir}/${name}`;
    try {
      if ((await Deno.stat(program)).isFile) continue;
    } catch (cause) {
      throw new AgentError(`Cannot use credential plugin ${program}`, {
        next: "give-up",
        cause,
      });
    }
    throw new AgentError(
      `Cannot use credential plugin ${program}: it is not a file`,
      { next: "give-up" },
    );
  }
  return parsed.providers;
}

/** One file, or those of a directory in the order of their names. */
async function readProviderTexts(path: string): Promise<TextFile[]> {
  const names: string[] = [];
  try {
    if (!(await Deno.stat(path)).isDirectory) {
      return [await readConfigFile(path)];
    }
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (!isDirectory && /\.(json|ya?ml)$/.test(name)) names.push(name);
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError(`Cannot read ${path}`, { next: "give-up", cause });
  }
  if (names.length === 0) {
    throw new AgentError(`Cannot read ${path}: it has no configuration file`, {
      next: "give-up",
    });
  }
  return await Promise.all(
    names.sort().map((name) => readConfigFile(`${path}/${name}`)),
  );
}

/** The files that CIS wants closed, where they are there. */
export async function findGuarded(
  { flags, kubelet }: Pick<Config, "flags" | "kubelet">,
): Promise<readonly FoundFile[]> {
  const { clientCAFile } = kubelet.authentication.x509;
  const wanted = [
    { namedBy: "--config", path: flags.config, mostMode: 0o600 },
    { namedBy: "--kubeconfig", path: flags.kubeconfig, mostMode: 0o600 },
    { namedBy: "clientCAFile", path: clientCAFile, mostMode: 0o644 },
  ];
  const found = await Promise.all(wanted.map(async (file) => {
    if (file.path === "") return [];
    try {
      const { mode, uid } = await Deno.stat(file.path);
      return [{ ...file, mode: mode ?? 0, uid: uid ?? 0 }];
    } catch {
      // Who reads it says what is wrong with it.
      return [];
    }
  }));
  return found.flat();
}

/** The kubeconfigs that are there and can be read; others are waited for. */
export async function readKubeconfigs(
  { kubeconfig, bootstrapKubeconfig }: Config["flags"],
): Promise<readonly (TextFile & { readonly flag: string })[]> {
  const found = await Promise.all(
    [
      { flag: "--kubeconfig", path: kubeconfig },
      { flag: "--bootstrap-kubeconfig", path: bootstrapKubeconfig },
    ].map(async ({ flag, path }) => {
      if (path === "") return [];
      try {
        return [{ flag, path, text: await Deno.readTextFile(path) }];
      } catch {
        // Missing: the other one may do. Refused: that is told on its own.
        return [];
      }
    }),
  );
  return found.flat();
}

/** What the kernel calls this host. */
export function hostname(): string {
  return Deno.hostname();
}
