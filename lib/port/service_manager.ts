/**
 * What the inside needs from the machine's init system: to be told when the
 * machine goes down and to hold it up for a while, and to say how we are.
 */

/** Whoever asks before the machine goes down: systemd-logind. */
export interface Logind {
  /** Rejects (`retry`) where there is none, or where it cannot be reached. */
  open(): Promise<LogindSession>;
}

/** Holds while the same logind is there; then `changes` rejects. */
export interface LogindSession {
  /** How long it waits for a lock at most, milliseconds. */
  inhibitDelayMs(): Promise<number>;
  /**
   * Configures the wait and has it read; that it holds, it says later, and
   * `inhibitDelayMs` tells.
   */
  configureDelay(seconds: number): Promise<void>;
  /** From now on the machine waits, until the lock is let go of. */
  inhibit(): Promise<ShutdownLock>;
  /** It waits for locks just now. */
  isPreparing(): Promise<boolean>;
  /**
   * True: the machine goes down as soon as the locks are let go of. False: it
   * does not after all. Rejects (`retry`) when nobody can tell any more.
   */
  changes(signal: AbortSignal): AsyncIterable<boolean>;
  close(): void;
}

export interface ShutdownLock {
  /** The machine need not wait for us. More than once is once. */
  release(): void;
}

/** Whoever started us, and may end us: systemd. */
export interface ServiceManager {
  /** Is there somebody to be told? */
  readonly isListening: boolean;
  /** Its watchdog's patience; undefined: it has none, or none for us. */
  readonly watchdogMs: number | undefined;
  /** Ours, where we are not the process that it started. */
  readonly mainPid: number | undefined;
  /** Lines of sd_notify(3). Returns why it did not work; never waits. */
  notify(...lines: readonly string[]): string | undefined;
  /**
   * Says that the machine is going down. False for every doubt: nobody to ask,
   * no answer, another answer.
   */
  isGoingDown(): Promise<boolean>;
}
