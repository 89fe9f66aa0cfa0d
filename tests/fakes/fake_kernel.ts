/** A kernel that tells what a test lets it tell, and else nothing. */
import { AgentError } from "../../lib/base/errors.ts";
import { orAborted } from "../../lib/base/wait.ts";
import type { KernelNews, MemoryMark } from "../../lib/port/kernel.ts";

export class FakeKernel implements KernelNews {
  /** What it was asked to tell of last. */
  marks: readonly MemoryMark[] = [];
  /** How often it was asked about memory. */
  asked = 0;
  /** Set: it tells nothing at all. */
  isSilent = false;
  #passed = Promise.withResolvers<void>();
  #lines: string[] = [];
  #more = Promise.withResolvers<void>();

  /** The memory in use has passed a mark. */
  pass(): void {
    this.#passed.resolve();
    this.#passed = Promise.withResolvers();
  }

  say(...lines: readonly string[]): void {
    this.#lines.push(...lines);
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async memoryPassed(
    marks: readonly MemoryMark[],
    signal: AbortSignal,
  ): Promise<void> {
    this.asked++;
    if (this.isSilent) throw new AgentError("Silent", { next: "give-up" });
    this.marks = marks;
    await orAborted(this.#passed.promise, signal);
  }

  async *log(signal: AbortSignal): AsyncGenerator<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line === undefined) await orAborted(this.#more.promise, signal);
      else yield line;
    }
  }
}
