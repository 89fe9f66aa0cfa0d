/** Starts and ends one process of a world that outlives its starter. */
import { readIfThere, until } from "../world/command.ts";
import { end, isProcessWith, pidsWith, signal } from "../world/processes.ts";
import { pause } from "./request.ts";

export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** The argument by which it is known: one with a path of the world. */
  readonly mark: string;
  readonly log: string;
}

/** The pid of the process that has `mark`, started unless it runs. */
export async function startProgram(program: Program): Promise<number> {
  const [running] = await pidsWith(program.mark);
  if (running !== undefined) return running;
  // The shell only redirects; exec keeps the pid, and a session of its own
  // lets it outlive the terminal.
  const child = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      'log=$1; shift; exec "$0" "$@" >>"$log" 2>&1',
      program.path,
      program.log,
      ...program.args,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  child.unref();
  return child.pid;
}

/** Waits, but not for a process that has ended; shows its last words. */
export async function untilReady(
  program: Pick<Program, "mark" | "log">,
  pid: number,
  isReady: () => Promise<boolean>,
): Promise<void> {
  try {
    await until("an answer", async () => {
      if (await hasEnded(pid, program.mark)) throw new Error("It ended");
      if (await isReady()) return true;
      await pause();
      return false;
    }, 60_000);
  } catch (cause) {
    const log = await readIfThere(program.log) ?? "";
    const tail = log.trimEnd().split("\n").slice(-10).join("\n");
    throw new Error(
      `Cannot start the process of ${program.mark}; ` +
        `the end of ${program.log}:\n${tail}`,
      { cause },
    );
  }
}

/** Looks twice: in the moment of exec, a process has no command line. */
async function hasEnded(pid: number, mark: string): Promise<boolean> {
  if (await isProcessWith(pid, mark)) return false;
  await pause();
  return !await isProcessWith(pid, mark);
}

export type Ending = "terminate" | "kill";

/** Ends every process that has `mark` and waits for that. */
export async function endProgram(mark: string, how: Ending): Promise<void> {
  for (const pid of await pidsWith(mark)) {
    if (how === "terminate") {
      await end(pid);
    } else {
      signal(pid, "SIGKILL");
      await until(
        `the end of process ${pid}`,
        async () => !await isProcessWith(pid, mark),
      );
    }
  }
}
