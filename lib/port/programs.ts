/**
 * Programs of the host: credential plugins that an admin has configured, and
 * those that know file systems. Each needs the permission to run exactly that
 * program. What one prints may be secret: adapters put nothing of it into
 * errors.
 */

export interface Command {
  /** Absolute, or a name to be found on the path. */
  readonly path: string;
  readonly args: readonly string[];
  /** Added to the agent's own environment. */
  readonly env: ReadonlyMap<string, string>;
  /** Absent: nothing to read. */
  readonly stdin?: string;
  /** After so long it is killed. */
  readonly limitMs: number;
  /** How much it may print on each of its two outputs. */
  readonly limitBytes: number;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Programs {
  /**
   * Runs the program to its end. Rejects with `give-up` when it cannot be
   * started (`reason` `NotAllowed`: the permission set lacks it, `NotFound`:
   * there is none), with `retry` when it took too long or printed too much.
   * When `signal` aborts, it is killed.
   */
  run(command: Command, signal: AbortSignal): Promise<Ended>;
}
