/** The fake runtime's event stream. */
import type { RuntimeEvent } from "../../lib/port/runtime.ts";
import { type FakeRuntimeWorld, refused } from "./fake_runtime_world.ts";

/** Events from now on; ends when `signal` aborts or the runtime goes down. */
export async function* followEvents(
  world: FakeRuntimeWorld,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent> {
  const waiting: (RuntimeEvent | "down")[] = [];
  let woken = Promise.withResolvers<void>();
  const wake = () => woken.resolve();
  const unlisten = world.listen((event) => {
    waiting.push(event);
    wake();
  });
  signal.addEventListener("abort", wake, { once: true });
  try {
    while (true) {
      signal.throwIfAborted();
      const event = waiting.shift();
      if (event === "down") throw refused("follow events", "stream broke");
      if (event !== undefined) {
        yield event;
        continue;
      }
      await woken.promise;
      woken = Promise.withResolvers<void>();
    }
  } finally {
    unlisten();
    signal.removeEventListener("abort", wake);
  }
}
