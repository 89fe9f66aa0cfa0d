/** The wiring of how containers end: hooks and stops beside the passes. */
import type { AgentPorts } from "./agent_ports.ts";
import type { Recorder } from "./port/recorder.ts";
import { hookRunner, type RunHook } from "./sync/hooks.ts";
import { type StopPorts, Stops } from "./sync/stops.ts";

export interface Ends {
  readonly runHook: RunHook;
  readonly stops: Stops;
}

export function createEnds(
  ports: AgentPorts,
  inside: Pick<StopPorts, "hint" | "suspect"> & {
    readonly recorder: Recorder;
  },
): Ends {
  const runHook = hookRunner({ ...ports, recorder: inside.recorder });
  return { runHook, stops: new Stops({ ...ports, ...inside, runHook }) };
}
