/**
 * One of the files that allocations outlive the agent in: read once, written
 * whole, for all who wait at once. A disk that takes nothing stops no pod.
 */
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { PodUid } from "../api/id.ts";
import type { Allocation } from "../pod/allocation.ts";
import { allocationsText, parseAllocations } from "../pod/allocation_text.ts";
import type { Files } from "../port/host.ts";

const LONGEST_BYTES = 64 * 1024 ** 2;
/** Compat: kubelet 1.36 FileStore. */
const MODE = 0o600;

export interface StateFilePorts {
  readonly files: Pick<Files, "read" | "replace">;
  readonly log: Logger;
}

export class StateFile {
  readonly #ports: StateFilePorts;
  readonly #path: string;
  /** How often something has changed, and up to which change it is written. */
  #changes = 0;
  #kept = 0;
  /** Whether it worked. */
  #writing: Promise<boolean> | undefined;
  #hasFailed = false;

  constructor(ports: StateFilePorts, path: string) {
    this.#ports = ports;
    this.#path = path;
  }

  /** What cannot be believed is told, and then as if it were not there. */
  async restore(into: Map<PodUid, Allocation>): Promise<void> {
    const { files, log } = this.#ports;
    const bytes = await files.read(this.#path, LONGEST_BYTES);
    if (bytes === undefined) return;
    const found = parseAllocations(new TextDecoder().decode(bytes));
    if (found.kind === "broken") {
      log.warn("Cannot read what pods were given; taking what they ask for", {
        file: this.#path,
        error: found.message,
      });
      return;
    }
    for (const [uid, allocation] of found.entries) into.set(uid, allocation);
  }

  /** There is something to write. */
  touch(): void {
    this.#changes++;
  }

  /**
   * Resolves when every change so far is on disk, or could not be put there:
   * then with the next one.
   */
  async flush(state: ReadonlyMap<PodUid, Allocation>): Promise<void> {
    const target = this.#changes;
    while (this.#kept < target) {
      this.#writing ??= this.#write(state)
        .finally(() => this.#writing = undefined);
      if (!await this.#writing) return;
    }
  }

  async #write(state: ReadonlyMap<PodUid, Allocation>): Promise<boolean> {
    const { files, log } = this.#ports;
    const changes = this.#changes;
    try {
      const bytes = new TextEncoder().encode(allocationsText(state));
      await files.replace(this.#path, bytes, MODE);
      this.#kept = changes;
      this.#hasFailed = false;
      return true;
    } catch (error) {
      if (!this.#hasFailed) {
        log.warn("Cannot write down what pods were given", {
          file: this.#path,
          error: chainOf(error),
        });
      }
      this.#hasFailed = true;
      return false;
    }
  }
}
