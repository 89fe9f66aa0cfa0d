/**
 * The pods that have to go for critical ones. Sole writer of these orders:
 * a pass orders them, and whoever waits for the room is woken as they end.
 */
import type { Logger } from "../base/log.ts";
import type { Meters } from "../api/meters.ts";
import type { PodUid } from "../api/id.ts";
import { EXCEEDED_GRACE } from "../api/step.ts";
import type { Action } from "../pod/action.ts";
import {
  PREEMPTED,
  PREEMPTING,
  type Preemption,
  type Preemptions as Orders,
} from "../pod/preempt.ts";
import type { Recorder } from "../port/recorder.ts";
import type { PodsReader } from "./store.ts";

export interface PreemptionPorts {
  readonly pods: PodsReader;
  readonly recorder: Recorder;
  readonly meters: Pick<Meters, "preemptions">;
  readonly log: Logger;
  readonly queue: {
    interrupt(uid: PodUid): void;
    wake(uid: PodUid): void;
  };
}

export class Preemptions {
  readonly #ports: PreemptionPorts;
  readonly #orders = new Map<PodUid, Preemption>();
  /** Those of whose late end was told. */
  readonly #told = new Set<PodUid>();

  constructor(ports: PreemptionPorts) {
    this.#ports = ports;
  }

  get orders(): Orders {
    return this.#orders;
  }

  order({ victims, resource }: Extract<Action, { kind: "preempt" }>): void {
    const { recorder, meters, log, queue } = this.#ports;
    for (const { uid, title, preemption } of victims) {
      if (this.#orders.has(uid)) continue;
      log.warn("A pod goes for a critical one", { pod: title, resource });
      this.#orders.set(uid, preemption);
      recorder.record(uid, {
        type: "Warning",
        reason: PREEMPTING,
        message: PREEMPTED,
      });
      meters.preemptions.add({ preemption_signal: resource });
      queue.interrupt(uid);
    }
  }

  /** Something of this pod is another: it may have ended. */
  seen(uid: PodUid, nowMs: number): void {
    this.#tellLate(nowMs);
    if (!this.#orders.has(uid) || this.#isUnderWay(uid)) return;
    const { pods, queue } = this.#ports;
    for (const [other, { state }] of pods) {
      if (state.kind === "waiting" && state.for === "room") queue.wake(other);
    }
  }

  /** Nobody remembers this pod any more. */
  forget(uid: PodUid, nowMs: number): void {
    this.seen(uid, nowMs);
    this.#orders.delete(uid);
    this.#told.delete(uid);
  }

  /** Whoever waits for them is looked at just when it is too late. */
  #tellLate(nowMs: number): void {
    for (const [uid, { untilMs }] of this.#orders) {
      if (untilMs > nowMs || this.#told.has(uid)) continue;
      this.#told.add(uid);
      if (!this.#isUnderWay(uid)) continue;
      this.#ports.recorder.record(uid, EXCEEDED_GRACE);
    }
  }

  #isUnderWay(uid: PodUid): boolean {
    const { state } = this.#ports.pods.get(uid) ?? {};
    return state !== undefined && state.kind !== "done";
  }
}
