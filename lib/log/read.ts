/**
 * A container's log as a stream of text: found by attempt, read from its tail
 * on, followed across rotations until the container has ended. The consumer
 * pulls; nothing is read ahead of it. New text is learned from inotify, with a
 * slow audit for what inotify cannot see.
 */
import type { Clock } from "../base/clock.ts";
import type { Files } from "../port/host.ts";
import type { LogFile, LogFiles } from "../port/log_files.ts";
import {
  blocksOf,
  type LogPlace,
  type Rotated,
  rotatedBetween,
  stampBefore,
} from "./between.ts";
import { BLOCK_BYTES, tailOffset } from "./tail.ts";
import { type LogChoice, LogText } from "./text.ts";

/** What reading logs needs of the world. */
export interface LogPorts {
  readonly files: Pick<Files, "list" | "watch">;
  readonly logFiles: LogFiles;
  readonly clock: Pick<Clock, "sleep">;
}

export interface LogRequest extends LogChoice {
  /** The container's: its logs are `<attempt>.log`. */
  readonly directory: string;
  readonly attempt: number;
  /** Lines from the end; undefined: all. */
  readonly tailLines: number | undefined;
  /**
   * Tells that this attempt will write no more. Undefined: what is there now
   * is all that is wanted.
   */
  readonly hasEnded: (() => boolean) | undefined;
}

const AUDIT_MS = 5000;
/** The runtime may still write to the old file when there is a new one. */
const LAST_WRITES_MS = 200;
/** After the last event of a burst: the end of a container comes with one. */
const SETTLED_MS = 500;

/** The attempts that have a log in a container's directory, newest first. */
export async function loggedAttempts(
  files: Pick<Files, "list">,
  directory: string,
): Promise<number[]> {
  const entries = await files.list(directory) ?? [];
  // Rotated logs are `0.log.20260731-100233` and do not count.
  return entries
    .filter(({ kind }) => kind === "file")
    .flatMap(({ name }) => /^(\d{1,9})\.log$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** Opens nothing before the first chunk is pulled; ends early on abort. */
export async function* readLog(
  ports: LogPorts,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const path = `${request.directory}/${request.attempt}.log`;
  const file = await ports.logFiles.open(path);
  if (file === undefined) return;
  const cursor = new Cursor(ports, { path, file, ...request });
  const text = new LogText(request);
  try {
    if (request.hasEnded !== undefined) await cursor.remember();
    if (request.tailLines !== undefined) await cursor.skip(request.tailLines);
    yield* drained(cursor, text);
    const { hasEnded } = request;
    if (hasEnded !== undefined) {
      yield* followed(cursor, text, {
        hasEnded,
        wakes: wakes(ports, request.directory, signal),
        // An abort ends the wakes.
        lastWrites: () =>
          ports.clock.sleep(LAST_WRITES_MS, signal).catch(() => {}),
      });
    }
    if (!signal.aborted) yield* some(text.end());
  } finally {
    cursor.close();
  }
}

async function* followed(
  cursor: Cursor,
  text: LogText,
  how: {
    readonly hasEnded: () => boolean;
    readonly wakes: AsyncIterable<void>;
    readonly lastWrites: () => Promise<void>;
  },
): AsyncGenerator<Uint8Array> {
  for await (const _ of how.wakes) {
    // Both are asked first: what is written before an end or a rotation is
    // read after it.
    const hasEnded = how.hasEnded();
    while (await cursor.isReplaced()) {
      await how.lastWrites();
      yield* drained(cursor, text);
      yield* some(text.endFile());
      for await (const rotated of cursor.reopen()) {
        for await (const block of blocksOf(rotated)) {
          yield* some(text.add(block));
        }
        yield* some(text.endFile());
      }
    }
    yield* drained(cursor, text);
    if (hasEnded) return;
  }
}

async function* drained(
  cursor: Cursor,
  text: LogText,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const block = await cursor.next();
    if (block.length === 0) return;
    yield* some(text.add(block));
  }
}

/** Empty chunks would only keep the consumer busy. */
function* some(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** A place in the file that has, or had, one name. */
class Cursor {
  readonly #place: LogPlace;
  readonly #path: string;
  #file: LogFile;
  #offset = 0;
  /** Of the newest file that had the name before this one. */
  #since = "";

  constructor(
    { files, logFiles }: Pick<LogPorts, "files" | "logFiles">,
    at: { path: string; file: LogFile; directory: string; attempt: number },
  ) {
    const { directory, attempt } = at;
    this.#place = { files, logFiles, directory, name: `${attempt}.log` };
    this.#path = at.path;
    this.#file = at.file;
  }

  async skip(tailLines: number): Promise<void> {
    this.#offset = await tailOffset(this.#file, tailLines);
  }

  async next(): Promise<Uint8Array> {
    // Emptied in place, as some rotate logs: what is there now is all new.
    if (await this.#file.sizeBytes() < this.#offset) this.#offset = 0;
    const block = await this.#file.read(this.#offset, BLOCK_BYTES);
    this.#offset += block.length;
    return block;
  }

  /** Before it is followed: what was rotated earlier is not missed. */
  async remember(): Promise<void> {
    this.#since = await stampBefore(this.#place, this.#file);
  }

  /** True when the name leads to another file by now: a rotation is over. */
  async isReplaced(): Promise<boolean> {
    const now = await this.#place.logFiles.identity(this.#path);
    return now !== undefined && now !== this.#file.identity;
  }

  /** Goes on with the file that has the name now; tells those in between. */
  async *reopen(): AsyncGenerator<Rotated> {
    const next = await this.#place.logFiles.open(this.#path);
    if (next === undefined) return;
    const last = this.#file;
    const range = { since: this.#since, last, next };
    try {
      // At once: its own name may be another by the time it is read.
      this.#since = await stampBefore(this.#place, next);
      for await (const rotated of rotatedBetween(this.#place, range)) {
        try {
          yield rotated;
        } finally {
          rotated.file.close();
        }
      }
    } finally {
      last.close();
      this.#file = next;
      this.#offset = 0;
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** Yields when it is worth looking again, until `signal` aborts. */
async function* wakes(
  ports: LogPorts,
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<void> {
  const own = new AbortController();
  const both = AbortSignal.any([signal, own.signal]);
  const events = ports.files.watch(directory, both)[Symbol.asyncIterator]();
  try {
    let event = nextEvent(events);
    let waitMs = SETTLED_MS;
    while (!signal.aborted) {
      const timer = new AbortController();
      const until = AbortSignal.any([both, timer.signal]);
      const what = await Promise.race([
        event,
        ports.clock.sleep(waitMs, until).then(() => "time", () => "time"),
      ]);
      timer.abort();
      if (what === "event") event = nextEvent(events);
      waitMs = what === "event" ? SETTLED_MS : AUDIT_MS;
      if (!signal.aborted) yield;
    }
  } finally {
    own.abort();
    await Promise.allSettled([events.return?.()]);
  }
}

/** Never rejects; a watch that failed is silent, and the audit goes on. */
function nextEvent(events: AsyncIterator<void>): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  events.next().then(({ done }) => {
    if (done !== true) resolve("event");
  }, () => {});
  return promise;
}
