/**
 * The wiring of how containers end: hooks and stops beside the passes, and
 * what is left to say and to read.
 */
import type { KeyedQueue } from "./base/keyed_queue.ts";
import type { PodUid } from "./api/id.ts";
import type { AgentPorts } from "./agent_ports.ts";
import type { Config } from "./config/load.ts";
import { rotateLogs } from "./log/run.ts";
import { rotationOptions } from "./log/settings.ts";
import type { Recorder } from "./port/recorder.ts";
import { hookRunner, type RunHook } from "./sync/hooks.ts";
import { type LastWords, lastWordsFrom } from "./sync/last_words.ts";
import { Preemptions } from "./sync/preemptions.ts";
import type { PodsReader } from "./sync/store.ts";
import { type StopPorts, Stops } from "./sync/stops.ts";

export interface Ends {
  readonly runHook: RunHook;
  readonly stops: Stops;
  readonly lastWords: LastWords;
  readonly preemptions: Preemptions;
}

export function createEnds(
  ports: AgentPorts,
  inside: Pick<StopPorts, "hint" | "suspect"> & {
    readonly recorder: Recorder;
    readonly podsDir: string;
    readonly pods: PodsReader;
    readonly queue: KeyedQueue<PodUid>;
  },
): Ends {
  const runHook = hookRunner({ ...ports, recorder: inside.recorder });
  return {
    runHook,
    stops: new Stops({ ...ports, ...inside, runHook }),
    lastWords: lastWordsFrom(ports.logFiles, inside.podsDir),
    preemptions: new Preemptions({ ...ports, ...inside }),
  };
}

/** Rotates the logs of what runs, as last seen. */
export function keepLogs(
  { config, ports, pods }: {
    readonly config: Config;
    readonly ports: AgentPorts;
    readonly pods: PodsReader;
  },
  signal: AbortSignal,
): Promise<void> {
  const running = () =>
    [...pods.values()].flatMap(({ observed }) =>
      observed.containers.flatMap(({ id, state, logPath: path }) =>
        state === "running" && path !== "" ? [{ id, path }] : []
      )
    );
  return rotateLogs({ ...ports, running }, rotationOptions(config), signal);
}
