/** The agent's own directories, made before anything else is done. */
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";

/** Compat: kubelet 1.36 setupDataDirs, for what the agent uses so far. */
export async function makeDirectories(
  { config, ports }: {
    readonly config: Config;
    readonly ports: AgentPorts;
  },
): Promise<void> {
  const { rootDir, podLogsDir, containerLogsDir } = config.paths;
  const { files, mounts, log } = ports;
  await files.makeDirectory(`${rootDir}/pods`, 0o750);
  if (await mounts.share(rootDir) === "left") {
    log.warn("Mounts that pods make will not be seen by other pods", {
      directory: rootDir,
      reason: "its mount is private and holds the volumes of an earlier agent",
      fails: "mountPropagation: Bidirectional",
      next: "drain and reboot the node, or unmount what is below it",
    });
  }
  await files.makeDirectory(`${rootDir}/checkpoints`, 0o700);
  await files.makeDirectory(podLogsDir, 0o750);
  await files.makeDirectory(containerLogsDir, 0o755);
}
