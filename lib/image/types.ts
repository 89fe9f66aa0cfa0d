/** Types of the image runner that the pod core and the sync loop read. */

export type PullPolicy = "Always" | "IfNotPresent" | "Never";

/**
 * The image of one container's next start.
 *
 *   checking ──► pulling ──► present        (consumed by the start)
 *      │            └──────► failed ──► checking (after its back-off)
 *      └──► present | failed
 */
export type ImageState =
  & {
    /** As the pod names it; a state of another image tells nothing. */
    readonly image: string;
  }
  & ImageProgress;

export type ImageProgress =
  | { readonly kind: "checking"; readonly sinceMs: number }
  | { readonly kind: "queued"; readonly sinceMs: number }
  | { readonly kind: "pulling"; readonly sinceMs: number }
  | {
    readonly kind: "present";
    /** What the runtime is told to run. */
    readonly ref: string;
    /** Numeric user of the image, when it has one. */
    readonly uid?: bigint;
    readonly userName: string;
  }
  | {
    readonly kind: "failed";
    /** `ErrImagePull`, `ErrImageNeverPull`, `InvalidImageName`, … */
    readonly reason: string;
    readonly message: string;
    readonly count: number;
    readonly failedAtMs: number;
    readonly retryAtMs: number;
  };
