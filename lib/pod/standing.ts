/**
 * Has an instance started, and is it ready? Its probes say so; while nobody has
 * asked them yet, what was told of the same instance holds, and without that
 * one with a probe is neither.
 * Compat: kubelet 1.36 prober_manager.go isContainerStarted, UpdatePodStatus.
 */
import type { V1Container } from "../api/types.ts";
import type { Verdicts } from "../probe/types.ts";
import type { ObservedContainer } from "./facts.ts";

export interface Standing {
  readonly isStarted: boolean;
  readonly isReady: boolean;
}

const NEITHER: Standing = { isStarted: false, isReady: false };

/** `told`: what the status before said of this very instance. */
export function standingOf(
  verdicts: Verdicts,
  at: {
    readonly container: V1Container;
    readonly instance: ObservedContainer | undefined;
  },
  told: Standing = NEITHER,
): Standing {
  const { container, instance } = at;
  if (instance?.state !== "running") return NEITHER;
  const verdict = verdicts.get(instance.id);
  if (verdict !== undefined) {
    const { isStarted, isReady } = verdict;
    return { isStarted, isReady: isStarted && isReady };
  }
  const isStarted = told.isStarted || !container.startupProbe;
  const isReady = isStarted && (told.isReady || !container.readinessProbe);
  return { isStarted, isReady };
}
