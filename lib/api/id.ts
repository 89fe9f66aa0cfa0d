/**
 * Identifiers as branded strings, so that a pod uid is never passed where a
 * container id is meant. The functions here are the only place that brands.
 */

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

/** A pod's `metadata.uid`. */
export type PodUid = Brand<"PodUid">;
/** The runtime's id of a pod sandbox, without scheme. */
export type SandboxId = Brand<"SandboxId">;
/** The runtime's id of a container, without scheme. */
export type ContainerId = Brand<"ContainerId">;

export const podUid = (text: string): PodUid => text as PodUid;
export const sandboxId = (text: string): SandboxId => text as SandboxId;
export const containerId = (text: string): ContainerId => text as ContainerId;
