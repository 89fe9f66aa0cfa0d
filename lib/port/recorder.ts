/** Where steps of pods are told to. Recording never fails and never waits. */
import type { PodUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";

export interface Recorder {
  record(uid: PodUid, step: Step): void;
}
