/**
 * Starts credential plugins and what knows file systems. The only place of the
 * agent that starts a program; without the `run` permission for that very path
 * nothing starts.
 */
import { AgentError } from "../base/errors.ts";
import type { Command, Ended, Programs } from "../port/programs.ts";

/** Why the program was stopped. */
class Stopped extends Error {}

export const hostPrograms: Programs = {
  async run(command, signal) {
    signal.throwIfAborted();
    const child = spawn(command);
    const ending = new AbortController();
    const stop = (reason: unknown) => {
      if (ending.signal.aborted) return;
      ending.abort(reason);
      kill(child);
    };
    const abort = () => stop(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const timer = setTimeout(
      () => stop(new Stopped(`it took over ${command.limitMs / 1000} s`)),
      command.limitMs,
    );
    try {
      return await outcome(child, command, { ending: ending.signal, stop });
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      throw new AgentError(`Cannot run ${command.path}: ${error.message}`, {
        next: "retry",
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  },
};

const COMPLAINT_BYTES = 64 * 1024;

/**
 * What a program prints, as fast as it is read, and then what it complained
 * of. It is killed when nobody reads on, and when its time is over or `signal`
 * aborts, which ends the output.
 */
export async function* outputOf(
  { path, args, limitMs }: Pick<Command, "path" | "args" | "limitMs">,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const child = spawn({ path, args, env: new Map() });
  const stop = () => kill(child);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const timer = setTimeout(stop, limitMs);
  const complaint = start(child.stderr);
  try {
    yield* child.stdout;
    const words = await complaint;
    if (words.length > 0) yield words;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    stop();
    await complaint;
    await child.status;
  }
}

/** The first of it; the rest is read and forgotten. */
async function start(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const found = new Uint8Array(COMPLAINT_BYTES);
  let length = 0;
  for await (const chunk of stream) {
    const fits = chunk.subarray(0, COMPLAINT_BYTES - length);
    found.set(fits, length);
    length += fits.length;
  }
  return found.slice(0, length);
}

function spawn(
  command: Pick<Command, "path" | "args" | "env" | "stdin">,
): Deno.ChildProcess {
  const { path, args, env, stdin } = command;
  try {
    return new Deno.Command(path, {
      args: [...args],
      env: Object.fromEntries(env),
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    throw startError(path, cause);
  }
}

function startError(path: string, cause: unknown): AgentError {
  const doing = `Cannot run ${path}`;
  if (cause instanceof Deno.errors.NotCapable) {
    return new AgentError(
      `${doing}: the agent's permission set does not let it start this ` +
        `program; add ${path} to "run" of the permissions (--allow-run=${path})`,
      { next: "give-up", reason: "NotAllowed" },
    );
  }
  if (cause instanceof Deno.errors.NotFound) {
    return new AgentError(`${doing}: there is no such program`, {
      next: "give-up",
      reason: "NotFound",
    });
  }
  return new AgentError(`${doing}: it cannot be started`, {
    next: "give-up",
    cause,
  });
}

/** The end of the process, or of our patience: its children may hold a pipe. */
async function outcome(
  child: Deno.ChildProcess,
  { stdin, limitBytes }: Command,
  { ending, stop }: {
    readonly ending: AbortSignal;
    readonly stop: (reason: unknown) => void;
  },
): Promise<Ended> {
  const stopped = Promise.withResolvers<never>();
  ending.addEventListener("abort", () => stopped.reject(ending.reason));
  const readers = [child.stdout, child.stderr].map((stream) =>
    collect(stream, { limitBytes, ending, stop })
  );
  const written = stdin === undefined
    ? Promise.resolve()
    : write(child.stdin, stdin);
  const whole = Promise.all([child.status, ...readers, written]);
  // Whatever ends later than the stop is nobody's business any more.
  whole.catch(() => {});
  stopped.promise.catch(() => {});
  await Promise.race([whole, stopped.promise]);
  const [{ code }, stdout, stderr] = await Promise.all([
    child.status,
    readers[0] ?? "",
    readers[1] ?? "",
  ]);
  return { code, stdout, stderr };
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  { limitBytes, ending, stop }: {
    readonly limitBytes: number;
    readonly ending: AbortSignal;
    readonly stop: (reason: unknown) => void;
  },
): Promise<string> {
  const reader = stream.getReader();
  const cancel = () => {
    reader.cancel().catch(() => {});
  };
  ending.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > limitBytes) {
      stop(new Stopped(`it printed over ${limitBytes} bytes`));
      return text;
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** A program need not read its input. */
async function write(
  stream: WritableStream<Uint8Array>,
  text: string,
): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    await writer.abort().catch(() => {});
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It ended in between.
    if (!(error instanceof TypeError)) throw error;
  }
}
