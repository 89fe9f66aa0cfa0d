/**
 * Looks at the machine, the runtime and its images for the node's status, and
 * keeps what was seen last. Each look is bounded and none waits for another,
 * so a hung runtime or disk delays nothing but news of itself. The sole writer
 * of the `Observation`.
 */
import { Alarm } from "../base/alarm.ts";
import type { Reader, Writer } from "../base/cell.ts";
import type { Clock } from "../base/clock.ts";
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { within } from "../base/wait.ts";
import type { Images } from "../port/images.ts";
import type { Machine } from "../port/machine.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { canonicalIp, isUnspecified } from "./ip.ts";
import type { NodeSettings, Observation } from "./types.ts";

/** Compat: kubelet 1.36 refreshes its image list each 30 s. */
const LOOK_MS = 30_000;
const RETRY_MS = 5_000;
const LOOK_LIMIT_MS = 10_000;
const LOOKUP_LIMIT_MS = 2_000;
const LOOKUP_EVERY_MS = 5 * 60_000;

export interface ObserverPorts {
  readonly machine: Machine;
  readonly runtime: Pick<ContainerRuntime, "status" | "version">;
  readonly images: Pick<Images, "list">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Only that it changes matters here. */
  readonly health: Reader<unknown>;
  readonly seen: Writer<Observation>;
  /** Something was seen; the status should be computed. */
  readonly changed: () => void;
}

type ObserverSettings = Pick<
  NodeSettings,
  "nodeName" | "nodeIps" | "isCloudExternal" | "rootDir"
>;

export class NodeObserver {
  readonly #ports: ObserverPorts;
  readonly #settings: ObserverSettings;
  readonly #alarm = new Alarm();
  readonly #failing = new Set<string>();
  #lookedUpAtMs: number | undefined;

  constructor(ports: ObserverPorts, settings: ObserverSettings) {
    this.#ports = ports;
    this.#settings = settings;
  }

  /** Look again soon: an image came or went, the machine changed. */
  wake(): void {
    this.#alarm.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#loop(signal), this.#followHealth(signal)]);
  }

  async #loop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#look(signal);
      const { clock, seen } = this.#ports;
      const { machine, runtimeSilentSinceMs } = seen.get();
      const isUrgent = machine === undefined ||
        runtimeSilentSinceMs !== undefined;
      const waitMs = isUrgent ? RETRY_MS : LOOK_MS;
      await this.#alarm.wait(clock, waitMs, signal);
    }
  }

  async #followHealth(signal: AbortSignal): Promise<void> {
    for await (const _ of this.#ports.health.changes(signal)) this.wake();
    signal.throwIfAborted();
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { machine, images } = this.#ports;
    await Promise.all([
      this.#part("machine", signal, async () => ({
        machine: await machine.facts(),
      })),
      this.#part("network", signal, async () => ({
        network: await machine.network(),
      })),
      this.#part("root directory", signal, async () => ({
        rootBytes: await machine.filesystemBytes(this.#settings.rootDir),
      })),
      this.#part("node name", signal, (each) => this.#lookup(each)),
      this.#part("images", signal, async (each) => ({
        images: await images.list(each),
      })),
      this.#runtime(signal),
    ]);
    signal.throwIfAborted();
  }

  async #runtime(signal: AbortSignal): Promise<void> {
    const { clock, runtime, seen } = this.#ports;
    const askedAtMs = clock.monotonicMs();
    const hasAnswered = await this.#part("runtime", signal, async (each) => {
      const [runtimeStatus, runtimeVersion] = await Promise.all([
        runtime.status(each),
        runtime.version(each),
      ]);
      return {
        runtimeStatus,
        runtimeVersion,
        runtimeSilentSinceMs: undefined,
      };
    });
    if (hasAnswered || signal.aborted) return;
    const runtimeSilentSinceMs = seen.get().runtimeSilentSinceMs ?? askedAtMs;
    this.#publish({ runtimeSilentSinceMs });
  }

  /** Only asks when the answer could matter; keeps the last one otherwise. */
  async #lookup(signal: AbortSignal): Promise<Partial<Observation>> {
    const { nodeName, nodeIps, isCloudExternal } = this.#settings;
    const isChosen = nodeIps.some((ip) => !isUnspecified(ip)) ||
      canonicalIp(nodeName) !== undefined ||
      isCloudExternal && nodeIps.length === 0;
    const nowMs = this.#ports.clock.monotonicMs();
    const isFresh = nowMs - (this.#lookedUpAtMs ?? -Infinity) < LOOKUP_EVERY_MS;
    const last = this.#ports.seen.get().resolved;
    if (isChosen) return last === undefined ? { resolved: [] } : {};
    if (isFresh) return {};
    this.#lookedUpAtMs = nowMs;
    const limit = { clock: this.#ports.clock, ms: LOOKUP_LIMIT_MS, signal };
    const resolved = await within(
      limit,
      (each) => this.#ports.machine.lookup(nodeName, each),
    ).catch(() => []);
    // A resolver that is away for a moment must not move the node.
    return { resolved: resolved.length === 0 ? last ?? [] : resolved };
  }

  /** One part of the look; a failure is logged once and changes nothing. */
  async #part(
    name: string,
    signal: AbortSignal,
    look: (signal: AbortSignal) => Promise<Partial<Observation>>,
  ): Promise<boolean> {
    const { clock, log } = this.#ports;
    try {
      const limit = { clock, ms: LOOK_LIMIT_MS, signal };
      this.#publish(await within(limit, look));
      this.#failing.delete(name);
      return true;
    } catch (error) {
      if (signal.aborted || this.#failing.has(name)) return false;
      this.#failing.add(name);
      log.warn("Cannot see a part of the node", {
        part: name,
        error: chainOf(error),
      });
      return false;
    }
  }

  #publish(part: Partial<Observation>): void {
    const { seen, changed } = this.#ports;
    if (Object.keys(part).length === 0) return;
    seen.set({ ...seen.get(), ...part });
    changed();
  }
}
