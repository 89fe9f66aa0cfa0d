/** What is told of a command in the log: enough to compare, not to read. */
import { createHash } from "node:crypto";

export function commandHash(command: readonly string[]): string {
  return createHash("sha256").update(command.join("\0")).digest("hex")
    .slice(0, 16);
}
