/** Containers frozen into files, for those who look into them later. */
import type { ContainerId } from "../api/id.ts";

export interface Checkpoints {
  /**
   * Writes the running container to the archive `location`; it goes on
   * afterwards. `timeoutSeconds` 0: the ordinary deadline. Rejects as the calls
   * of `ContainerRuntime` do.
   */
  checkpoint(
    request: {
      readonly id: ContainerId;
      readonly location: string;
      readonly timeoutSeconds: number;
    },
    signal: AbortSignal,
  ): Promise<void>;
}
