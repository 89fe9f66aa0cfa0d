/**
 * Keeps the cgroups above the pods as they should be: on changes, soon after
 * one another at most, and by an audit that also looks at the pods' own. Makes
 * those above; those of pods are theirs to make and to remove. Nothing outside
 * of that tree is ever touched.
 * Compat: kubelet 1.36 enforceNodeAllocatableCgroups, UpdateCgroups.
 */
import { Alarm } from "../base/alarm.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Cgroups, CgroupValues } from "../port/host.ts";
import type { NodeRecorder } from "./types.ts";

/** Compat: kubelet 1.36 periodicQOSCgroupUpdateInterval. */
const AUDIT_MS = 60_000;
/** Changes that come together are one. */
const SETTLE_MS = 1_000;

export interface WantedCgroup {
  readonly path: string;
  readonly values: CgroupValues;
}

/** The tree as it should be now. */
export interface WantedCgroups {
  /** Above all pods, and its name in events. */
  readonly top: WantedCgroup & { readonly name: string };
  /** Above the pods of a class. */
  readonly classes: readonly WantedCgroup[];
  /** Those that exist get their values, also after an upgrade. */
  readonly pods: readonly WantedCgroup[];
}

export interface CgroupLoopPorts {
  readonly cgroups: Pick<Cgroups, "apply">;
  readonly recorder: NodeRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined: not known yet; there will be a wake. */
  readonly wanted: () => Promise<WantedCgroups | undefined>;
}

export class CgroupLoop {
  readonly #ports: CgroupLoopPorts;
  readonly #alarm = new Alarm();
  /** What has its values, as text. The audit does not believe it. */
  #done = new Map<string, string>();
  #audited = -Infinity;
  #said = "";

  constructor(ports: CgroupLoopPorts) {
    this.#ports = ports;
  }

  /** Pods came or went, or the runtime said which driver it has. */
  wake(): void {
    this.#alarm.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#ports;
    for (;;) {
      try {
        await this.#turn(signal);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        log.warn("Cannot keep the cgroups of pods", { error: chainOf(error) });
      }
      await clock.sleep(SETTLE_MS, signal);
      await this.#alarm.wait(clock, AUDIT_MS - SETTLE_MS, signal);
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { clock, wanted } = this.#ports;
    const now = await wanted();
    if (now === undefined) return;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#audited >= AUDIT_MS) {
      this.#audited = nowMs;
      this.#done.clear();
    }
    await this.#top(now.top);
    for (const each of now.classes) await this.#set(each, "make");
    for (const each of now.pods) {
      signal.throwIfAborted();
      await this.#set(each, "leave");
    }
    this.#forget(now);
  }

  async #top({ name, ...top }: WantedCgroups["top"]): Promise<void> {
    const failure = await this.#set(top, "make");
    if (failure === "unchanged") return;
    const message = failure === ""
      ? "Updated Node Allocatable limit across pods"
      : `Failed to update Node Allocatable Limits ${name}: ${failure}`;
    // The same again each minute would tell nothing.
    if (message === this.#said) return;
    this.#said = message;
    this.#ports.recorder.record(
      failure === ""
        ? { type: "Normal", reason: "NodeAllocatableEnforced", message }
        : {
          type: "Warning",
          reason: "FailedNodeAllocatableEnforcement",
          message,
        },
    );
  }

  /** What went wrong, in words; empty: nothing. */
  async #set(
    { path, values }: WantedCgroup,
    ifMissing: "make" | "leave",
  ): Promise<string> {
    const text = textOf(values);
    if (this.#done.get(path) === text) return "unchanged";
    const { cgroups, log } = this.#ports;
    try {
      const faults = await cgroups.apply(path, values, ifMissing);
      if (faults.length === 0) this.#done.set(path, text);
      return faults.map(({ message }) => message).join(", ");
    } catch (error) {
      const words = chainOf(error);
      log.warn("Cannot set what a cgroup may use", { path, error: words });
      return words;
    }
  }

  #forget({ top, classes, pods }: WantedCgroups): void {
    const known = new Set(
      [top, ...classes, ...pods].map(({ path }) => path),
    );
    for (const path of this.#done.keys()) {
      if (!known.has(path)) this.#done.delete(path);
    }
  }
}

function textOf({ hugePageLimits, ...values }: CgroupValues): string {
  const pages = [...hugePageLimits ?? []].map((pair) => pair.join("="));
  const rest = Object.entries(values).map((pair) => pair.join("="));
  return [...rest, ...pages].join(" ");
}
