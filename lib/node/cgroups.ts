/**
 * Keeps the cgroups above the pods as they should be, and those of what is
 * reserved: on changes, soon after one another at most, and by an audit that
 * also looks at the pods' own. Makes those above; those of pods are theirs to
 * make and to remove, and those of what is reserved are the admin's. Nothing
 * else is ever touched.
 * Compat: kubelet 1.36 enforceNodeAllocatableCgroups, UpdateCgroups.
 */
import { Alarm } from "../base/alarm.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Cgroups, CgroupValues } from "../port/cgroups.ts";
import type { ReservedCgroup } from "./reserved.ts";
import type { NodeRecorder } from "./types.ts";

/** Compat: kubelet 1.36 periodicQOSCgroupUpdateInterval. */
const AUDIT_MS = 60_000;
/** Changes that come together are one. */
const SETTLE_MS = 1_000;
/** So that an event of why the agent ends is still told. */
const LAST_WORDS_MS = 2_000;

export interface WantedCgroup {
  readonly path: string;
  readonly values: CgroupValues;
}

interface NamedCgroup extends WantedCgroup {
  /** As events print it. */
  readonly name: string;
}

/** The tree as it should be now. */
export interface WantedCgroups {
  /** Above all pods; undefined: the root of everything, which has no limits. */
  readonly top: NamedCgroup | undefined;
  readonly reserved: readonly ReservedCgroup[];
  /** Above the pods of a class. */
  readonly classes: readonly WantedCgroup[];
  /** Those that exist get their values, also after an upgrade. */
  readonly pods: readonly WantedPod[];
}

interface WantedPod {
  readonly path: string;
  /**
   * Asked just before they are set: a pod that has been given something else
   * since then keeps it. Undefined: it is not to be touched now.
   */
  readonly values: () => CgroupValues | undefined;
}

export interface CgroupLoopPorts {
  readonly cgroups: Pick<Cgroups, "apply" | "lackOf">;
  readonly recorder: NodeRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined: not known yet; there will be a wake. */
  readonly wanted: () => Promise<WantedCgroups | undefined>;
  /** Why the agent must not begin here, if so; asked before the first turn. */
  readonly obstacle: (signal: AbortSignal) => Promise<string | undefined>;
}

export class CgroupLoop {
  readonly #ports: CgroupLoopPorts;
  readonly #alarm = new Alarm();
  /** What has its values, as text. The audit does not believe it. */
  #done = new Map<string, string>();
  /** Why what is not done is not, by what it is. */
  readonly #failing = new Map<string, string>();
  readonly #said = new Map<string, string>();
  #audited = -Infinity;
  #hasBegun = false;

  constructor(ports: CgroupLoopPorts) {
    this.#ports = ports;
  }

  /** What could not be set, in words; empty: all is as it should be. */
  get failures(): readonly string[] {
    return [...this.#failing.values()];
  }

  /** False while it is not known yet what is wanted. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Pods came or went, or the runtime said which driver it has. */
  wake(): void {
    this.#alarm.ring();
  }

  /** Rejects when the agent must not run with this configuration here. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    for (;;) {
      const refusal = await this.#tried(signal);
      if (refusal !== undefined) {
        await clock.sleep(LAST_WORDS_MS, signal);
        throw new AgentError(`Cannot start: ${refusal}`, { next: "give-up" });
      }
      await clock.sleep(SETTLE_MS, signal);
      await this.#alarm.wait(clock, AUDIT_MS - SETTLE_MS, signal);
    }
  }

  /** Why the agent cannot begin, if so. */
  async #tried(signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#turn(signal);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      const words = chainOf(error);
      this.#ports.log.warn("Cannot keep the cgroups of pods", { error: words });
      return undefined;
    }
  }

  async #turn(signal: AbortSignal): Promise<string | undefined> {
    const { clock, wanted } = this.#ports;
    const now = await wanted();
    if (now === undefined) return undefined;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#audited >= AUDIT_MS) {
      this.#audited = nowMs;
      this.#done.clear();
    }
    const obstacle = this.#hasBegun
      ? undefined
      : await this.#ports.obstacle(signal);
    if (obstacle !== undefined) return obstacle;
    if (now.top !== undefined) await this.#top(now.top);
    for (const each of now.classes) await this.#set(each, "make");
    for (const each of now.reserved) {
      const missing = await this.#reserve(each);
      if (missing !== undefined && !this.#hasBegun) return missing;
    }
    this.#hasBegun = true;
    for (const { path, ...pod } of now.pods) {
      signal.throwIfAborted();
      const values = pod.values();
      if (values !== undefined) await this.#set({ path, values }, "leave");
    }
    this.#forget(now);
    return undefined;
  }

  async #top({ name, ...top }: NamedCgroup): Promise<void> {
    const failure = await this.#set(top, "make");
    if (failure === "unchanged") return;
    this.#tell(
      top.path,
      failure === "" ? "done" : "failed",
      failure === ""
        ? "Updated Node Allocatable limit across pods"
        : `Failed to update Node Allocatable Limits ${name}: ${failure}`,
    );
  }

  /** What is told where the cgroup is not there at all; else undefined. */
  async #reserve(
    { owner, configured, title, name, wanted }: ReservedCgroup,
  ): Promise<string | undefined> {
    if (typeof wanted !== "string" && this.#isDone(wanted)) return undefined;
    const lack = typeof wanted === "string"
      ? wanted
      : await this.#lackOf(wanted.path, name);
    const failure = typeof wanted === "string" || lack !== ""
      ? lack
      : await this.#set(wanted, "leave");
    const key = `${title} ${configured}`;
    const message = failure === ""
      ? `Updated limits on ${owner} reserved cgroup ${configured}`
      : `Failed to enforce ${title} Cgroup Limits on ` +
        `${JSON.stringify(configured)}: ${failure}`;
    if (lack === "") this.#failing.delete(key);
    else this.#failing.set(key, message);
    this.#tell(key, failure === "" ? "done" : "failed", message);
    return lack === "" ? undefined : message;
  }

  async #lackOf(path: string, name: string): Promise<string> {
    const { paths, controllers } = await this.#ports.cgroups.lackOf(path);
    if (paths.length > 0) return missingPaths(name, paths);
    if (controllers.length === 0) return "";
    return `cgroup ${name} has some missing controllers: ` +
      controllers.join(", ");
  }

  /** The same again each minute would tell nothing. */
  #tell(key: string, how: "done" | "failed", message: string): void {
    if (message === this.#said.get(key)) return;
    this.#said.set(key, message);
    this.#ports.recorder.record(
      how === "done"
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
    if (this.#isDone({ path, values })) return "unchanged";
    const { cgroups, log } = this.#ports;
    try {
      const faults = await cgroups.apply(path, values, ifMissing);
      const words = faults.map(({ message }) => message).join(", ");
      if (faults.length === 0) {
        this.#done.set(path, textOf(values));
        this.#failing.delete(path);
      } else this.#failing.set(path, `${path}: ${words}`);
      return words;
    } catch (error) {
      const words = chainOf(error);
      this.#failing.set(path, words);
      log.warn("Cannot set what a cgroup may use", { path, error: words });
      return words;
    }
  }

  #isDone({ path, values }: WantedCgroup): boolean {
    return this.#done.get(path) === textOf(values);
  }

  #forget({ top, reserved, classes, pods }: WantedCgroups): void {
    const limited = reserved.flatMap(({ wanted }) =>
      typeof wanted === "string" ? [] : [wanted]
    );
    const all = [...top === undefined ? [] : [top], ...limited];
    const known = new Set(
      [...all, ...classes, ...pods].map(({ path }) => path),
    );
    for (const map of [this.#done, this.#failing]) {
      for (const key of map.keys()) {
        if (key.startsWith("/") && !known.has(key)) map.delete(key);
      }
    }
  }
}

/** As upstream says it. */
export function missingPaths(name: string, paths: readonly string[]): string {
  return `cgroup ${name} has some missing paths: ${paths.join(", ")}`;
}

function textOf({ hugePageLimits, ...values }: CgroupValues): string {
  const pages = [...hugePageLimits ?? []].map((pair) => pair.join("="));
  const rest = Object.entries(values).map((pair) => pair.join("="));
  return [...rest, ...pages].join(" ");
}
