/**
 * Reads the agent's configuration from disk at start: the `--config` file and its
 * `*.conf` drop-ins. Parsing is not done here.
 */
import { resolve } from "node:path";
import { AgentError } from "../base/errors.ts";

/** A file's path and text, for messages that name the place. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const LARGEST_BYTES = 10 * 1024 * 1024;

/** The configuration file and its drop-ins; an empty path: none. */
export async function readConfigTexts(
  file: string,
  directory: string,
): Promise<{ configFile?: TextFile; dropIns: readonly TextFile[] }> {
  const dropIns = directory === "" ? [] : await readDropIns(directory);
  if (file === "") return { dropIns };
  return { configFile: await readConfigFile(resolve(file)), dropIns };
}

/** Rejects (`give-up`) with the reason when the file cannot be read. */
async function readConfigFile(path: string): Promise<TextFile> {
  try {
    const { size } = await Deno.stat(path);
    if (size > LARGEST_BYTES) throw new Error(`it has ${size} bytes`);
    return { path, text: await Deno.readTextFile(path) };
  } catch (cause) {
    throw new AgentError(`Cannot read ${path}`, { next: "give-up", cause });
  }
}

/**
 * Every `*.conf` file below a directory.
 * Compat: kubelet 1.36 mergeKubeletConfigurations walks it recursively.
 */
async function readDropIns(directory: string): Promise<TextFile[]> {
  const found: TextFile[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory) found.push(...await readDropIns(path));
      else if (path.endsWith(".conf")) found.push(await readConfigFile(path));
    }
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError(`Cannot read ${directory}`, {
      next: "give-up",
      cause,
    });
  }
  return found;
}

/** What the kernel calls this host. */
export function hostname(): string {
  return Deno.hostname();
}
