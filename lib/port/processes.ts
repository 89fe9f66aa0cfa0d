/** What the inside may do to the very process it runs in. */
export interface OwnProcess {
  readonly pid: number;
  /**
   * False for an agent in a container with processes of its own, whose place
   * is somebody else's affair; or, in words, why nobody knows.
   */
  isOfHost(): boolean | string;
  /**
   * How soon the kernel ends it when memory is out, from -1000 (never) to
   * 1000. Undefined when it is so now; else, in words, why it cannot be.
   */
  setOomScoreAdj(score: number): string | undefined;
}
