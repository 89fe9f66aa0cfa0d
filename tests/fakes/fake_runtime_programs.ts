/**
 * What processes do in the fake runtime. The first words of a container's
 * command say it:
 * - `exit N`: ends at once with code N.
 * - `stubborn`: ignores the stop signal.
 * - `linger N`: ends with 0, N seconds after the stop signal.
 * - a path below `/no/`: cannot be started.
 * - anything else: runs until told, ends with 143 on the stop signal.
 */
import type { Clock } from "../../lib/base/clock.ts";
import { AgentError } from "../../lib/base/errors.ts";
import type { ExecResult } from "../../lib/port/runtime.ts";
import { execResult } from "./fake_runtime_view.ts";
import {
  type FakeContainer,
  type FakeRuntimeWorld,
  refused,
} from "./fake_runtime_world.ts";

const TERMINATED = 143;

export class FakePrograms {
  readonly #world: FakeRuntimeWorld;
  readonly #clock: Clock;

  constructor(world: FakeRuntimeWorld, clock: Clock) {
    this.#world = world;
    this.#clock = clock;
  }

  start(container: FakeContainer): void {
    const [program, argument] = commandOf(container);
    if (program.startsWith("/no/")) {
      const message = `exec: "${program}": no such file or directory`;
      this.#world.failStart(container, message);
      throw refused(`start container ${container.id}`, message);
    }
    this.#world.run(container);
    if (program === "exit") this.#world.exit(container.id, Number(argument));
  }

  /** Sends the stop signal, waits at most the grace, then kills. */
  async stop(
    container: FakeContainer,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const [program, argument] = commandOf(container);
    const ends = program === "stubborn"
      ? { afterSeconds: Infinity, code: 0 }
      : program === "linger"
      ? { afterSeconds: Number(argument), code: 0 }
      : { afterSeconds: 0, code: TERMINATED };
    const waitSeconds = Math.min(ends.afterSeconds, graceSeconds);
    if (waitSeconds > 0) {
      await this.#ended(container, waitSeconds * 1000, signal);
    }
    if (graceSeconds <= 0 || ends.afterSeconds > graceSeconds) {
      this.#world.kill(container);
    } else {
      this.#world.exit(container.id, ends.code);
    }
  }

  /** Runs a command; `sleep N` takes its time, the others are instant. */
  async exec(
    container: FakeContainer,
    request: {
      readonly command: readonly string[];
      readonly timeoutSeconds: number;
    },
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const own = this.#world.exec(container, request.command);
    if (own !== undefined) return own;
    const [program, seconds] = request.command;
    if (program !== "sleep") return execResult(request.command);
    const limitSeconds = request.timeoutSeconds || Infinity;
    const isShort = Number(seconds) <= limitSeconds;
    const waitSeconds = isShort ? Number(seconds) : limitSeconds;
    await this.#ended(container, waitSeconds * 1000, signal);
    if (isShort) return execResult(["true"]);
    throw new AgentError(
      `Cannot run a command: timeout ${limitSeconds}s exceeded`,
      { next: "retry", reason: "CommandTimedOut" },
    );
  }

  /** Resolves when the container's process is gone or `ms` have passed. */
  async #ended(
    container: FakeContainer,
    ms: number,
    signal: AbortSignal,
  ): Promise<void> {
    const rest = new AbortController();
    const both = AbortSignal.any([signal, rest.signal]);
    try {
      await Promise.race([
        container.exited.promise,
        this.#clock.sleep(ms, both).catch((error) => {
          if (signal.aborted) throw error;
        }),
      ]);
    } finally {
      rest.abort();
    }
  }
}

function commandOf(container: FakeContainer): [string, string] {
  const [program = "", argument = ""] = [
    ...container.spec.command,
    ...container.spec.args,
  ];
  return [program, argument];
}
