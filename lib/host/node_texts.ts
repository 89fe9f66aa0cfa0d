/**
 * Small files of the node, read through the C library at once: what an admin
 * writes (`/etc/resolv.conf`, often a link) and what the kernel makes from
 * memory. Nothing here waits for more than a local file.
 */
import type { NodeText, NodeTexts } from "../port/host.ts";
import {
  AT_FDCWD,
  cString,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import { failure } from "./errno.ts";
import { fileStat } from "./file_stat.ts";
import type { Libc } from "./libc.ts";

/** Compat: kubelet 1.36 maxResolvConfLength. */
const LONGEST_BYTES = 10 * 1024 * 1024;
const CHUNK_BYTES = 4096;

/** Many pods' passes want the same file at the same time. */
const FRESH_MS = 250;

interface Kept {
  readonly version: string;
  readonly text: string;
}

/** Keeps what it read for as long as the file is the same. */
export class HostNodeTexts implements NodeTexts {
  readonly #libc: Libc;
  readonly #nowMs: () => number;
  readonly #kept = new Map<string, Kept & { readonly lookedAtMs: number }>();

  /** `nowMs` is monotonic. */
  constructor(libc: Libc, nowMs = () => performance.now()) {
    this.#libc = libc;
    this.#nowMs = nowMs;
  }

  read(path: string): NodeText {
    const kept = this.#kept.get(path);
    const nowMs = this.#nowMs();
    if (kept !== undefined && nowMs - kept.lookedAtMs < FRESH_MS) {
      return { kind: "text", text: kept.text };
    }
    const found = readSmall(this.#libc, path, kept);
    if (typeof found === "number") {
      const { message } = failure(`Cannot read ${path}`, found);
      return { kind: "failed", message };
    }
    if (found === "not-a-file") {
      const message = `Cannot read ${path}: not a regular file of at most ` +
        `${LONGEST_BYTES} bytes`;
      return { kind: "failed", message };
    }
    this.#kept.set(path, { ...found, lookedAtMs: nowMs });
    return { kind: "text", text: found.text };
  }
}

/** The text of a file of the kernel's; undefined where there is none. */
export function kernelText(libc: Libc, path: string): string | undefined {
  const found = readSmall(libc, path, undefined);
  return typeof found === "object" ? found.text.trim() : undefined;
}

/** A number is what went wrong. */
function readSmall(
  libc: Libc,
  path: string,
  kept: Kept | undefined,
): Kept | number | "not-a-file" {
  const fd = libc.openAt(AT_FDCWD, cString(path), {
    flags: O_RDONLY | O_NONBLOCK | O_NOCTTY,
    resolve: RESOLVE_NO_MAGICLINKS,
  });
  if (fd < 0) return -fd;
  try {
    const found = libc.stat(fd);
    if (typeof found === "number") return -found;
    const { kind, sizeBytes, version } = fileStat(found);
    if (kind !== "file" || sizeBytes > LONGEST_BYTES) return "not-a-file";
    if (kept?.version === version) return kept;
    const text = readToEnd(libc, fd, sizeBytes);
    return typeof text === "string" ? { version, text } : text;
  } finally {
    libc.closeFd(fd);
  }
}

/** The files of the kernel announce no size, or a page. */
function readToEnd(libc: Libc, fd: number, sizeBytes: number) {
  const bytes = new Uint8Array(Math.max(sizeBytes, CHUNK_BYTES));
  for (let length = 0; length < bytes.length;) {
    const read = libc.readNow(fd, bytes.subarray(length));
    if (read < 0) return -read;
    length += read;
    if (read === 0) return new TextDecoder().decode(bytes.subarray(0, length));
  }
  return new TextDecoder().decode(bytes);
}
