/**
 * Counts what passes do: how long each action took, which sandboxes and
 * containers were started and which were not. Wraps `apply` and changes
 * nothing about it.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError, isAbort } from "../base/errors.ts";
import type { Meters } from "../api/meters.ts";
import { ephemeralContainersOf, initContainersOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import type { Action } from "../pod/action.ts";
import type { Apply } from "./apply.ts";
import type { ApplyPlace } from "./place.ts";

export interface MeasurePorts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly meters: Meters;
  readonly podOf: (uid: ApplyPlace["uid"]) => V1Pod | undefined;
}

export function measuredApply(ports: MeasurePorts, apply: Apply): Apply {
  const { clock, meters } = ports;
  return (action, at) => {
    const { kind } = action;
    const startedMs = clock.monotonicMs();
    const over = () => {
      const seconds = (clock.monotonicMs() - startedMs) / 1000;
      meters.actionSeconds.observe({ action: kind }, seconds);
      end(meters, action, seconds);
    };
    begin(ports, action, at);
    const done = apply(action, at);
    // Beside it, so that nobody waits a turn longer for the counting.
    done.then(over, (error) => {
      over();
      if (isAbort(error, at.signal)) return;
      meters.actionErrors.add({ action: kind });
      fail(ports, { action, at }, error);
    });
    return done;
  };
}

/** Compat: kubelet 1.36 counts attempts as starts. */
function begin(
  ports: MeasurePorts,
  action: Action,
  { uid }: ApplyPlace,
): void {
  const { meters } = ports;
  if (action.kind === "run-sandbox") {
    meters.startedPods.add({});
    if (isUserPod(ports, uid)) meters.userPods.add({});
  }
  if (action.kind === "start-container") {
    const container_type = typeIn(ports.podOf(uid), action.container.name);
    meters.startedContainers.add({ container_type });
  }
}

function fail(
  ports: MeasurePorts,
  { action, at }: { readonly action: Action; readonly at: ApplyPlace },
  error: unknown,
): void {
  const { meters } = ports;
  if (action.kind === "run-sandbox") {
    meters.podErrors.add({});
    if (isUserPod(ports, at.uid)) meters.userPodErrors.add({});
    const { runtimeHandler: runtime_handler } = action.spec;
    meters.sandboxErrors.add({ runtime_handler });
  }
  if (action.kind === "start-container") {
    const container_type = typeIn(ports.podOf(at.uid), action.container.name);
    const code = error instanceof AgentError ? error.reason ?? "" : "";
    meters.containerErrors.add({ container_type, code });
  }
}

/** It has a user namespace of its own. */
function isUserPod({ podOf }: MeasurePorts, uid: ApplyPlace["uid"]): boolean {
  return podOf(uid)?.spec?.hostUsers === false;
}

function end(meters: Meters, action: Action, seconds: number): void {
  if (action.kind === "run-sandbox") {
    const { runtimeHandler: runtime_handler } = action.spec;
    meters.sandboxSeconds.observe({ runtime_handler }, seconds);
  }
  if (action.kind === "remove-cgroup") {
    meters.cgroupSeconds.observe({ operation_type: "destroy" }, seconds);
  }
}

/** Compat: kubelet 1.36 metrics.Container, InitContainer, EphemeralContainer. */
export function typeIn(pod: V1Pod | undefined, name: string): string {
  if (pod === undefined) return "container";
  const isNamed = (each: { readonly name: string }) => each.name === name;
  if (initContainersOf(pod).some(isNamed)) return "init_container";
  return ephemeralContainersOf(pod).some(isNamed)
    ? "ephemeral_container"
    : "container";
}
