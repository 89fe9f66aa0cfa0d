/**
 * `KernelNews` on Linux. Memory: thresholds of cgroups where they are of
 * version 1, stalls of the machine else. The log: /dev/kmsg, read only. Each
 * wait takes a thread of the pool, none of ours, and ends with its signal.
 */
import { AgentError } from "../base/errors.ts";
import type { KernelNews, MemoryMark } from "../port/kernel.ts";
import {
  AT_FDCWD,
  type Bytes,
  cString,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  pollBytes,
  POLLIN,
  POLLPRI,
  RESOLVE_NO_MAGICLINKS,
} from "./abi.ts";
import { check } from "./beneath.ts";
import { EAGAIN, EPIPE, failure } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { boundCgroup, boundProc } from "./mounts.ts";

/** How long lines wait for those that follow at once. */
const GATHER_MS = 100;
const KERNEL_LOG = "/dev/kmsg";
/** The kernel cuts messages at 1 KiB; their fields come on top. */
const RECORD_BYTES = 8 * 1024;
/**
 * A tenth of the time stalled, in µs. The kernel grants the shorter window to
 * those that may raise limits of resources.
 */
const STALLS = ["some 100000 1000000", "some 200000 2000000"];
const ONE: Bytes = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);

export class LinuxKernelNews implements KernelNews {
  readonly #libc: Libc;
  readonly #cgroups: string;
  readonly #stalls: string;
  readonly #logPath: string;

  constructor(libc: Libc, runDir: string, logPath = KERNEL_LOG) {
    this.#libc = libc;
    this.#cgroups = `${boundCgroup(runDir)}/memory`;
    this.#stalls = `${boundProc(runDir)}/pressure/memory`;
    this.#logPath = logPath;
  }

  async memoryPassed(
    marks: readonly MemoryMark[],
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const fd = this.#open(`${this.#cgroups}/cgroup.event_control`, O_WRONLY);
    if (fd < 0) return await this.#stalled(signal);
    this.#libc.closeFd(fd);
    const passed = check(
      this.#libc.waits.eventFd(),
      "Cannot make an event counter",
    );
    try {
      for (const mark of marks) this.#register(passed, mark);
      await this.#wait({ fd: passed, events: POLLIN }, signal);
    } finally {
      this.#libc.closeFd(passed);
    }
    signal.throwIfAborted();
  }

  async *log(signal: AbortSignal): AsyncGenerator<string> {
    const doing = `Cannot read ${this.#logPath}`;
    const fd = check(this.#open(this.#logPath, O_RDONLY | O_NONBLOCK), doing);
    try {
      check(this.#libc.waits.seekEnd(fd), doing);
      while (!signal.aborted) {
        yield* this.#records(fd, doing);
        await this.#wait({ fd, events: POLLIN }, signal);
        // A pod's start has the kernel say ten lines, one after the other.
        if (!signal.aborted) await pause(GATHER_MS);
      }
    } finally {
      this.#libc.closeFd(fd);
    }
  }

  /** All that is there; what was overwritten meanwhile is lost. */
  *#records(fd: number, doing: string): Generator<string> {
    const bytes: Bytes = new Uint8Array(RECORD_BYTES);
    for (;;) {
      const length = this.#libc.readNow(fd, bytes);
      if (length === -EAGAIN || length === 0) return;
      if (length === -EPIPE) continue;
      check(length, doing);
      yield messageOf(new TextDecoder().decode(bytes.subarray(0, length)));
    }
  }

  /** The kernel forgets it when the counter is closed. */
  #register(counter: number, { cgroup, usageBytes }: MemoryMark): void {
    const folder = `${this.#cgroups}${cgroup === "/" ? "" : cgroup}`;
    const doing = `Cannot watch the memory of ${cgroup}`;
    const usage = check(
      this.#open(`${folder}/memory.usage_in_bytes`, O_RDONLY),
      doing,
    );
    try {
      const control = this.#open(`${folder}/cgroup.event_control`, O_WRONLY);
      check(control, doing);
      const text = `${counter} ${usage} ${usageBytes}`;
      const done = this.#libc.writeNow(control, bytesOf(text));
      this.#libc.closeFd(control);
      check(done, doing);
    } finally {
      this.#libc.closeFd(usage);
    }
  }

  async #stalled(signal: AbortSignal): Promise<void> {
    const fd = this.#open(this.#stalls, O_RDWR | O_NONBLOCK);
    if (fd < 0) throw untold(failure(`Cannot open ${this.#stalls}`, -fd));
    try {
      const done = STALLS.map((text) => () =>
        this.#libc.writeNow(fd, cString(text))
      ).reduce((last, write) => last < 0 ? write() : last, -1);
      if (done < 0) throw untold(failure("Cannot ask for stalls", -done));
      await this.#wait({ fd, events: POLLPRI }, signal);
    } finally {
      this.#libc.closeFd(fd);
    }
    signal.throwIfAborted();
  }

  /** Until it is ready, or the signal aborts. */
  async #wait(
    ready: { readonly fd: number; readonly events: number },
    signal: AbortSignal,
  ): Promise<void> {
    const end = check(
      this.#libc.waits.eventFd(),
      "Cannot make an event counter",
    );
    const stop = () => this.#libc.writeNow(end, ONE);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const polls = pollBytes([ready, { fd: end, events: POLLIN }]);
      await this.#libc.waits.poll(polls, 2);
    } finally {
      signal.removeEventListener("abort", stop);
      this.#libc.closeFd(end);
    }
  }

  #open(path: string, flags: number): number {
    const how = { flags, resolve: RESOLVE_NO_MAGICLINKS };
    return this.#libc.openAt(AT_FDCWD, cString(path), how);
  }
}

function untold(cause: unknown): AgentError {
  const message = "The kernel tells neither of memory thresholds nor of stalls";
  return new AgentError(message, { next: "give-up", cause });
}

/** `6,1234,5678,-;words` and its fields, each on a line of its own. */
function messageOf(record: string): string {
  const [first = ""] = record.split("\n", 1);
  return first.slice(first.indexOf(";") + 1);
}

function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
