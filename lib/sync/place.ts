/** For whom a pass acts, handed to every action. */
import type { PodUid } from "../api/id.ts";
import type { Made } from "./observe.ts";

/** Whose action it is, and where what it makes is noted. */
export interface ApplyPlace {
  readonly uid: PodUid;
  readonly signal: AbortSignal;
  /** Noted as soon as the runtime has it, whatever fails afterwards. */
  readonly made: Made;
}
