/**
 * What is done with a configuration before an agent runs: it is read, explained,
 * or compared with what this process was granted. Called once, by main.ts.
 */
import type { Command } from "./config/command_line.ts";
import { openFiles } from "./config/file_modes.ts";
import { loadConfig, type Loaded, setFields } from "./config/load.ts";
import { type Need, needsOf } from "./config/needs.ts";
import { needsText, refusal } from "./config/needs_text.ts";
import type { PermissionsWish } from "./config/permissions_wish.ts";
import { renderCheckConfig } from "./config/render.ts";
import * as files from "./host/config_files.ts";
import { ungranted } from "./host/grants.ts";
import { LIBC_PATHS } from "./host/libc.ts";
import { fail, succeed } from "./host/process.ts";
import { serverAccess } from "./kube/server_access.ts";

export type Configured =
  | { readonly kind: "done"; readonly code: number }
  | {
    readonly kind: "start";
    readonly loaded: Loaded;
    readonly referred: files.Referred;
  };

/** `argv`: the words that `command` was read from. */
export async function configured(
  command: Extract<Command, { flags: unknown }>,
  argv: readonly string[],
): Promise<Configured> {
  const { kind, flags } = command;
  const { config, configDir } = flags.agent;
  const texts = await files.readConfigTexts(config, configDir);
  const loaded = loadConfig({ flags, ...texts, hostname: files.hostname() });
  if (loaded.kind === "invalid") return done(fail(loaded.message));
  const referred = await files.readReferred(loaded.config);
  if (kind === "check-config") return done(succeed(renderCheckConfig(loaded)));
  if (kind === "permissions") {
    const needs = await needed(loaded, referred, command.wish);
    return done(succeed(needsText(needs, command.wish.format, argv)));
  }
  const missing = await ungranted(await needed(loaded, referred));
  if (missing.length > 0) return done(fail(refusal(missing)));
  const open = openFiles(await files.findGuarded(loaded.config));
  const warnings = [...loaded.warnings, ...open];
  return { kind: "start", loaded: { ...loaded, warnings }, referred };
}

function done(code: number): Configured {
  return { kind: "done", code };
}

/** What this configuration takes, with what its kubeconfigs say. */
async function needed(
  { config, settings }: Loaded,
  { credentialProviders }: files.Referred,
  { podRanges = [], imageDir, filesystems = [] }: Partial<PermissionsWish> = {},
): Promise<readonly Need[]> {
  const found = await files.readKubeconfigs(config.flags);
  const { imageCredentialProviderBinDir: folder } = config.flags;
  return needsOf({
    config,
    setFields: setFields(settings),
    servers: found.flatMap((each) => serverAccess(each) ?? []),
    plugins: credentialProviders.map(({ name }) => `${folder}/${name}`),
    podRanges,
    imageDir,
    filesystems,
    libraries: LIBC_PATHS,
  });
}
