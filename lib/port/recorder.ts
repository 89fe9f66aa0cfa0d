/** Where steps of pods are told to. Recording never fails and never waits. */
import type { PodUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import type { V1PersistentVolume } from "../api/types.ts";

export interface Recorder {
  record(uid: PodUid, step: Step): void;
}

/** Where steps of volumes that outlive pods are told to, likewise. */
export interface VolumeRecorder {
  record(volume: V1PersistentVolume, step: Step): void;
}
