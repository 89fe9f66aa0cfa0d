/** The words of a volume that is not ready, as upstream's events say them. */
import { chainOf } from "../base/errors.ts";

/** A failure of another step than the usual one, or of another name. */
export class StepFailure extends Error {
  /** All that people shall read. */
  readonly words: string;
  /** Of the event. */
  readonly reason: FailureReason;

  constructor(
    words: string,
    cause: unknown,
    reason: FailureReason = "FailedMount",
  ) {
    super(words, { cause });
    this.words = words;
    this.reason = reason;
  }
}

export type FailureReason = "FailedMount" | "FailedMapVolume";

/** Compat: kubelet 1.36 GenerateError of a volume to mount. */
export function stepFailure(
  step: string,
  volume: string,
  cause: unknown,
): StepFailure {
  const words = `${step} for volume "${volume}" : ${chainOf(cause)}`;
  const isMap = step.startsWith("MapVolume");
  return new StepFailure(words, cause, isMap ? "FailedMapVolume" : undefined);
}

/**
 * What is behind a claim cannot be told.
 * Compat: kubelet 1.36 WaitForAttachAndMount, without its two minutes.
 */
export function unknownVolume(volume: string, cause: unknown): StepFailure {
  const words = `Unable to attach or mount volumes: unmounted volumes=[` +
    `${volume}], unattached volumes=[], failed to process volumes=[` +
    `${volume}]: ${chainOf(cause)}`;
  return new StepFailure(words, cause);
}

/** One volume of a pod that is not ready. */
export interface Failure {
  readonly volume: { readonly name: string };
  readonly error: unknown;
}

export function failureOf({ volume, error }: Failure): StepFailure {
  return error instanceof StepFailure
    ? error
    : stepFailure("MountVolume.SetUp failed", volume.name, error);
}
