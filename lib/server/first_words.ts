/**
 * A log that is asked for in the very moment of its container's start: what
 * the container says first is a moment behind the news that it runs, which
 * this agent tells sooner than clients are used to. So an answer that would be
 * empty waits for it a little. So does one for a log that is just being
 * rotated. Never fails; never waits for a later word.
 */
import type { Clock } from "../base/clock.ts";
import { isAbort } from "../base/errors.ts";
import type { LogPorts } from "../log/read.ts";

/** How young a container is whose first word is waited for. */
const YOUNG_MS = 2_000;
const LONGEST_WAIT_MS = 1_000;

export async function firstWords(
  ports: Pick<LogPorts, "files" | "logFiles"> & {
    readonly clock: Pick<Clock, "nowMs" | "sleep">;
  },
  log: {
    readonly directory: string;
    readonly attempt: number;
    readonly startedAtMs: number;
  },
  signal: AbortSignal,
): Promise<void> {
  const { clock, files } = ports;
  const isYoung = clock.nowMs() - log.startedAtMs <= YOUNG_MS;
  const hasNothing = async () => {
    const found = await contentOf(ports, log);
    return found === "away" || isYoung && found === "empty";
  };
  if (!await hasNothing()) return;
  const over = new AbortController();
  const late = clock.sleep(
    LONGEST_WAIT_MS,
    AbortSignal.any([signal, over.signal]),
  )
    .then(() => over.abort(new DOMException("Long enough", "AbortError")))
    .catch((error) => {
      if (!signal.aborted && !over.signal.aborted) throw error;
    });
  const both = AbortSignal.any([signal, over.signal]);
  try {
    for await (const _ of files.watch(log.directory, both)) {
      if (!await hasNothing()) break;
    }
  } catch (error) {
    if (!isAbort(error, both)) return;
  } finally {
    over.abort(new DOMException("It has spoken", "AbortError"));
    await late;
  }
}

async function contentOf(
  { logFiles }: Pick<LogPorts, "logFiles">,
  { directory, attempt }: {
    readonly directory: string;
    readonly attempt: number;
  },
): Promise<"away" | "empty" | "words"> {
  const file = await logFiles.open(`${directory}/${attempt}.log`);
  if (file === undefined) return "away";
  try {
    return await file.sizeBytes() === 0 ? "empty" : "words";
  } finally {
    file.close();
  }
}
