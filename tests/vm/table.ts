/** Runs steps one after the other and tells how long each took. */

/** What is being started is there by then, and can be ended. */
const SETTLE_MS = 10_000;

export interface Step<World> {
  readonly name: string;
  /** Without it, there is no use in going on. */
  readonly isVital?: true;
  /** What was seen, for the table; throws when it is not as it should be. */
  readonly run: (world: World) => Promise<string>;
}

export interface Row {
  readonly name: string;
  readonly seconds: number;
  readonly seen: string;
  readonly isOk: boolean;
}

/**
 * A failure is told and the next step runs, but for those that are vital and
 * an interruption. `tidy` clears what a failed step has left behind.
 */
export async function runSteps<World>(
  steps: readonly Step<World>[],
  world: World,
  { signal, tidy }: {
    readonly signal: AbortSignal;
    readonly tidy: (world: World) => Promise<void>;
  },
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const step of steps) {
    const row = await timed(step, world, signal);
    rows.push(row);
    console.log(textOf(row));
    if (row.isOk) continue;
    if (step.isVital || signal.aborted) break;
    try {
      await orAborted(tidy(world), signal);
    } catch (error) {
      console.log(`        and then: ${wordsOf(error)}`);
      break;
    }
  }
  return rows;
}

async function timed<World>(
  { name, run }: Step<World>,
  world: World,
  signal: AbortSignal,
): Promise<Row> {
  const sinceMs = performance.now();
  const row = (end: Pick<Row, "seen" | "isOk">) => {
    const seconds = (performance.now() - sinceMs) / 1000;
    return { name, seconds, ...end };
  };
  try {
    const seen = await orAborted(run(world), signal);
    return row({ seen, isOk: true });
  } catch (error) {
    return row({ seen: wordsOf(error), isOk: false });
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Rejects at an interruption, but first lets the work come to a point from
 * where it starts nothing more.
 */
async function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } catch (error) {
    if (signal.aborted) await atMost(SETTLE_MS, work);
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([late.promise, work.catch(() => undefined)]);
  clearTimeout(timer);
}

export function textOf({ name, seconds, seen, isOk }: Row): string {
  const time = `${seconds.toFixed(1)} s`.padStart(8);
  return `${isOk ? "ok    " : "FAILED"} ${time}  ${name}` +
    (seen === "" ? "" : `: ${seen}`);
}
