/**
 * Keeps the agent's own process where it belongs, and how soon the kernel ends
 * it; and moves what is in no cgroup into that of the system, where one is
 * configured. Nothing in the kernel tells of processes that come into the
 * root, so it looks now and then. What the host refuses is said once.
 * Compat: kubelet 1.36 setupNode, ensureProcessInContainerWithOOMScore,
 * ensureSystemCgroups. The runtime's process is not moved since 1.24.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Cgroups } from "../port/cgroups.ts";
import type { OwnProcess } from "../port/processes.ts";

const ROOT = "/";
/** With and without a cgroup to keep. */
const PLACE_MS = 60_000;
const SCORE_MS = 5 * 60_000;
/** While others are moved, they may start more. */
const MOST_ROUNDS = 11;

export interface PlaceSettings {
  /** Of the agent; empty: it stays where it is. */
  readonly ownCgroup: string;
  /** For processes in none; empty: they stay there. */
  readonly systemCgroup: string;
  readonly oomScoreAdj: number;
}

export interface PlacePorts {
  readonly cgroups: Pick<Cgroups, "enter" | "processesIn">;
  readonly ownProcess: OwnProcess;
  readonly clock: Clock;
  readonly log: Logger;
}

export class PlaceLoop {
  readonly #ports: PlacePorts;
  readonly #settings: PlaceSettings;
  readonly #said = new Set<string>();
  #failures: readonly string[] = [];

  constructor(ports: PlacePorts, settings: PlaceSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  /** What of it did not work at the last look, in words. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, ownProcess } = this.#ports;
    const { ownCgroup, systemCgroup, oomScoreAdj } = this.#settings;
    const hasPlace = ownCgroup !== "" || systemCgroup !== "";
    // Compat: once also where it is not the host's; see below.
    this.#told([ownProcess.setOomScoreAdj(oomScoreAdj)]);
    for (;;) {
      this.#told([...await this.#own(signal), ...await this.#system(signal)]);
      await clock.sleep(hasPlace ? PLACE_MS : SCORE_MS, signal);
    }
  }

  async #own(signal: AbortSignal): Promise<(string | undefined)[]> {
    const { ownProcess } = this.#ports;
    const { ownCgroup, oomScoreAdj } = this.#settings;
    const isOfHost = ownProcess.isOfHost();
    if (typeof isOfHost === "string") return [isOfHost];
    if (!isOfHost) return [];
    return [
      ...ownCgroup === ""
        ? []
        : await this.#enter(ownCgroup, [ownProcess.pid], signal),
      ownProcess.setOomScoreAdj(oomScoreAdj),
    ];
  }

  async #system(signal: AbortSignal): Promise<string[]> {
    const { systemCgroup } = this.#settings;
    if (systemCgroup === "") return [];
    let failures: string[] = [];
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const pids = await this.#ports.cgroups.processesIn(ROOT);
      if (pids.length === 0) return [];
      failures = await this.#enter(systemCgroup, pids, signal);
    }
    return failures;
  }

  async #enter(
    cgroup: string,
    pids: readonly number[],
    signal: AbortSignal,
  ): Promise<string[]> {
    const path = cgroup.startsWith(ROOT) ? cgroup : ROOT + cgroup;
    const doing = `Cannot move processes into ${path}`;
    try {
      const faults = await this.#ports.cgroups.enter(path, pids);
      return faults.map(({ message }) => `${doing}: ${message}`);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return [`${doing}: ${chainOf(error)}`];
    }
  }

  #told(results: readonly (string | undefined)[]): void {
    this.#failures = [...new Set(results.filter((each) => each !== undefined))];
    for (const message of this.#failures) {
      if (this.#said.has(message)) continue;
      this.#said.add(message);
      this.#ports.log.warn("Cannot keep this process as configured", {
        message,
      });
    }
  }
}
