/**
 * In which form the agent's own files below the root directory are, so that an
 * older agent does not misread what a newer one wrote. The kubelet knows nothing
 * of the stamp and needs none: what it shares with us is in its own form.
 */
import { AgentError } from "./base/errors.ts";
import type { Logger } from "./base/log.ts";
import type { Files } from "./port/host.ts";

/** Grows when an older agent could no longer read what is written. */
export const STATE_FORMAT = 1;

const LIMIT_BYTES = 4096;

export type Stamp =
  | { readonly kind: "absent" | "garbled" }
  | {
    readonly kind: "read";
    readonly format: number;
    readonly version: string;
  };

/** Pure. Anything but a whole stamp is garbled. */
export function readStamp(bytes: Uint8Array | undefined): Stamp {
  if (bytes === undefined) return { kind: "absent" };
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const fields = new Map<string, unknown>(Object.entries(Object(found)));
    const format = fields.get("stateFormat");
    const version = fields.get("version");
    return typeof format === "number" && Number.isSafeInteger(format) &&
        format > 0 && typeof version === "string"
      ? { kind: "read", format, version }
      : { kind: "garbled" };
  } catch {
    return { kind: "garbled" };
  }
}

/**
 * Rejects (`give-up`), with nothing written, where a newer agent has written in
 * a form that this one does not know.
 */
export async function stampState(
  { files, log }: { readonly files: Files; readonly log: Logger },
  { rootDir, version }: { readonly rootDir: string; readonly version: string },
): Promise<void> {
  const path = `${rootDir}/denolet.json`;
  const found = readStamp(await files.read(path, LIMIT_BYTES));
  if (found.kind === "read" && found.format > STATE_FORMAT) {
    throw new AgentError(
      `Cannot start: ${path} says that denolet ${found.version} wrote state of ` +
        `format ${found.format}, and this is ${version}, which knows format ` +
        `${STATE_FORMAT} and older. Start the newer one again; or drain the ` +
        `node, and remove ${rootDir}/denolet.json to let this one take over`,
      { next: "give-up" },
    );
  }
  if (found.kind === "garbled") {
    log.warn(
      "The stamp of the agent's state cannot be read, and is made anew",
      {
        path,
        format: STATE_FORMAT,
      },
    );
  }
  const isSame = found.kind === "read" && found.format === STATE_FORMAT &&
    found.version === version;
  if (isSame) return;
  const text = `${JSON.stringify({ stateFormat: STATE_FORMAT, version })}\n`;
  await files.makeDirectory(rootDir, 0o750);
  await files.replace(path, new TextEncoder().encode(text), 0o600);
}
