/**
 * Commands in the machine, through qemu's guest agent: over a serial port, so
 * they need neither a network nor a login there.
 */
/** The guest agent answers at once, or the machine is off or starting. */
const ANSWER_MS = 10_000;
/** Whoever asks more often takes the machine's time for it. */
const POLL_MS = 200;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Status {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
  readonly "out-data"?: string;
  readonly "err-data"?: string;
}

export class Guest {
  readonly #socket: string;
  /** The port carries one question at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** Whether anybody answers there. */
  async isThere(): Promise<boolean> {
    try {
      await this.#ask("guest-ping", {}, 2_000);
      return true;
    } catch {
      return false;
    }
  }

  /** Runs a shell script to its end; any exit code is an outcome. */
  async run(script: string, timeoutMs = 60_000): Promise<Outcome> {
    const { pid } = await this.#ask<{ pid: number }>("guest-exec", {
      path: "/bin/sh",
      arg: ["-c", script],
      "capture-output": true,
    });
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const status = await this.#ask<Status>("guest-exec-status", { pid });
      if (status.exited) {
        return {
          code: status.exitcode ?? 128 + (status.signal ?? 0),
          stdout: textOf(status["out-data"]),
          stderr: textOf(status["err-data"]),
        };
      }
      if (performance.now() > deadlineMs) {
        throw new Error(`Cannot see the end of ${script} in the machine`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** What the script says; throws when it fails. */
  async sh(script: string, timeoutMs?: number): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, timeoutMs);
    if (code === 0) return stdout;
    throw new Error(
      `Cannot run ${script} in the machine: ` +
        (stderr.trim() || stdout.trim() || `exit code ${code}`),
    );
  }

  #ask<T>(
    execute: string,
    args: object,
    timeoutMs = ANSWER_MS,
  ): Promise<T> {
    const next = this.#last.then(() =>
      converse<T>(this.#socket, { execute, arguments: args }, timeoutMs)
    );
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** One question over a connection of its own; answers to others are skipped. */
async function converse<T>(
  socket: string,
  question: object,
  timeoutMs: number,
): Promise<T> {
  const connection = await Deno.connect({ transport: "unix", path: socket });
  let isOpen = true;
  const close = () => {
    if (isOpen) connection.close();
    isOpen = false;
  };
  const timer = setTimeout(close, timeoutMs);
  try {
    const id = Math.floor(Math.random() * 2 ** 31);
    // What an interrupted conversation left behind ends at the 0xff.
    const sync = { execute: "guest-sync-delimited", arguments: { id } };
    const text = `${JSON.stringify(sync)}\n${JSON.stringify(question)}\n`;
    const bytes = new TextEncoder().encode(text);
    await write(connection, new Uint8Array([0xff, ...bytes]));
    let isInSync = false;
    for await (const line of linesOf(connection)) {
      const answer = JSON.parse(line);
      if (!isInSync) isInSync = answer.return === id;
      else if ("error" in answer) throw new Error(answer.error.desc);
      else return answer.return;
    }
    throw new Error("The machine does not answer");
  } finally {
    clearTimeout(timer);
    close();
  }
}

async function write(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Ends where the connection does, also when this side closes it. */
async function* linesOf(connection: Deno.Conn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(65_536);
  let rest = "";
  for (;;) {
    const count = await connection.read(chunk).catch(() => null);
    if (count === null) return;
    rest += decoder.decode(chunk.subarray(0, count), { stream: true });
    const lines = rest.replaceAll("\u{fffd}", "").split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield line;
  }
}

function textOf(base64: string | undefined): string {
  const bytes = Uint8Array.from(
    atob(base64 ?? ""),
    (letter) => letter.charCodeAt(0),
  );
  return new TextDecoder().decode(bytes);
}
