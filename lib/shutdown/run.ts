/**
 * The loop of the graceful shutdown: holds a lock at logind so that the
 * machine waits for us, hears when it goes down, and lets go of the lock once
 * the pods have ended. Where nobody tells, it asks PID 1 when the agent itself
 * is told to end: a mere restart of the agent ends no pod.
 * Compat: kubelet 1.36 nodeshutdown managerImpl.start. Unlike it, a wait that
 * cannot be made long enough is better than none.
 */
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import { orAborted, within } from "../base/wait.ts";
import type { PodUid } from "../api/id.ts";
import type {
  Logind,
  LogindSession,
  ServiceManager,
  ShutdownLock,
} from "../port/service_manager.ts";
import { Course, type CoursePorts, type CourseSettings } from "./course.ts";
import { wholeSeconds } from "./plan.ts";
import type { ShutdownView } from "./types.ts";

const RETRY = { initialMs: 1_000, maxMs: 60_000, forgetAfterMs: 300_000 };
/** Compat: five looks, the waits between them doubling. */
const RELOADED_MS = [100, 200, 400, 800];
/** A restart of the agent waits no longer than this for PID 1's word. */
const ASK_MS = 3_000;
/** So often the service manager hears that it still has to wait, and for what. */
const EXTEND_EVERY_MS = 5_000;
const EXTEND_US = 20_000_000;

export interface ShutdownPorts extends CoursePorts {
  readonly logind: Logind;
  readonly manager: Pick<ServiceManager, "isGoingDown" | "notify">;
}

export class ShutdownLoop {
  readonly #ports: ShutdownPorts;
  readonly #settings: CourseSettings;
  readonly #course: Course;
  readonly #end = new AbortController();
  #lock: ShutdownLock | undefined;
  /** The course under way, or the one that is over. */
  #work: Promise<void> | undefined;
  #delayMs: number | undefined;
  #problem: string | undefined;

  constructor(ports: ShutdownPorts, settings: CourseSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#course = new Course(ports, settings);
  }

  /** No pod gets time at a shutdown. */
  get isOff(): boolean {
    return this.#settings.groups.length === 0;
  }

  view(): ShutdownView {
    return {
      groups: this.#settings.groups,
      stage: this.#course.stage,
      delayMs: this.#delayMs,
      problem: this.#problem,
    };
  }

  /** Something of this pod is another: it may have gone. */
  seen(uid: PodUid): void {
    this.#course.seen(uid);
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.isOff) return;
    await this.#course.recall();
    let failure: Backoff | undefined;
    try {
      while (!signal.aborted) {
        const reason = await this.#watch(signal);
        this.#delayMs = undefined;
        const { clock, log } = this.#ports;
        failure = afterFailure(failure, clock.nowMs(), RETRY);
        if (this.#problem !== reason) {
          log.warn("Cannot hold up a shutdown of the machine through logind", {
            error: reason,
          });
        }
        this.#problem = reason;
        await clock.sleep(dueAtMs(failure) - clock.nowMs(), signal);
      }
    } finally {
      this.#end.abort(new DOMException("The agent ends", "AbortError"));
      await this.#work;
      this.#lock?.release();
    }
  }

  /**
   * The agent was told to end. Resolves when it may: at once, unless the
   * machine goes down with it, for which there has to be PID 1's word.
   */
  async settle(atOnce: AbortSignal): Promise<void> {
    if (this.isOff) return;
    const { log } = this.#ports;
    if (this.#work === undefined) {
      if (!await this.#isGoingDown(atOnce)) return;
      log.info("The agent ends with the machine, and its pods before it");
      this.#begin();
    }
    await this.#extended(this.#work ?? Promise.resolve(), atOnce);
  }

  async #isGoingDown(signal: AbortSignal): Promise<boolean> {
    const { clock, manager } = this.#ports;
    try {
      const limit = { clock, ms: ASK_MS, signal };
      return await within(limit, () => manager.isGoingDown());
    } catch (error) {
      if (isAbort(error, signal)) return false;
      this.#ports.log.warn("PID 1 does not say whether the machine goes down", {
        error: chainOf(error),
      });
      return false;
    }
  }

  /** Until the work is done the service manager is asked for more time. */
  async #extended(work: Promise<void>, atOnce: AbortSignal): Promise<void> {
    const { clock, manager } = this.#ports;
    const over = new AbortController();
    const both = AbortSignal.any([over.signal, atOnce]);
    const extend = async () => {
      while (!both.aborted) {
        manager.notify(`EXTEND_TIMEOUT_USEC=${EXTEND_US}`);
        await clock.sleep(EXTEND_EVERY_MS, both);
      }
    };
    const extending = extend().catch((error) => {
      if (!isAbort(error, both)) throw error;
    });
    try {
      await orAborted(work, atOnce);
    } catch (error) {
      if (!isAbort(error, atOnce)) throw error;
    } finally {
      over.abort();
      await extending;
    }
  }

  /** Returns why nobody tells of a shutdown any more. */
  async #watch(signal: AbortSignal): Promise<string> {
    let session: LogindSession | undefined;
    try {
      session = await this.#ports.logind.open();
      await this.#waitLongEnough(session, signal);
      if (await session.isPreparing()) this.#begin();
      else await this.#stayUp(session);
      for await (const isGoingDown of session.changes(signal)) {
        if (isGoingDown) this.#begin();
        else await this.#stayUp(session);
      }
      signal.throwIfAborted();
      return "Logind has ended";
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return chainOf(error);
    } finally {
      session?.close();
    }
  }

  async #waitLongEnough(
    session: LogindSession,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log } = this.#ports;
    const seconds = wholeSeconds(this.#settings.groups);
    this.#delayMs = await session.inhibitDelayMs();
    if (this.#delayMs < seconds * 1000) {
      try {
        await session.configureDelay(seconds);
        for (const ms of RELOADED_MS) {
          this.#delayMs = await session.inhibitDelayMs();
          if (this.#delayMs >= seconds * 1000) break;
          await clock.sleep(ms, signal);
        }
        this.#delayMs = await session.inhibitDelayMs();
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        log.warn("Cannot configure how long logind waits", {
          error: chainOf(error),
        });
      }
    }
    const isShort = this.#delayMs < seconds * 1000;
    this.#problem = isShort
      ? `logind waits ${this.#delayMs / 1000} s for pods that are to get ` +
        `${seconds} s: another file sets InhibitDelayMaxSec`
      : undefined;
    if (this.#problem !== undefined) log.warn(this.#problem);
  }

  /** The machine shall ask us before it goes down. */
  async #stayUp(session: LogindSession): Promise<void> {
    const { log } = this.#ports;
    if (this.#work !== undefined) {
      this.#course.cancel();
      await this.#work;
      this.#work = undefined;
    }
    const before = this.#lock;
    this.#lock = await session.inhibit();
    before?.release();
    log.info("Logind tells of a shutdown and waits for the pods", {
      delayMs: this.#delayMs,
    });
  }

  #begin(): void {
    this.#work ??= this.#course.run(this.#end.signal).catch((error) => {
      this.#ports.log.error("The pods' end before a shutdown failed", {
        error: chainOf(error),
      });
    }).finally(() => {
      this.#lock?.release();
      this.#lock = undefined;
    });
  }
}
