/** An `OwnProcess` that a test places and restrains. */
import type { OwnProcess } from "../../lib/port/processes.ts";

export class FakeOwnProcess implements OwnProcess {
  readonly pid = 4242;
  isHere: boolean | string = true;
  oomScoreAdj = 0;
  /** The lowest score that the kernel allows. */
  leastScore = -1000;

  isOfHost(): boolean | string {
    return this.isHere;
  }

  setOomScoreAdj(score: number): string | undefined {
    if (score < this.leastScore) return "permission denied";
    this.oomScoreAdj = score;
    return undefined;
  }
}
