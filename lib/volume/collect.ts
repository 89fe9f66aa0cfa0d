/** Finds what the files of a volume are made from, all sources side by side. */
import type { Clock } from "../base/clock.ts";
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import { Pace } from "../base/pace.ts";
import { namespaceOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import {
  contentOf,
  type Found,
  type ProjectedFile,
  type Steps,
} from "./content.ts";
import type { ObjectAsk, ObjectHold } from "../reference/types.ts";
import type { FilesVolume, ObjectSource, Source } from "./plan.ts";
import type { Tokens } from "./tokens.ts";

export interface CollectParts {
  readonly hold: ObjectHold;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly allocatable: ReadonlyMap<string, string>;
}

export interface CollectFor {
  readonly pod: V1Pod;
  readonly volume: FilesVolume;
  /** Ends this pod's waiting. */
  readonly signal: AbortSignal;
}

/** Rejects with the words of contentOf() when something is missing. */
export async function collect(
  parts: CollectParts,
  at: CollectFor,
): Promise<ReadonlyMap<string, ProjectedFile>> {
  const { pod, volume } = at;
  const { allocatable } = parts;
  const found = await Promise.all(
    volume.sources.map((source) => find(parts, at, source)),
  );
  const content = await inTurns(
    parts.clock,
    contentOf({ pod, volume, allocatable }, found),
  );
  if (content.kind === "ok") return content.files;
  throw new AgentError(content.message, { next: "retry" });
}

/** However much it is, nobody else waits for long. */
async function inTurns<T>(clock: Clock, steps: Steps<T>): Promise<T> {
  const pace = new Pace(clock);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await pace.step();
  }
}

async function find(
  { hold, tokens }: CollectParts,
  { pod, volume, signal }: CollectFor,
  source: Source,
): Promise<Found> {
  try {
    if (isObject(source)) {
      const object = await hold.get(askFor(pod, source), signal);
      return object === undefined
        ? { kind: "absent" }
        : { kind: "object", object };
    }
    if (source.kind !== "token") return { kind: "nothing-needed" };
    const ask = { pod, source, directory: volume.path };
    return { kind: "token", token: await tokens.get(ask, signal) };
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    const words = chainOf(error);
    const message = source.kind === "token"
      ? `failed to fetch token: ${words}`
      : words;
    return { kind: "failed", message };
  }
}

function isObject(source: Source): source is ObjectSource {
  return source.kind === "secret" || source.kind === "configmap";
}

/** Invariant: the namespace is the pod's, whatever the pod says. */
function askFor(pod: V1Pod, { kind, name }: ObjectSource): ObjectAsk {
  return { kind, namespace: namespaceOf(pod), name };
}
