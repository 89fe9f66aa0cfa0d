/** Takes a container's log away, with what it was rotated to. */
import type { Files } from "../port/host.ts";

export async function removeLogs(
  files: Pick<Files, "list" | "remove">,
  logFile: string,
): Promise<void> {
  const slash = logFile.lastIndexOf("/");
  const directory = logFile.slice(0, slash);
  const name = logFile.slice(slash + 1);
  const entries = await files.list(directory) ?? [];
  for (const entry of entries) {
    const isRotated = entry.name.startsWith(`${name}.`);
    if (isRotated) await files.remove(`${directory}/${entry.name}`);
  }
  await files.remove(logFile);
}
