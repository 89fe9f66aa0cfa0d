/**
 * What eviction measures, by the names that the configuration gives.
 * Compat: kubelet 1.36 eviction/api Signal.
 */
export const SIGNALS = [
  "memory.available",
  "allocatableMemory.available",
  "nodefs.available",
  "nodefs.inodesFree",
  "imagefs.available",
  "imagefs.inodesFree",
  "containerfs.available",
  "containerfs.inodesFree",
  "pid.available",
] as const;

export type Signal = typeof SIGNALS[number];
