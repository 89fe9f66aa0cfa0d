/** `Checkpoints` over the CRI. Keeps no state. */
import type { Checkpoints } from "../port/checkpoints.ts";
import type { Channel } from "./channel.ts";
import { int64Of } from "./translate.ts";

export function checkpoints(channel: Channel): Checkpoints {
  return {
    async checkpoint({ id, location, timeoutSeconds }, signal) {
      // Compat: cri-client 0.36 CheckpointContainer: never less than usual.
      const usual = Math.floor(channel.requestTimeoutMs / 1000);
      const seconds = Math.max(timeoutSeconds, usual);
      await channel.unary(
        "runtime.v1.RuntimeService/CheckpointContainer",
        { containerId: id, location, timeout: int64Of(BigInt(seconds)) },
        {
          doing: `checkpoint container ${id}`,
          deadlineMs: seconds * 1000,
          signal,
        },
      );
    },
  };
}
