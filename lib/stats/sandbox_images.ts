/**
 * Which images sandboxes were made of: asked of the runtime once for each, and
 * kept while the pod is measured. Used by run.ts.
 */
import type { Clock } from "../base/clock.ts";
import { chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { within } from "../base/wait.ts";
import type { SandboxId } from "../api/id.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { MeasuredPod } from "./types.ts";

/** Figures do not wait longer for a runtime that does not answer. */
const PATIENCE_MS = 1_000;

interface Ports {
  readonly runtime: Pick<ContainerRuntime, "sandboxImage">;
  readonly clock: Clock;
  readonly log: Logger;
}

export class SandboxImages {
  readonly #ports: Ports;
  readonly #never = new AbortController().signal;
  #known: ReadonlyMap<SandboxId, string> = new Map();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Empty when it is not known. */
  of(id: SandboxId | undefined): string {
    return id === undefined ? "" : this.#known.get(id) ?? "";
  }

  /** What is not told this time is asked for the next time. */
  async learn(pods: readonly MeasuredPod[]): Promise<void> {
    const known = new Map<SandboxId, string>();
    const { clock, runtime, log } = this.#ports;
    const asks = pods.flatMap(({ sandbox: id }) => {
      const image = this.of(id);
      if (id === undefined) return [];
      if (image === "") return [id];
      known.set(id, image);
      return [];
    });
    this.#known = known;
    if (asks.length === 0) return;
    const limit = { clock, ms: PATIENCE_MS, signal: this.#never };
    try {
      await within(limit, (signal) =>
        Promise.all(asks.map(async (id) => {
          known.set(id, await runtime.sandboxImage(id, signal));
        })));
    } catch (error) {
      log.debug("Cannot learn the images of sandboxes", {
        error: chainOf(error),
      });
    }
  }
}
