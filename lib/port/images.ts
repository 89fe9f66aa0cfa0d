/**
 * What the inside needs from an image store. Same general contract as
 * `port/runtime.ts`; checked by `tests/contract/images_contract.ts`.
 */
import type { SandboxSpec } from "./runtime_spec.ts";
import type { FilesystemUsage } from "./runtime_status.ts";

export interface Image {
  /** Local id, `sha256:…`. */
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: bigint;
  readonly isPinned: boolean;
  /** Numeric user of the image config, when it has one. */
  readonly uid?: bigint;
  /** User name of the image config, empty when none. */
  readonly userName: string;
}

export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly auth: string;
  readonly serverAddress: string;
  readonly identityToken: string;
  readonly registryToken: string;
}

/** An image, and what the runtime is told of who asks. */
export interface ImageAsk {
  readonly image: string;
  /** Of the pod; absent: nobody's. */
  readonly annotations?: ReadonlyMap<string, string>;
  readonly runtimeHandler: string;
}

export interface PullRequest extends ImageAsk {
  readonly auth?: RegistryAuth;
  readonly sandbox?: SandboxSpec;
}

export interface Images {
  list(signal: AbortSignal): Promise<readonly Image[]>;
  /** Undefined when the image is absent. */
  status(request: ImageAsk, signal: AbortSignal): Promise<Image | undefined>;
  /**
   * Pulls and returns the reference to run. The deadline is one without
   * progress, not one on the whole pull. Rejects with `reason` one of
   * `ErrImagePull`, `InvalidImageName`, `RegistryUnavailable`,
   * `SignatureValidationFailed`.
   */
  pull(request: PullRequest, signal: AbortSignal): Promise<string>;
  /** Gone already is success. */
  remove(image: string, signal: AbortSignal): Promise<void>;
  /** Use of the file systems that hold images and writable layers. */
  usage(signal: AbortSignal): Promise<{
    readonly images: readonly FilesystemUsage[];
    readonly containers: readonly FilesystemUsage[];
  }>;
}
