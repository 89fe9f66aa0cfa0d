/**
 * One dated step of a pod's life, in the terms of a Kubernetes event. Reasons
 * and messages are contract (shared tools read them).
 */
export interface Step {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** Absent: the step concerns the whole pod. */
  readonly container?: string;
  /** What the node is told to have at the same time; absent: nothing. */
  readonly ofNode?: string;
  /** Of the event, for programs that read it. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A step as remembered: the same thing again only raises the count. */
export interface DatedStep extends Step {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly count: number;
}
