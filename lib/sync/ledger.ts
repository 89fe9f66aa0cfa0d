/**
 * The dated steps of each pod, for `denolet explain`: bounded, and the same
 * step again only raises its count.
 */
import type { Clock } from "../base/clock.ts";
import type { PodUid } from "../api/id.ts";
import type { DatedStep, Step } from "../api/step.ts";
import type { Recorder } from "../port/recorder.ts";

const MOST_STEPS = 50;

export class Ledger implements Recorder {
  readonly #clock: Clock;
  readonly #steps = new Map<PodUid, DatedStep[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  record(uid: PodUid, step: Step): void {
    const steps = this.#steps.get(uid) ?? [];
    this.#steps.set(uid, steps);
    const nowMs = this.#clock.nowMs();
    const index = steps.findIndex((known) =>
      known.reason === step.reason && known.container === step.container &&
      withoutIds(known.message) === withoutIds(step.message)
    );
    const known = steps[index];
    if (known === undefined) {
      steps.push({ ...step, firstAtMs: nowMs, lastAtMs: nowMs, count: 1 });
    } else {
      steps.splice(index, 1);
      const count = known.count + 1;
      steps.push({ ...known, ...step, lastAtMs: nowMs, count });
    }
    if (steps.length > MOST_STEPS) steps.shift();
  }

  stepsOf(uid: PodUid): readonly DatedStep[] {
    return this.#steps.get(uid) ?? [];
  }

  forget(uid: PodUid): void {
    this.#steps.delete(uid);
  }
}

/** Each try has ids of its own; the step is the same all the same. */
function withoutIds(message: string): string {
  return message.replace(/\b[0-9a-f]{12,64}\b/g, "…");
}
