/**
 * Turns changes of the node into events, each told once however often the
 * status is computed or sent. Remembers the conditions as last computed.
 */
import type { Step } from "../api/step.ts";
import { conditionSteps, latest, statusStep } from "./conditions.ts";
import type { KnownNode, NodeCondition, NodeRecorder } from "./types.ts";

export class Announcer {
  readonly #recorder: NodeRecorder;
  readonly #nodeName: string;
  #pending: readonly NodeCondition[] = [];
  #bootId: string | undefined;
  #wasUnschedulable = false;

  constructor(recorder: NodeRecorder, nodeName: string) {
    this.#recorder = recorder;
    this.#nodeName = nodeName;
  }

  /** Conditions as last computed, sent or not. */
  get pending(): readonly NodeCondition[] {
    return this.#pending;
  }

  started(): void {
    this.#recorder.record({
      type: "Normal",
      reason: "Starting",
      message: "Starting kubelet.",
    });
  }

  /** `known` are the conditions in the API, none for a new node. */
  conditions(
    known: readonly NodeCondition[],
    after: readonly NodeCondition[],
  ): void {
    const before = latest({ known, pending: this.#pending });
    this.#record(conditionSteps(this.#nodeName, before, after));
    this.#pending = after;
  }

  /** What the API and the machine say besides conditions. */
  node(known: KnownNode, bootId: string | undefined): void {
    this.#reboot(known, bootId);
    if (known.isUnschedulable === this.#wasUnschedulable) return;
    this.#wasUnschedulable = known.isUnschedulable;
    const reason = known.isUnschedulable
      ? "NodeNotSchedulable"
      : "NodeSchedulable";
    this.#record([statusStep(this.#nodeName, reason)]);
  }

  #reboot(known: KnownNode, bootId: string | undefined): void {
    const isFirst = this.#bootId === undefined && bootId !== undefined;
    this.#bootId ??= bootId;
    if (!isFirst || known.bootId === "" || known.bootId === bootId) return;
    this.#record([{
      type: "Warning",
      reason: "Rebooted",
      message: `Node ${this.#nodeName} has been rebooted, boot id: ${bootId}`,
    }]);
  }

  #record(steps: readonly Step[]): void {
    for (const step of steps) this.#recorder.record(step);
  }
}
