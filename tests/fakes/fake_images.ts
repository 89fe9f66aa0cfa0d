/**
 * An in-memory image store with a registry behind it; keeps the promises of
 * `port/images.ts`. Tests act on `world`: publish an image, let pulls fail.
 */
import type { Clock } from "../../lib/base/clock.ts";
import { AgentError } from "../../lib/base/errors.ts";
import type { Image, Images, PullRequest } from "../../lib/port/images.ts";
import type { FilesystemUsage } from "../../lib/port/runtime_status.ts";

export interface PullFailure {
  readonly reason:
    | "ErrImagePull"
    | "RegistryUnavailable"
    | "SignatureValidationFailed";
  readonly message: string;
}

export class FakeImagesWorld {
  /** What the registry has, by name. */
  readonly published = new Map<string, Image>();
  /** What the node has, by id. */
  readonly present = new Map<string, Image>();
  /** Names whose pull fails, although they may be published. */
  readonly failures = new Map<string, PullFailure>();
  /** Names whose pull needs this password. */
  readonly passwords = new Map<string, string>();
  pullTakesMs = 0;
  /** How long each other call takes. */
  latencyMs = 0;
  isDown = false;

  /** Puts an image into the registry; it is not on the node yet. */
  publish(name: string, own: Partial<Image> = {}): Image {
    const image: Image = {
      id: `sha256:${hexOf(name)}`,
      tags: [name],
      digests: [],
      sizeBytes: 1_000_000n,
      isPinned: false,
      userName: "",
      ...own,
    };
    this.published.set(name, image);
    return image;
  }

  /** Puts an image onto the node, as if pulled earlier. */
  place(name: string, own: Partial<Image> = {}): Image {
    const image = this.publish(name, own);
    this.present.set(image.id, image);
    return image;
  }

  /** The image on the node with this id, tag or digest. */
  find(name: string): Image | undefined {
    return [...this.present.values()].find((image) =>
      image.id === name || image.tags.includes(name) ||
      image.digests.includes(name)
    );
  }
}

export class FakeImages implements Images {
  readonly world = new FakeImagesWorld();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async list(signal: AbortSignal): Promise<readonly Image[]> {
    await this.#arrive(this.world.latencyMs, signal);
    return [...this.world.present.values()];
  }

  async status(
    request: { readonly image: string; readonly runtimeHandler: string },
    signal: AbortSignal,
  ): Promise<Image | undefined> {
    await this.#arrive(this.world.latencyMs, signal);
    return this.world.find(request.image);
  }

  async pull(request: PullRequest, signal: AbortSignal): Promise<string> {
    await this.#arrive(this.world.pullTakesMs, signal);
    const { image: name, auth } = request;
    const failure = this.world.failures.get(name);
    if (failure !== undefined) throw pullError(name, failure);
    const image = this.world.published.get(name);
    if (image === undefined) {
      throw pullError(name, { reason: "ErrImagePull", message: "not found" });
    }
    const password = this.world.passwords.get(name);
    if (password !== undefined && auth?.password !== password) {
      throw pullError(name, {
        reason: "ErrImagePull",
        message: "authorization failed",
      });
    }
    this.world.present.set(image.id, image);
    return image.id;
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#arrive(this.world.latencyMs, signal);
    const image = this.world.find(name);
    if (image !== undefined) this.world.present.delete(image.id);
  }

  async usage(signal: AbortSignal): Promise<{
    readonly images: readonly FilesystemUsage[];
    readonly containers: readonly FilesystemUsage[];
  }> {
    await this.#arrive(this.world.latencyMs, signal);
    const images = [...this.world.present.values()];
    const usage: FilesystemUsage = {
      atMs: this.#clock.nowMs(),
      mountpoint: "/var/lib/fake",
      usedBytes: images.reduce((sum, image) => sum + image.sizeBytes, 0n),
      inodesUsed: BigInt(images.length),
    };
    return { images: [usage], containers: [] };
  }

  async #arrive(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (ms > 0) await this.#clock.sleep(ms, signal);
    else await Promise.resolve();
    signal.throwIfAborted();
    if (this.world.isDown) {
      throw new AgentError("Cannot reach the image store: it is down", {
        next: "retry",
      });
    }
  }
}

function pullError(name: string, failure: PullFailure): AgentError {
  return new AgentError(`Cannot pull image ${name}: ${failure.message}`, {
    next: "retry",
    reason: failure.reason,
  });
}

/** Not a digest, but as long as one and different for different names. */
function hexOf(text: string): string {
  const sum = [...new TextEncoder().encode(text)]
    .reduce((hash, byte) => (hash * 257n + BigInt(byte)) % 2n ** 256n, 1n);
  return sum.toString(16).padStart(64, "0");
}
