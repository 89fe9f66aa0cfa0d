/**
 * Default host paths when the host's file system is mounted somewhere else, as
 * it is in a container. What a user set is taken literally.
 */
import { AGENT_FIELDS, AGENT_SHAPE, type AgentFlags } from "./agent_flags.ts";
import type { ParsedFlags } from "./command_line.ts";
import { fits, KUBELET_FIELDS, nested } from "./schema.ts";
import type { Settings } from "./setting.ts";

/** Configuration fields with their default paths below the host root. */
export function belowHostRoot(
  settings: Settings,
  flags: ParsedFlags,
): Settings {
  const full = new Map(settings);
  for (const [path, { isHostPath }] of KUBELET_FIELDS) {
    const own = full.get(path);
    if (isHostPath && own?.origin.kind === "default") {
      const value = prefixed(String(own.value), flags.agent.hostRoot);
      full.set(path, { ...own, value });
    }
  }
  return full;
}

/** The same for the flags that have no field. */
export function agentBelowHostRoot({ agent, given }: ParsedFlags): AgentFlags {
  const values = new Map<string, unknown>(Object.entries(agent));
  for (const [path, { isHostPath }] of AGENT_FIELDS) {
    if (isHostPath && !given.has(path)) {
      values.set(path, prefixed(String(values.get(path)), agent.hostRoot));
    }
  }
  const result = nested(AGENT_SHAPE, (path) => values.get(path));
  if (!fits(AGENT_SHAPE, result)) throw new Error("Flags do not fit");
  return result;
}

/** `path`, or the path of a unix socket, below the host root. */
export function prefixed(path: string, hostRoot: string): string {
  if (hostRoot === "/") return path;
  return path.startsWith("unix://")
    ? `unix://${hostRoot}${path.slice("unix://".length)}`
    : hostRoot + path;
}
