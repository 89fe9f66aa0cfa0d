/**
 * What a container that has ended left to say: its termination message file,
 * or the end of its log. Read once, by the pass that first sees the end. Never
 * follows a link, and opens nothing but a regular file below the directories
 * of its pod.
 * Compat: kubelet 1.36 getTerminationMessage, convertToKubeContainerStatus.
 */
import { joined } from "../base/bytes.ts";
import { chainOf } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import { BLOCK_BYTES, tailOffset } from "../log/tail.ts";
import { LogText } from "../log/text.ts";
import { remembered } from "../pod/labels.ts";
import type { LogFile, LogFiles } from "../port/log_files.ts";
import type { ContainerStatus } from "../port/runtime_status.ts";

/** Compat: kubelet 1.36 MaxContainerTerminationMessageLength and its like. */
const MOST_FILE_BYTES = 4096;
const MOST_LOG_BYTES = 2048;
const MOST_LOG_LINES = 80;

/** Never rejects: what could not be read is said instead. */
export type LastWords = (
  uid: PodUid,
  container: ContainerStatus,
) => Promise<string>;

export function lastWordsFrom(
  logFiles: LogFiles,
  podsDir: string,
): LastWords {
  return async (uid, container) => {
    const { messagePolicy } = remembered(container.annotations);
    const mayFallBack = messagePolicy === "FallbackToLogsOnError" &&
      container.exitCode !== 0 && container.reason !== "ContainerCannotRun";
    const path = messageFileOf(container);
    const own = `${podsDir}/${uid}/containers/${container.name}/`;
    if (path !== undefined) {
      // A volume mounted there could be any file of the host.
      const words = path.startsWith(own)
        ? await fileWords(logFiles, path)
        : `Error on reading termination log ${path}: not a file of its pod`;
      if (words !== "") return words;
    }
    return mayFallBack ? await logWords(logFiles, container.logPath) : "";
  };
}

/** The host's side of the mount that was made for it. */
function messageFileOf(
  { annotations, mounts }: ContainerStatus,
): string | undefined {
  const { messagePath } = remembered(annotations);
  if (messagePath === "") return undefined;
  const absolute = messagePath.startsWith("/")
    ? messagePath
    : `/${messagePath}`;
  return mounts.find((mount) => mount.containerPath === absolute)?.hostPath;
}

async function fileWords(logFiles: LogFiles, path: string): Promise<string> {
  try {
    const bytes = await withFile(logFiles, path, async (file) => {
      const size = await file.sizeBytes();
      const from = Math.max(0, size - MOST_FILE_BYTES);
      return await file.read(from, MOST_FILE_BYTES);
    });
    return bytes === undefined ? "" : new TextDecoder().decode(bytes);
  } catch (error) {
    return `Error on reading termination log ${path}: ${chainOf(error)}`;
  }
}

async function logWords(logFiles: LogFiles, path: string): Promise<string> {
  const failed = "Error on reading termination message from logs";
  try {
    const bytes = await withFile(logFiles, path, lastOfLog);
    return bytes === undefined
      ? `${failed}: failed to open log file "${path}": no such file`
      : new TextDecoder().decode(bytes);
  } catch (error) {
    return `${failed}: ${chainOf(error)}`;
  }
}

async function lastOfLog(file: LogFile): Promise<Uint8Array> {
  const text = new LogText({ timestamps: "hidden" });
  let last = new Uint8Array();
  const keep = (more: Uint8Array) => {
    last = joined([last, more]).slice(-MOST_LOG_BYTES);
  };
  for (let at = await tailOffset(file, MOST_LOG_LINES);;) {
    const block = await file.read(at, BLOCK_BYTES);
    if (block.length === 0) break;
    at += block.length;
    keep(text.add(block));
  }
  keep(text.end());
  return last;
}

async function withFile<T>(
  logFiles: LogFiles,
  path: string,
  work: (file: LogFile) => Promise<T>,
): Promise<T | undefined> {
  const file = await logFiles.open(path);
  if (file === undefined) return undefined;
  try {
    return await work(file);
  } finally {
    file.close();
  }
}
