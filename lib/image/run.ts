/**
 * Makes sure that the image of a container's next start is there: asks for it,
 * backs off, and wakes the pod when something is known. The sole writer of the
 * image states; the pod core only reads them and asks.
 */
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError, isAbort, toldOf } from "../base/errors.ts";
import type { PodUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import type { V1Pod } from "../api/types.ts";
import type { Images } from "../port/images.ts";
import type { SandboxSpec } from "../port/runtime_spec.ts";
import type { Recorder } from "../port/recorder.ts";
import { ensureImage, type EnsurePorts } from "./ensure.ts";
import type { PodCredentials } from "./pod_credentials.ts";
import type { QueueLimits } from "./pull_queue.ts";
import type { PullRecords } from "./pull_records.ts";
import { SharedPulls } from "./shared_pulls.ts";
import type { ImageProgress, ImageState, PullPolicy } from "./types.ts";

/** Compat: kubelet 1.36 image pull back-off. */
const BACKOFF = { initialMs: 10_000, maxMs: 300_000, forgetAfterMs: 600_000 };

export interface ImageRequest {
  readonly uid: PodUid;
  readonly container: string;
  readonly image: string;
  readonly policy: PullPolicy;
  /** For which it is pulled; absent: not known. */
  readonly sandbox?: SandboxSpec;
}

export interface ImagePorts {
  readonly images: Images;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly credentials: Pick<PodCredentials, "gather">;
  /** Undefined: any pod may use any image that is there. */
  readonly records: PullRecords | undefined;
  readonly meters?: NonNullable<EnsurePorts["meters"]>;
  /** As it is wanted now. */
  readonly podOf: (uid: PodUid) => V1Pod | undefined;
  /** Asks for a pass of the pod, as long as `isNews` says it is one. */
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
}

export class ImageRunner {
  readonly #ports: ImagePorts;
  readonly #ensure: EnsurePorts;
  readonly #states = new Map<PodUid, Map<string, ImageState>>();
  readonly #backoffs = new Map<string, Backoff & { count: number }>();
  /** Aborted when the pod goes. */
  readonly #stops = new Map<PodUid, AbortController>();
  readonly #asked = Promise.withResolvers<AbortSignal>();

  constructor(ports: ImagePorts, limits: QueueLimits) {
    this.#ports = ports;
    const pulls = new SharedPulls(ports.images, ports.clock, limits);
    this.#ensure = { ...ports, pulls };
  }

  /** Lets requests run until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#recover(signal);
    this.#asked.resolve(signal);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** What is known for one pod's containers, by container name. */
  statesOf(uid: PodUid): ReadonlyMap<string, ImageState> {
    return this.#states.get(uid) ?? new Map();
  }

  /** Asks; never waits. The pod is woken when the answer is there. */
  request(request: ImageRequest): void {
    const known = this.statesOf(request.uid).get(request.container);
    if (known?.image === request.image && isUnderWay(known)) return;
    this.#set(request, { kind: "checking", sinceMs: this.#now() });
    const stop = this.#stops.get(request.uid) ?? new AbortController();
    this.#stops.set(request.uid, stop);
    this.#asked.promise.then((signal) =>
      this.#find(request, AbortSignal.any([signal, stop.signal]))
    );
  }

  /** The start took the image; the next start asks again. */
  consume(uid: PodUid, container: string): void {
    this.#states.get(uid)?.delete(container);
  }

  /** The pod is gone; what only it waits for is ended. */
  forget(uid: PodUid): void {
    this.#stops.get(uid)?.abort(new DOMException("Pod is gone", "AbortError"));
    this.#stops.delete(uid);
    this.#states.delete(uid);
    for (const key of this.#backoffs.keys()) {
      if (key.startsWith(`${uid}_`)) this.#backoffs.delete(key);
    }
  }

  /** What an agent that died did not see the end of; the runtime must answer. */
  async #recover(signal: AbortSignal): Promise<void> {
    const { records, images, clock } = this.#ports;
    if (records === undefined) return;
    for (let delayMs = 100;; delayMs = Math.min(2 * delayMs, 5_000)) {
      try {
        return await records.recover(await images.list(signal));
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof AgentError)) throw error;
      }
      await clock.sleep(delayMs, signal).catch((error) => {
        if (!isAbort(error, signal)) throw error;
      });
    }
  }

  async #find(request: ImageRequest, signal: AbortSignal): Promise<void> {
    try {
      const progress = await ensureImage(this.#ensure, {
        image: request.image,
        policy: request.policy,
        sandbox: request.sandbox,
        pod: this.#ports.podOf(request.uid),
        say: (step) => this.#say(request, step),
        queued: () =>
          this.#set(request, { kind: "queued", sinceMs: this.#now() }),
        pulling: () => {
          this.#set(request, { kind: "pulling", sinceMs: this.#now() });
          this.#hint(request);
        },
      }, signal);
      if (signal.aborted) return;
      this.#backoffs.delete(backoffKey(request));
      this.#set(request, progress);
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(request, error);
    }
    this.#hint(request);
  }

  /** News until a pass has taken it, or something newer is known. */
  #hint({ uid, container }: ImageRequest): void {
    const told = this.statesOf(uid).get(container);
    this.#ports.hint(
      uid,
      () => told !== undefined && this.statesOf(uid).get(container) === told,
    );
  }

  #fail(request: ImageRequest, error: unknown): void {
    const nowMs = this.#now();
    const key = backoffKey(request);
    const before = this.#backoffs.get(key);
    const after = {
      ...afterFailure(before, nowMs, BACKOFF),
      count: (before?.count ?? 0) + 1,
    };
    this.#backoffs.set(key, after);
    const reason = error instanceof AgentError && error.reason !== undefined
      ? error.reason
      : "ErrImagePull";
    const message = toldOf(error);
    this.#set(request, {
      kind: "failed",
      reason,
      message,
      count: after.count,
      failedAtMs: nowMs,
      retryAtMs: dueAtMs(after),
    });
    this.#say(request, {
      type: "Warning",
      ...failureStep(request.image, { reason, message }),
    });
    this.#say(request, {
      type: "Warning",
      reason: "Failed",
      message: `Error: ${reason}`,
    });
  }

  /** Drops what is late: the container wants another image by now. */
  #set(request: ImageRequest, progress: ImageProgress): void {
    const { image } = request;
    const states = this.#states.get(request.uid) ?? new Map();
    const known = states.get(request.container);
    const isLate = progress.kind !== "checking" && known?.image !== image;
    if (isLate) return;
    states.set(request.container, { image, ...progress });
    this.#states.set(request.uid, states);
  }

  #say(request: ImageRequest, step: Omit<Step, "container">): void {
    // Compat: an image that is mounted as a volume is the pod's affair.
    const isVolume = request.container.startsWith("volume:");
    this.#ports.recorder.record(request.uid, {
      ...step,
      ...isVolume ? {} : { container: request.container },
    });
  }

  #now(): number {
    return this.#ports.clock.nowMs();
  }
}

/** The event that comes before `Error: <reason>`. */
function failureStep(
  image: string,
  { reason, message }: { readonly reason: string; readonly message: string },
): Pick<Step, "reason" | "message"> {
  switch (reason) {
    case "InvalidImageName":
    case "ImageInspectError":
      return { reason: "InspectFailed", message };
    case "ErrImageNeverPull":
      return { reason, message };
    default:
      return {
        reason: "Failed",
        message: `Failed to pull image "${image}": ${message}`,
      };
  }
}

function backoffKey(request: ImageRequest): string {
  return `${request.uid}_${request.image}`;
}

function isUnderWay({ kind }: ImageState): boolean {
  return kind === "checking" || kind === "queued" || kind === "pulling";
}
