/**
 * The process: reads the command line, builds the adapters, runs the agent
 * until a signal, turns the outcome into an exit code. Nothing else exits or
 * reads argv.
 */
import { createAgent } from "./lib/agent.ts";
import { runtimeCalls, serverAnswers } from "./lib/agent_meters.ts";
import { systemClock } from "./lib/base/clock.ts";
import { chainOf } from "./lib/base/errors.ts";
import { createLogger } from "./lib/base/log.ts";
import { createMetrics } from "./lib/base/metrics.ts";
import { Trail } from "./lib/base/trail.ts";
import { createMeters } from "./lib/api/meters.ts";
import { aboutOf, aboutText } from "./lib/config/about.ts";
import * as line from "./lib/config/command_line.ts";
import { openFiles } from "./lib/config/file_modes.ts";
import { helpText } from "./lib/config/help.ts";
import { loadConfig, type Loaded } from "./lib/config/load.ts";
import { type Need, needsOf } from "./lib/config/needs.ts";
import { needsText, refusal } from "./lib/config/needs_text.ts";
import type { PermissionsWish } from "./lib/config/permissions_wish.ts";
import { renderCheckConfig, versionText } from "./lib/config/render.ts";
import { openRuntime } from "./lib/cri/open.ts";
import { openCluster } from "./lib/kube/open.ts";
import { serverAccess } from "./lib/kube/server_access.ts";
import * as files from "./lib/host/config_files.ts";
import { ungranted } from "./lib/host/grants.ts";
import { openHost } from "./lib/host/host.ts";
import { LIBC_PATHS } from "./lib/host/libc.ts";
import { complain, fail, interruption, succeed } from "./lib/host/process.ts";
import { cliPorts } from "./lib/host/unix_client.ts";
import { runQuestion } from "./lib/server/cli.ts";
import deno from "./deno.json" with { type: "json" };

async function main(argv: readonly string[]): Promise<number> {
  const command = line.parseCommandLine(argv);
  switch (command.kind) {
    case "help":
      return succeed(helpText());
    case "version":
      return succeed(`${versionText(deno.version, command.form)}\n`);
    case "about": {
      const { version } = deno;
      const { deno: runtime, v8 } = Deno.version;
      const { target } = Deno.build;
      const build: unknown = Reflect.get(globalThis, "DENOLET_BUILD");
      const about = aboutOf({ version, deno: runtime, v8, target, build });
      return succeed(aboutText(about, command.output));
    }
    case "invalid":
      return fail(command.message);
    case "agent":
    case "check-config":
    case "permissions":
      return await configured(command, argv);
    default: {
      const ports = cliPorts(command.hostRoot);
      return await runQuestion(command, ports, interruption().asked);
    }
  }
}

async function configured(
  command: Extract<line.Command, { flags: unknown }>,
  argv: readonly string[],
): Promise<number> {
  const { kind, flags } = command;
  const { config, configDir } = flags.agent;
  const texts = await files.readConfigTexts(config, configDir);
  const loaded = loadConfig({ flags, ...texts, hostname: files.hostname() });
  if (loaded.kind === "invalid") return fail(loaded.message);
  const referred = await files.readReferred(loaded.config);
  if (kind === "check-config") return succeed(renderCheckConfig(loaded));
  if (kind === "permissions") {
    const needs = await needed(loaded, referred, command.wish);
    return succeed(needsText(needs, command.wish.format, argv));
  }
  const missing = await ungranted(await needed(loaded, referred));
  if (missing.length > 0) return fail(refusal(missing));
  return await runAgent(loaded, referred);
}

/** What this configuration takes, with what its kubeconfigs say. */
async function needed(
  { config }: Loaded,
  { credentialProviders }: files.Referred,
  { podRanges, imageDir }: Partial<PermissionsWish> = {},
): Promise<readonly Need[]> {
  const found = await files.readKubeconfigs(config.flags);
  const { imageCredentialProviderBinDir: folder } = config.flags;
  return needsOf({
    config,
    servers: found.flatMap((each) => serverAccess(each) ?? []),
    plugins: credentialProviders.map(({ name }) => `${folder}/${name}`),
    podRanges: podRanges ?? [],
    imageDir,
    libraries: LIBC_PATHS,
  });
}

async function runAgent({ config, warnings }: Loaded, more: files.Referred) {
  const { version } = deno;
  const { kubelet, nodeName: node } = config;
  const log = createLogger({ write: complain, ...kubelet.logging });
  for (const warning of warnings) log.warn(warning);
  const guarded = await files.findGuarded(config);
  for (const warning of openFiles(guarded)) log.warn(warning);
  const meters = createMeters(createMetrics());
  const trail = new Trail(systemClock);
  const host = { ...openHost(config), clock: systemClock, log, meters, trail };
  const onCall = runtimeCalls(meters, trail);
  const onAnswer = serverAnswers(meters, trail);
  const cluster = openCluster(config, { ...host, version, onAnswer });
  const runtime = openRuntime(kubelet, { ...host, onCall });
  const ports = { ...host, ...runtime, cluster };
  log.info("Started", { version, node });
  const { asked, insisted } = interruption();
  const agent = createAgent(config, ports, { version, ...more });
  await agent.run(asked, insisted);
  return 0;
}

Deno.exit(await main(Deno.args).catch((error) => fail(chainOf(error))));
