/**
 * Is what a container's environment refers to at hand, and is it to be asked
 * for? The reference runner finds it; nothing here waits. A container that
 * refers to nothing never waits for it.
 */
import { isStatic } from "../api/pod.ts";
import type { V1Container, V1EnvVar, V1Pod } from "../api/types.ts";
import type { FoundReferences } from "../reference/types.ts";
import type { Action, Blocker } from "./action.ts";
import { serviceVariables } from "./env_services.ts";
import type { Facts } from "./facts.ts";

export type References =
  | {
    readonly kind: "ready";
    readonly services: ReadonlyMap<string, string>;
    readonly found: FoundReferences | undefined;
  }
  /** `actions` may ask for what is waited for. */
  | {
    readonly kind: "wait";
    readonly blocker: Blocker;
    readonly actions: readonly Action[];
  };

const CONFIG_ERROR = "CreateContainerConfigError";

interface Place {
  readonly pod: V1Pod;
  readonly container: V1Container;
  /** Volume name → host path. */
  readonly volumePaths: ReadonlyMap<string, string>;
}

export function referencesFor(
  facts: Facts,
  place: Place,
  nowMs: number,
): References {
  const { pod, container } = place;
  if (facts.services === undefined && !isStatic(pod)) {
    // Compat: kubelet 1.36 makeEnvironmentVariables, its words.
    return wait({
      what: "environment",
      message: "services have not yet been read at least once, " +
        "cannot construct envvars",
    });
  }
  const services = serviceVariables(pod, facts.services ?? []);
  if (!refers(container)) return { kind: "ready", services, found: undefined };
  const state = facts.references.get(container.name);
  switch (state?.kind) {
    case undefined:
      return wait(LOOKING, [ensure(place)]);
    case "collecting":
      return wait(LOOKING);
    case "found":
      return { kind: "ready", services, found: state.found };
    case "failed": {
      const { message, count, retryAtMs: untilMs } = state;
      const blocker = { what: CONFIG_ERROR, message, count };
      return untilMs <= nowMs
        ? wait(blocker, [ensure(place)])
        : wait({ ...blocker, untilMs });
    }
  }
}

const LOOKING: Blocker = {
  what: "environment",
  message: "What its environment refers to is looked for",
};

/** True when its environment needs more than the pod and the node tell. */
function refers({ env = [], envFrom = [] }: V1Container): boolean {
  return envFrom.length > 0 || env.some(isReference);
}

function isReference({ value = "", valueFrom = {} }: V1EnvVar): boolean {
  return value === "" &&
    (valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef ??
        valueFrom.fileKeyRef) !== undefined;
}

function ensure({ pod, container, volumePaths }: Place): Action {
  return { kind: "ensure-references", pod, container, volumePaths };
}

function wait(blocker: Blocker, actions: readonly Action[] = []): References {
  return { kind: "wait", blocker, actions };
}
