/** For whom a pass acts, handed to every action. */
import type { PodUid } from "../api/id.ts";
import type { Made } from "./observe.ts";

/** Whose action it is, and where what it makes is noted. */
export interface ApplyPlace {
  readonly uid: PodUid;
  /** A newer order came, or the agent ends. */
  readonly signal: AbortSignal;
  /**
   * The agent ends. For calls that are short and must not be broken off: the
   * runtime would say of a container that it could not be started.
   * Compat: kubelet 1.36 SyncPod, which no new order breaks off.
   */
  readonly life: AbortSignal;
  /** Noted as soon as the runtime has it, whatever fails afterwards. */
  readonly made: Made;
}
