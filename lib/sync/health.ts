/**
 * Is the runtime there, and is its network ready? Asked at start, whenever a
 * call or the event stream failed, and slowly as an audit; nothing polls while
 * all is well. The sole writer of the runtime's health.
 */
import { isDeepStrictEqual } from "node:util";
import { Alarm } from "../base/alarm.ts";
import type { Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { RuntimeHealth } from "../pod/facts.ts";
import type { ContainerRuntime } from "../port/runtime.ts";

const AUDIT_MS = 30_000;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 2_000;
const NETWORK_RETRY_MS = 1_000;

export const UNHEARD: RuntimeHealth = {
  isReady: false,
  isNetworkReady: false,
  message: "The runtime has not been asked yet",
  name: "",
  cgroupDriver: undefined,
  handlers: [],
};

interface HealthPorts {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly health: Writer<RuntimeHealth>;
  /** Every pod should be looked at: the runtime came, went or came back. */
  readonly changed: () => void;
}

export class HealthLoop {
  readonly #ports: HealthPorts;
  readonly #alarm = new Alarm();
  #awayAtMs: number | undefined;

  constructor(ports: HealthPorts) {
    this.#ports = ports;
  }

  /** Somebody's call failed: ask the runtime now, unless it is known away. */
  suspect(): void {
    if (!this.#ports.health.get().isReady) return;
    this.#alarm.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      const health = await this.#ask(signal);
      this.#publish(health);
      if (health.isReady) retryMs = FIRST_RETRY_MS;
      const waitMs = !health.isReady
        ? retryMs
        : health.isNetworkReady
        ? AUDIT_MS
        : NETWORK_RETRY_MS;
      if (!health.isReady) retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      await this.#alarm.wait(this.#ports.clock, waitMs, signal);
    }
  }

  async #ask(signal: AbortSignal): Promise<RuntimeHealth> {
    const { runtime, health } = this.#ports;
    try {
      const known = health.get();
      const isKnown = known.name !== "";
      const name = isKnown ? known.name : (await runtime.version(signal)).name;
      const cgroupDriver = isKnown
        ? known.cgroupDriver
        : await runtime.cgroupDriver(signal);
      const status = await runtime.status(signal);
      const unmet = [status.runtime, status.network]
        .filter((condition) => !condition.isMet);
      return {
        isReady: status.runtime.isMet,
        isNetworkReady: status.network.isMet,
        message: unmet.map(({ reason, message }) => `${reason}: ${message}`)
          .join("; "),
        name,
        cgroupDriver,
        handlers: status.handlers,
      };
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return {
        ...health.get(),
        isReady: false,
        isNetworkReady: false,
        message: `The container runtime does not answer: ${chainOf(error)}`,
      };
    }
  }

  #publish(next: RuntimeHealth): void {
    const { health, log, clock, changed } = this.#ports;
    const before = health.get();
    const isSame = before.isReady === next.isReady &&
      before.isNetworkReady === next.isNetworkReady &&
      before.message === next.message && before.name === next.name &&
      isDeepStrictEqual(before.handlers, next.handlers);
    if (isSame) return;
    health.set(next);
    if (next.isReady && !before.isReady) {
      const awayMs = clock.monotonicMs() - (this.#awayAtMs ?? 0);
      log.info("The container runtime is ready", {
        runtime: next.name,
        ...this.#awayAtMs === undefined ? {} : { awayMs: Math.round(awayMs) },
      });
      this.#awayAtMs = undefined;
    } else if (!next.isReady && this.#awayAtMs === undefined) {
      this.#awayAtMs = clock.monotonicMs();
      log.warn("The container runtime is away; running pods are left alone", {
        message: next.message,
      });
    } else if (!next.isNetworkReady && next.isReady) {
      log.warn("The pod network is not ready", { message: next.message });
    }
    changed();
  }
}
