/**
 * What holds a container back that has ended: its crash delay, and the words
 * for it. What was made from another image or other resources has a clean
 * slate. Compat: kubelet 1.36 GetBackoffKey.
 */
import { containerHash } from "../api/hash.ts";
import { podNameOf } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import type { Blocker } from "./action.ts";
import { type Facts, instancesOf, type ObservedContainer } from "./facts.ts";
import { remembered, resourcesText } from "./labels.ts";
import {
  probeRestartDelay,
  type RestartDelay,
  restartDelay,
} from "./restart.ts";

/** True when the container's image is another by now. */
export function isChanged(
  { annotations }: ObservedContainer,
  { name, image = "" }: V1Container,
): boolean {
  return remembered(annotations).hash !== containerHash(name, image);
}

/** True when a probe had it ended: it was to start again, whatever its code. */
export function wasEndedByProbe(
  { verdicts }: Facts,
  instance: ObservedContainer,
): boolean {
  return instance.state === "exited" &&
    verdicts.get(instance.id)?.failed !== undefined;
}

/** Undefined where there is nothing to wait for. */
export function delayOf(
  facts: Facts,
  container: V1Container,
): RestartDelay | undefined {
  const [newest, older] = instancesOf(facts.observed, container.name);
  if (newest === undefined || hasCleanSlate(newest, container)) {
    return undefined;
  }
  return wasEndedByProbe(facts, newest)
    ? probeRestartDelay(newest, older, facts.settings)
    : restartDelay(newest, facts.settings);
}

function hasCleanSlate(
  instance: ObservedContainer,
  container: V1Container,
): boolean {
  const { resources } = remembered(instance.annotations);
  return isChanged(instance, container) ||
    (resources !== undefined && resources !== resourcesText(container));
}

export function crashBlocker(
  facts: Facts,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  nowMs: number,
): Blocker | undefined {
  const delay = delayOf(facts, at.container);
  if (delay === undefined || delay.dueAtMs <= nowMs) return undefined;
  const [newest] = instancesOf(facts.observed, at.container.name);
  if (newest === undefined) return undefined;
  const { restartCount } = remembered(newest.annotations);
  return {
    what: "CrashLoopBackOff",
    message: backOffMessage(facts, at, delay.delayMs),
    untilMs: delay.dueAtMs,
    count: restartCount + 1,
  };
}

/** Compat: kubelet 1.36 doBackOff's message, which people search for. */
function backOffMessage(
  facts: Facts,
  at: { readonly pod: V1Pod; readonly container: V1Container },
  delayMs: number,
): string {
  const { name, namespace } = podNameOf(at.pod);
  return `back-off ${goSeconds(delayMs)} restarting failed container=` +
    `${at.container.name} pod=${name}_${namespace}(${facts.uid})`;
}

/** Go's way to print whole seconds: `40s`, `1m20s`, `5m0s`. */
function goSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60
    ? `${seconds}s`
    : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
