/**
 * The loop over the URL of manifests: asks for it once a period, never more
 * often. `run.ts` starts it and takes what it delivers.
 * Compat: kubelet 1.36 pkg/kubelet/config/http.go: 10 s for an answer, only
 * 200 is one, the same body is no news, an empty body wants no pods.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Http } from "../port/net.ts";
import { LONGEST_MANIFEST_BYTES } from "./text.ts";
import { manifestSteps } from "./manifest.ts";
import { delivered, type Delivery, type SourceState } from "./merge.ts";
import { inSlices } from "./slices.ts";
import type { Finding, Origin } from "./types.ts";

export interface UrlSourcePorts {
  readonly http: Http;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeName: string;
  readonly mayReference: boolean;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly periodMs: number;
  readonly deliver: (state: SourceState) => void;
}

const TIMEOUT_MS = 10_000;
const OK = 200;

export async function runUrlSource(
  ports: UrlSourcePorts,
  signal: AbortSignal,
): Promise<void> {
  const source = new UrlSource(ports);
  for (;;) {
    await source.ask(signal);
    await ports.clock.sleep(ports.periodMs, signal);
  }
}

class UrlSource {
  readonly #ports: UrlSourcePorts;
  readonly #origin: Origin;
  #body: Uint8Array | undefined;
  #delivery: Delivery | undefined;
  #isReady = false;

  constructor(ports: UrlSourcePorts) {
    this.#ports = ports;
    this.#origin = { kind: "url", location: ports.url };
  }

  /** Asks once and delivers, whatever the answer is. */
  async ask(signal: AbortSignal): Promise<void> {
    const { log, url } = this.#ports;
    try {
      const body = await this.#get(signal);
      if (this.#body === undefined || !isEqual(body, this.#body)) {
        await this.#take(body, signal);
      }
      this.#deliver([]);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (!(error instanceof AgentError)) throw error;
      // Nobody answering is no reason to stop anything.
      log.warn("Cannot read manifests", { url, error: chainOf(error) });
      const message = chainOf(error);
      this.#deliver([{ severity: "error", message }]);
    }
  }

  async #get(signal: AbortSignal): Promise<Uint8Array> {
    const { http, url, headers } = this.#ports;
    const request = {
      url,
      headers,
      timeoutMs: TIMEOUT_MS,
      limitBytes: LONGEST_MANIFEST_BYTES,
    };
    const { status, body } = await http.get(request, signal);
    if (status === OK) return body;
    throw new AgentError(`Cannot read ${url}: status ${status}, want ${OK}`, {
      next: "retry",
    });
  }

  async #take(body: Uint8Array, signal: AbortSignal): Promise<void> {
    const { clock, nodeName, mayReference, log, url } = this.#ports;
    const origin = this.#origin;
    if (body.length === 0) {
      const findings: Finding[] = [{
        severity: "warning",
        message: "zero-length data, so no pods are wanted",
      }];
      this.#delivery = { origin, pods: [], findings };
    } else {
      const steps = manifestSteps(body, { origin, nodeName, mayReference });
      const read = await inSlices(steps, clock, signal);
      const now = { origin, ...read };
      this.#delivery = delivered(this.#delivery, now, clock.nowMs());
    }
    this.#body = body;
    const { pods, findings } = this.#delivery;
    this.#isReady ||= pods.length > 0 || !hasError(findings);
    log.info("Read manifests", {
      url,
      pods: pods.length,
      problems: findings.length,
    });
  }

  #deliver(more: readonly Finding[]): void {
    const origin = this.#origin;
    const { pods, findings } = this.#delivery ??
      { origin, pods: [], findings: [] };
    this.#ports.deliver({
      kind: "url",
      isReady: this.#isReady,
      deliveries: [{ origin, pods, findings: [...findings, ...more] }],
    });
  }
}

function hasError(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === "error");
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.every((byte, index) => byte === other[index]);
}
