/** The address of a container runtime as people write it. Pure. */
import { AgentError } from "../base/errors.ts";

/**
 * The socket's path in `unix:///path`, `unix:/path` or `/path`. Compat: the
 * kubelet also takes the bare path. Throws `give-up` for anything else.
 */
export function socketPathOf(endpoint: string): string {
  const path = endpoint.startsWith("unix://")
    ? endpoint.slice("unix://".length)
    : endpoint.startsWith("unix:")
    ? endpoint.slice("unix:".length)
    : endpoint;
  if (path.startsWith("/") && path.length > 1 && !path.includes("\0")) {
    return path;
  }
  throw new AgentError(
    `Cannot use runtime endpoint ${JSON.stringify(endpoint)}: ` +
      "it must be unix:///absolute/path or /absolute/path",
    { next: "give-up" },
  );
}
