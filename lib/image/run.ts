/**
 * Makes sure that the image of a container's next start is there: looks,
 * pulls, backs off, and wakes the pod when something is known. The sole writer
 * of the image states; the pod core only reads them and asks.
 */
import { afterFailure, type Backoff, dueAtMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { PodUid } from "../api/id.ts";
import type { Image, Images } from "../port/images.ts";
import type { Recorder } from "../port/recorder.ts";
import { pullDecision, withTag } from "./policy.ts";
import { TokenBucket } from "../base/token_bucket.ts";
import type { ImageProgress, ImageState, PullPolicy } from "./types.ts";

/** Compat: kubelet 1.36 image pull back-off. */
const BACKOFF = { initialMs: 10_000, maxMs: 300_000, forgetAfterMs: 600_000 };

export interface ImageRequest {
  readonly uid: PodUid;
  readonly container: string;
  readonly image: string;
  readonly policy: PullPolicy;
}

export interface ImageOptions {
  /** How many pulls run side by side; Infinity: no bound. */
  readonly parallelPulls: number;
  /** Pulls a second, and how many at once after a quiet time; 0: no bound. */
  readonly pullsPerSecond: number;
  readonly burst: number;
}

interface Ports {
  readonly images: Images;
  readonly clock: Clock;
  readonly recorder: Recorder;
  /** Asks for a pass of the pod, as long as `isNews` says it is one. */
  readonly hint: (uid: PodUid, isNews: () => boolean) => void;
}

export class ImageRunner {
  readonly #ports: Ports;
  readonly #slots: Semaphore;
  readonly #bucket: TokenBucket;
  readonly #states = new Map<PodUid, Map<string, ImageState>>();
  readonly #backoffs = new Map<string, Backoff & { count: number }>();
  readonly #pulls = new Map<string, Promise<string>>();
  readonly #asked = Promise.withResolvers<AbortSignal>();

  constructor(ports: Ports, options: ImageOptions) {
    this.#ports = ports;
    this.#slots = new Semaphore(options.parallelPulls);
    this.#bucket = new TokenBucket(options.pullsPerSecond, options.burst);
  }

  /** Lets requests run until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    this.#asked.resolve(signal);
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
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
    this.#asked.promise.then((signal) => this.#ensure(request, signal));
  }

  /** The start took the image; the next start asks again. */
  consume(uid: PodUid, container: string): void {
    this.#states.get(uid)?.delete(container);
  }

  /** The pod is gone. */
  forget(uid: PodUid): void {
    this.#states.delete(uid);
    for (const key of this.#backoffs.keys()) {
      if (key.startsWith(`${uid}_`)) this.#backoffs.delete(key);
    }
  }

  async #ensure(request: ImageRequest, signal: AbortSignal): Promise<void> {
    try {
      this.#set(request, await this.#find(request, signal));
    } catch (error) {
      if (isAbort(error, signal)) return;
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

  async #find(
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<ImageProgress> {
    const name = withTag(request.image);
    if (name === undefined) {
      throw new AgentError(
        `Failed to apply default image tag "${request.image}": ` +
          "couldn't parse image name: invalid reference format",
        { next: "give-up", reason: "InvalidImageName" },
      );
    }
    const found = await this.#look(name, signal);
    const decision = pullDecision(request.policy, found);
    if (decision === "refuse") {
      throw new AgentError(
        `Container image "${request.image}" is not present with pull policy ` +
          "of Never",
        { next: "give-up", reason: "ErrImageNeverPull" },
      );
    }
    if (decision === "use" && found !== undefined) {
      this.#say(request, {
        type: "Normal",
        reason: "Pulled",
        message: `Container image "${request.image}" already present on ` +
          "machine and can be accessed by the pod",
      });
      return present(found, found.id);
    }
    return await this.#pull(request, name, signal);
  }

  async #pull(
    request: ImageRequest,
    name: string,
    signal: AbortSignal,
  ): Promise<ImageProgress> {
    const askedAtMs = this.#ports.clock.monotonicMs();
    this.#set(request, { kind: "queued", sinceMs: this.#now() });
    const ref = await this.#slots.run(async () => {
      await this.#bucket.take(this.#ports.clock, signal);
      this.#set(request, { kind: "pulling", sinceMs: this.#now() });
      this.#hint(request);
      this.#say(request, {
        type: "Normal",
        reason: "Pulling",
        message: `Pulling image "${request.image}"`,
      });
      const startedAtMs = this.#ports.clock.monotonicMs();
      const pulled = await this.#pullOnce(name, signal);
      return { pulled, startedAtMs };
    }, signal);
    const image = await this.#look(name, signal);
    const nowMs = this.#ports.clock.monotonicMs();
    this.#say(request, {
      type: "Normal",
      reason: "Pulled",
      message: `Successfully pulled image "${request.image}" in ` +
        `${goDuration(nowMs - ref.startedAtMs)} ` +
        `(${goDuration(nowMs - askedAtMs)} including waiting). ` +
        `Image size: ${image?.sizeBytes ?? 0} bytes.`,
    });
    this.#backoffs.delete(backoffKey(request));
    return image === undefined
      ? { kind: "present", ref: ref.pulled, userName: "" }
      : present(image, ref.pulled);
  }

  /** Pods that ask for the same image at once share one pull. */
  #pullOnce(image: string, signal: AbortSignal): Promise<string> {
    const running = this.#pulls.get(image);
    if (running !== undefined) return running;
    const pull = this.#ports.images.pull(
      { image, runtimeHandler: "" },
      signal,
    ).finally(() => this.#pulls.delete(image));
    this.#pulls.set(image, pull);
    return pull;
  }

  #look(image: string, signal: AbortSignal): Promise<Image | undefined> {
    return this.#ports.images.status({ image, runtimeHandler: "" }, signal);
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
    const message = chainOf(error);
    this.#set(request, {
      kind: "failed",
      reason,
      message,
      count: after.count,
      failedAtMs: nowMs,
      retryAtMs: dueAtMs(after),
    });
    const isPull = reason !== "ErrImageNeverPull" &&
      reason !== "InvalidImageName";
    this.#say(request, {
      type: "Warning",
      reason: isPull
        ? "Failed"
        : reason === "InvalidImageName"
        ? "InspectFailed"
        : reason,
      message: isPull
        ? `Failed to pull image "${request.image}": ${message}`
        : message,
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

  #say(
    request: ImageRequest,
    step: {
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
    },
  ): void {
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

function backoffKey(request: ImageRequest): string {
  return `${request.uid}_${request.image}`;
}

function isUnderWay({ kind }: ImageState): boolean {
  return kind === "checking" || kind === "queued" || kind === "pulling";
}

function present(image: Image, ref: string): ImageProgress {
  return {
    kind: "present",
    ref,
    userName: image.userName,
    ...image.uid === undefined ? {} : { uid: image.uid },
  };
}

/** Go's way to print a duration below an hour: `12ms`, `1.203s`, `1m2.5s`. */
function goDuration(ms: number): string {
  const whole = Math.round(ms);
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = (whole - minutes * 60_000) / 1000;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
