/** A kernel that tells what a test lets it tell, and else nothing. */
import { AgentError } from "../../lib/base/errors.ts";
import { orAborted } from "../../lib/base/wait.ts";
import type {
  KernelNews,
  KernelSettings,
  MemoryMark,
} from "../../lib/port/kernel.ts";

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

/** A kernel without settings, but for those that a test gives it. */
export class FakeKernelSettings implements KernelSettings {
  readonly values = new Map<string, bigint>();
  /** Those that nobody may change. */
  readonly fixed = new Set<string>();
  readonly written: string[] = [];

  read(name: string): Promise<bigint | undefined> {
    return Promise.resolve(this.values.get(name));
  }

  write(name: string, value: bigint): Promise<void> {
    if (this.fixed.has(name)) {
      return Promise.reject(new AgentError("Fixed", { next: "give-up" }));
    }
    this.values.set(name, value);
    this.written.push(name);
    return Promise.resolve();
  }
}
