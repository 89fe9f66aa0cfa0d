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
import { helpText } from "./lib/config/help.ts";
import { versionText } from "./lib/config/render.ts";
import { openRuntime } from "./lib/cri/open.ts";
import { openCluster } from "./lib/kube/open.ts";
import { openHost } from "./lib/host/host.ts";
import * as program from "./lib/host/process.ts";
import { cliPorts } from "./lib/host/unix_client.ts";
import { type Configured, configured } from "./lib/main_config.ts";
import { runQuestion } from "./lib/server/cli.ts";
import deno from "./deno.json" with { type: "json" };

async function main(argv: readonly string[]): Promise<number> {
  const command = line.parseCommandLine(argv);
  switch (command.kind) {
    case "help":
      return program.succeed(helpText());
    case "version":
      return program.succeed(`${versionText(deno.version, command.form)}\n`);
    case "about":
      return program.succeed(
        aboutText(aboutOf(program.own(deno.version)), command.output),
      );
    case "invalid":
      return program.fail(command.message);
    case "agent":
    case "check-config":
    case "permissions": {
      const found = await configured(command, argv);
      return found.kind === "done" ? found.code : await runAgent(found);
    }
    default: {
      const ports = cliPorts(command.hostRoot);
      return await runQuestion(command, ports, program.interruption().asked);
    }
  }
}

async function runAgent(
  { loaded, referred }: Extract<Configured, { kind: "start" }>,
): Promise<number> {
  const { version } = deno;
  const { config, warnings } = loaded;
  const { kubelet, nodeName: node } = config;
  const log = createLogger({ write: program.complain, ...kubelet.logging });
  for (const warning of warnings) log.warn(warning);
  program.endByStrays(log);
  const meters = createMeters(createMetrics());
  const trail = new Trail(systemClock);
  const host = { ...openHost(config), clock: systemClock, log, meters, trail };
  const onCall = runtimeCalls(meters, trail);
  const onAnswer = serverAnswers(meters, trail);
  const cluster = openCluster(config, { ...host, version, onAnswer });
  const runtime = openRuntime(kubelet, { ...host, onCall });
  const ports = { ...host, ...runtime, cluster };
  log.info("Started", { version, node });
  const { asked, insisted } = program.interruption();
  const agent = createAgent(config, ports, { version, ...referred });
  await agent.run(asked, insisted);
  return 0;
}

Deno.exit(await main(Deno.args).catch((error) => program.fail(chainOf(error))));
