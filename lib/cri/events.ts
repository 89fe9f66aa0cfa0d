/**
 * The runtime's event stream as `RuntimeEvent`s. A hint to look, never a fact:
 * the first subscriber gets old events, and ones that name no pod are left
 * out. It never reconnects; the caller decides when to ask again.
 */
import { AgentError } from "../base/errors.ts";
import type { RuntimeEvent } from "../port/runtime.ts";
import type { Channel } from "./channel.ts";
import { runtimeEvent } from "./translate_status.ts";

export async function* runtimeEvents(
  channel: Channel,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent, void, undefined> {
  const doing = "follow the runtime's events";
  const stream = channel.stream(
    "runtime.v1.RuntimeService/GetContainerEvents",
    {},
    { doing, signal },
  );
  for await (const message of stream) {
    const event = runtimeEvent(message);
    if (event !== undefined) yield event;
  }
  throw new AgentError(`Cannot ${doing}: the runtime ended the stream`, {
    next: "retry",
  });
}
