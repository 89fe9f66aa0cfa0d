/**
 * Watching one directory, not what lies below it. Bursts are folded: whoever
 * is busy with one wake finds the next waiting, however many changes it was.
 */
import { AgentError } from "../base/errors.ts";

/** An editor's write, chmod and rename come within this of each other. */
const SETTLE_MS = 2;

interface State {
  readonly isChanged: boolean;
  readonly isOver: boolean;
  readonly cause: unknown;
}

/** See `Files.watch`. */
export async function* watchDirectory(
  path: string,
  signal: AbortSignal,
): AsyncGenerator<void> {
  if (signal.aborted) return;
  const watcher = open(path);
  const close = () => watcher.close();
  signal.addEventListener("abort", close, { once: true });
  let state: State = { isChanged: false, isOver: false, cause: undefined };
  let wake = Promise.withResolvers<void>();
  const reading = collect(watcher, path, (change) => {
    state = { ...state, ...change };
    wake.resolve();
  });
  try {
    yield;
    while (!signal.aborted) {
      await wake.promise;
      if (!state.isOver) await settle();
      wake = Promise.withResolvers<void>();
      if (signal.aborted) return;
      if (state.isOver) throw gone(path, state.cause);
      if (!state.isChanged) continue;
      state = { ...state, isChanged: false };
      yield;
    }
  } finally {
    signal.removeEventListener("abort", close);
    closeQuietly(watcher);
    await reading;
  }
}

function open(path: string): Deno.FsWatcher {
  try {
    return Deno.watchFs(path, { recursive: false });
  } catch (error) {
    const isRefused = error instanceof Deno.errors.NotCapable;
    throw new AgentError(`Cannot watch ${path}`, {
      next: isRefused ? "give-up" : "retry",
      cause: error,
    });
  }
}

async function collect(
  watcher: Deno.FsWatcher,
  path: string,
  tell: (change: Partial<State>) => void,
): Promise<void> {
  try {
    for await (const event of watcher) {
      // Only the directory's own removal or renaming names the directory.
      const isOwn = event.kind === "remove" && event.paths.includes(path);
      tell({ isChanged: true, isOver: isOwn });
      if (isOwn) return;
    }
    tell({ isOver: true });
  } catch (cause) {
    tell({ isOver: true, cause });
  }
}

function gone(path: string, cause: unknown): AgentError {
  return new AgentError(`Cannot watch ${path}: it was removed or moved`, {
    next: "retry",
    cause,
  });
}

function closeQuietly(watcher: Deno.FsWatcher): void {
  try {
    watcher.close();
  } catch (error) {
    // Closed by the abort already, which is all we want.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, SETTLE_MS);
  return promise;
}
