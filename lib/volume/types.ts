/** Types of the volume runner that the pod core and the sync loop read. */

/** One volume as containers get it. */
export interface MountedVolume {
  /** On the host; of an image, empty. */
  readonly path: string;
  /** No container may write to it, whatever it asks for. */
  readonly isReadOnly: boolean;
  /** Its files may get the label of the pod. */
  readonly isRelabelled: boolean;
  /** A device: containers get it as such, and do not mount it. */
  readonly isDevice: boolean;
  /** What its own directories are named for; of a claim, another name. */
  readonly specName: string;
  /** A group that its users must be in; empty: none. */
  readonly group: string;
}

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
    /** By the same names. */
    readonly mounted: ReadonlyMap<string, MountedVolume>;
  }
  | {
    readonly kind: "failed";
    readonly reason: "FailedMount";
    readonly message: string;
    readonly count: number;
    readonly retryAtMs: number;
  };
