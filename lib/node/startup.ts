/**
 * When this node took its first steps into the cluster, each told once. The
 * status loop tells, `/metrics` asks. Only a node that is new counts: what was
 * registered before is no start of the node.
 * Compat: kubelet 1.36 util/node_startup_latency_tracker.go.
 */

/** Epoch milliseconds. */
export interface StartupTimes {
  readonly attemptedMs?: number;
  readonly registeredMs?: number;
  readonly readyMs?: number;
}

export class Startup {
  #times: StartupTimes = {};
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get times(): StartupTimes {
    return this.#times;
  }

  attempted(): void {
    if (this.#times.attemptedMs !== undefined) return;
    this.#times = { attemptedMs: this.#nowMs() };
  }

  registered(): void {
    const { attemptedMs, registeredMs } = this.#times;
    if (attemptedMs === undefined || registeredMs !== undefined) return;
    this.#times = { attemptedMs, registeredMs: this.#nowMs() };
  }

  ready(): void {
    const { registeredMs, readyMs } = this.#times;
    if (registeredMs === undefined || readyMs !== undefined) return;
    this.#times = { ...this.#times, readyMs: this.#nowMs() };
  }
}

/** Seconds from each step to the next; 0 for what has not been. */
export function startupSeconds(
  { attemptedMs, registeredMs, readyMs }: StartupTimes,
  { bootedAtMs, startedAtMs }: {
    readonly bootedAtMs: number;
    readonly startedAtMs: number;
  },
) {
  const from = (fromMs: number | undefined, toMs: number | undefined) =>
    registeredMs === undefined || fromMs === undefined || toMs === undefined
      ? 0
      : (toMs - fromMs) / 1000;
  return {
    preKubelet: from(bootedAtMs, startedAtMs),
    preRegistration: from(startedAtMs, attemptedMs),
    registration: from(attemptedMs, registeredMs),
    postRegistration: from(registeredMs, readyMs),
    nodeStartup: from(readyMs && bootedAtMs, readyMs),
  };
}
