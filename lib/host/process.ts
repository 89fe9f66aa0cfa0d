/** The process around the agent: its output, and what ends it. */
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Runtime } from "../config/about.ts";

const encoder = new TextEncoder();

/** What this process runs on, and what the build left in it. */
export function own(version: string): Runtime {
  const { deno, v8 } = Deno.version;
  const build: unknown = Reflect.get(globalThis, "DENOLET_BUILD");
  return { version, deno, v8, target: Deno.build.target, build };
}

/** Writes text to standard output, whole. */
export function print(text: string): void {
  writeAll(Deno.stdout, encoder.encode(text));
}

/** Writes text to standard error, whole: complaints and the log. */
export function complain(text: string): void {
  writeAll(Deno.stderr, encoder.encode(text));
}

/** Writes bytes to standard output without blocking the event loop. */
export async function printBytes(bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await Deno.stdout.write(bytes.subarray(sent));
  }
}

export interface Interruption {
  /** Aborts on SIGTERM and SIGINT, with the signal's name as the reason. */
  readonly asked: AbortSignal;
  /** Aborts when that is said once more: nothing is waited for any longer. */
  readonly insisted: AbortSignal;
}

export function interruption(): Interruption {
  const first = new AbortController();
  const second = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(name, () => {
      const next = first.signal.aborted ? second : first;
      next.abort(new DOMException(name, "AbortError"));
    });
  }
  return { asked: first.signal, insisted: second.signal };
}

/**
 * What nobody waited for or caught ends the process, as nobody knows what is
 * missing after it; but the log has it first, with the place it came from.
 */
export function endByStrays(log: Pick<Logger, "error">): void {
  const end = (event: Event, error: unknown) => {
    event.preventDefault();
    const stack = error instanceof Error ? error.stack ?? "" : "";
    log.error("Ends for a fault of its own, and is to be started again", {
      ...{ error: chainOf(error), stack },
    });
    Deno.exit(1);
  };
  addEventListener("error", (event) => end(event, event.error));
  addEventListener("unhandledrejection", (event) => end(event, event.reason));
}

function writeAll(stream: typeof Deno.stdout, bytes: Uint8Array): void {
  for (let sent = 0; sent < bytes.length;) {
    sent += stream.writeSync(bytes.subarray(sent));
  }
}

/** Prints, and the exit code that goes with it. */
export function succeed(text: string): number {
  print(text);
  return 0;
}

/** Complains in the program's name, and the exit code that goes with it. */
export function fail(message: string): number {
  complain(`denolet: ${message}\n`);
  return 1;
}
