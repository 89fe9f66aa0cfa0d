/**
 * Says of a pod that another one of its source has its name: an event, as the
 * pod itself will never be there to tell.
 * Compat: kubelet 1.36 filterInvalidPods, in its words.
 */
import { nameOf, podNameOf, uidOf } from "./api/pod.ts";
import type { Step } from "./api/step.ts";
import type { V1Pod } from "./api/types.ts";
import type { Reader } from "./base/cell.ts";
import type { Desired, Finding } from "./source/types.ts";

export interface DuplicatePorts {
  readonly desired: Reader<Desired>;
  readonly tell: (pod: V1Pod, step: Step) => void;
}

type Duplicate = NonNullable<Finding["duplicate"]>;

/** Until `signal` aborts; each is told once for as long as it is one. */
export async function followDuplicates(
  { desired, tell }: DuplicatePorts,
  signal: AbortSignal,
): Promise<void> {
  let told = new Set<string>();
  for await (const { problems } of desired.changes(signal)) {
    const now = new Set<string>();
    for (const { duplicate } of problems) {
      if (duplicate === undefined) continue;
      const uid = uidOf(duplicate.pod);
      now.add(uid);
      if (!told.has(uid)) tell(duplicate.pod, stepOf(duplicate));
    }
    told = now;
  }
}

function stepOf({ pod, kind }: Duplicate): Step {
  const { name, namespace, uid } = podNameOf(pod);
  const source = kind === "url" ? "http" : kind;
  return {
    type: "Warning",
    reason: "FailedValidation",
    message: `Error validating pod ${name}_${namespace}(${uid}) from ` +
      `${source} due to duplicate pod name "${nameOf(pod)}", ignoring`,
  };
}
