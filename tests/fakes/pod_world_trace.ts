/** What happened to sandboxes and containers, dated, in words. */
import type { Clock } from "../../lib/base/clock.ts";
import type { RuntimeEvent } from "../../lib/port/runtime.ts";
import type { FakeRuntimeWorld } from "./fake_runtime_world.ts";

/** What static pods of the node `node-1` have behind their names. */
const NODE = "-node-1";

export class PodTrace {
  readonly #world: FakeRuntimeWorld;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #names = new Map<string, string>();
  #lines: string[] = [];

  constructor(world: FakeRuntimeWorld, clock: Clock) {
    this.#world = world;
    this.#clock = clock;
    this.#startMs = clock.nowMs();
    world.listen((event) => {
      if (event !== "down") this.#note(event);
    });
    world.resized = ({ id, resources }) => {
      const { cpuShares, cpuQuotaUs, memoryLimitBytes } = resources;
      this.say(
        `${this.#nameOf(id)} has shares ${cpuShares}, quota ${cpuQuotaUs}, ` +
          `memory ${memoryLimitBytes}`,
      );
    };
  }

  /** Adds a line of one's own. */
  say(words: string): void {
    this.#lines.push(`${this.at(this.#clock.nowMs()).padEnd(6)} ${words}`);
  }

  /** The lines since the last time. */
  take(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** A moment as the time since the story began. */
  at(ms: number): string {
    return durationText(ms - this.#startMs);
  }

  #note({ id, kind }: RuntimeEvent): void {
    const name = this.#nameOf(id);
    const container = [...this.#world.containers.values()]
      .find((each) => each.id === id);
    if (kind === "started") this.say(`${name} started`);
    if (kind === "deleted") this.say(`${name} removed`);
    if (kind === "stopped") {
      this.say(
        container === undefined
          ? `${name} stopped`
          : `${name} ended with ${container.exitCode}`,
      );
    }
  }

  /** Also of what is gone by now. */
  #nameOf(id: string): string {
    for (const { id: known, spec } of this.#world.sandboxes.values()) {
      const name = `${shortName(spec.podName)} sandbox #${spec.attempt}`;
      this.#names.set(known, name);
    }
    for (
      const { id: known, spec, sandbox } of this.#world.containers.values()
    ) {
      const pod = shortName(sandbox.spec.podName);
      this.#names.set(known, `${pod}/${spec.name} #${spec.attempt}`);
    }
    return this.#names.get(id) ?? id;
  }
}

export function shortName(podName: string): string {
  return podName.endsWith(NODE) ? podName.slice(0, -NODE.length) : podName;
}

export function fullName(name: string): string {
  return `${name}${NODE}`;
}

/** `0s`, `1.2s`, `1m10s`, `5m` */
export function durationText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = (ms - minutes * 60_000) / 1000;
  if (minutes === 0) return `${seconds}s`;
  return seconds === 0 ? `${minutes}m` : `${minutes}m${seconds}s`;
}
