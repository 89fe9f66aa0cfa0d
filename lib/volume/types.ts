/** Types of the volume runner that the pod core and the sync loop read. */

/**
 * The volumes of one pod, all together.
 *
 *   preparing ──► ready
 *      ▲ └──────► failed
 *      └─────────────┘ (asked again, after its back-off)
 */
export type VolumeState =
  | { readonly kind: "preparing"; readonly sinceMs: number }
  | {
    readonly kind: "ready";
    /** Volume name → host path to mount. */
    readonly paths: ReadonlyMap<string, string>;
  }
  | {
    readonly kind: "failed";
    readonly reason: "FailedMount";
    readonly message: string;
    readonly count: number;
    readonly retryAtMs: number;
  };
