/**
 * Carries out actions: one handler a kind, total by type. Knows nothing about
 * why; a failure is thrown and becomes a fact of the pod.
 */
import type { Clock } from "../base/clock.ts";
import { AgentError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { unreachable } from "../base/unreachable.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { ImageRunner } from "../image/run.ts";
import type { Meters } from "../api/meters.ts";
import type { Action } from "../pod/action.ts";
import { RESIZE_STEP } from "../pod/resize.ts";
import type { Cgroups } from "../port/cgroups.ts";
import type { Files } from "../port/host.ts";
import type { Recorder } from "../port/recorder.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { UserIds } from "./user_ids.ts";
import type { VolumeRunner } from "../volume/run.ts";
import type { Allocations } from "./allocations.ts";
import type { ApplyPlace } from "./place.ts";
import { resizePod, type ResizePodPorts } from "./resize_pod.ts";
import type { Preemptions } from "./preemptions.ts";
import { removeLogs } from "./remove_logs.ts";
import { startHandlers, type StartPorts } from "./start.ts";
import type { Stops } from "./stops.ts";

/** No start and no removal takes as long by itself. */
const HUNG_MS = 10_000;

export interface ApplyPorts extends StartPorts, ResizePodPorts {
  readonly runtime: ContainerRuntime;
  readonly allocations: Allocations;
  readonly files: Files;
  readonly cgroups: Cgroups;
  readonly images: ImageRunner;
  readonly volumes: Pick<VolumeRunner, "request" | "release">;
  readonly references: {
    request(
      ask: Omit<Extract<Action, { kind: "ensure-references" }>, "kind">,
    ): void;
    consume(uid: ApplyPlace["uid"], container: string): void;
  };
  readonly stops: Pick<Stops, "order" | "settled">;
  readonly userIds: Pick<UserIds, "allocate">;
  readonly preemptions: Pick<Preemptions, "order">;
  readonly meters: Meters;
  readonly recorder: Recorder;
  readonly log: Logger;
  readonly clock: Clock;
  /** How many starts and removals the machine does well side by side. */
  readonly parallelWork: number;
}

type Handlers = {
  [Kind in Action["kind"]]: (
    action: Extract<Action, { kind: Kind }>,
    at: ApplyPlace,
  ) => Promise<void>;
};

/** Applies one action of one pod. */
export type Apply = (action: Action, at: ApplyPlace) => Promise<void>;

/** The step under whose name a failure of this action is remembered. */
export function stepOf(action: Action): string {
  switch (action.kind) {
    case "start-container":
      return action.container.name;
    case "start-created-container":
      return action.name;
    case "resize-pod":
      return RESIZE_STEP;
    case "run-sandbox":
    case "refuse-sandbox":
    case "allocate-user-ids":
    case "make-cgroup":
    case "make-pod-files":
    case "ensure-image":
    case "ensure-volumes":
    case "ensure-references":
    case "preempt":
    case "note":
      return "sandbox";
    default:
      return "remove";
  }
}

export function createApply(ports: ApplyPorts): Apply {
  const handlers = createHandlers(ports);
  return (action, at) => {
    switch (action.kind) {
      case "ensure-image":
        return handlers[action.kind](action, at);
      case "ensure-volumes":
        return handlers[action.kind](action, at);
      case "ensure-references":
        return handlers[action.kind](action, at);
      case "release-volumes":
        return handlers[action.kind](action, at);
      case "make-cgroup":
        return handlers[action.kind](action, at);
      case "make-pod-files":
        return handlers[action.kind](action, at);
      case "refuse-sandbox":
        return handlers[action.kind](action, at);
      case "allocate-user-ids":
        return handlers[action.kind](action, at);
      case "run-sandbox":
        return handlers[action.kind](action, at);
      case "resize-pod":
        return handlers[action.kind](action, at);
      case "start-container":
        return handlers[action.kind](action, at);
      case "start-created-container":
        return handlers[action.kind](action, at);
      case "stop-containers":
        return handlers[action.kind](action, at);
      case "stop-sandbox":
        return handlers[action.kind](action, at);
      case "remove-sandbox":
        return handlers[action.kind](action, at);
      case "remove-container":
        return handlers[action.kind](action, at);
      case "remove-pod-files":
        return handlers[action.kind](action, at);
      case "remove-cgroup":
        return handlers[action.kind](action, at);
      case "preempt":
        return handlers[action.kind](action, at);
      case "note":
        return handlers[action.kind](action, at);
      default:
        return unreachable(action);
    }
  };
}

function createHandlers(ports: ApplyPorts): Handlers {
  const { runtime, files, cgroups, images, volumes, recorder } = ports;
  // A call that hangs is its pod's matter: it does not hold up the others.
  const patience = { clock: ports.clock, ms: HUNG_MS };
  const heavy = new Semaphore(ports.parallelWork, patience);
  return {
    "ensure-image": ({ kind: _, ...ask }, { uid }) => {
      images.request({ uid, ...ask });
      return Promise.resolve();
    },
    "ensure-volumes": ({ pod }) => {
      volumes.request(pod);
      return Promise.resolve();
    },
    "ensure-references": ({ pod, container, volumePaths }) => {
      ports.references.request({ pod, container, volumePaths });
      return Promise.resolve();
    },
    "release-volumes": (_, { uid, signal }) => volumes.release(uid, signal),
    "make-cgroup": (action, at) => makeCgroup(ports, action, at),
    "resize-pod": (action, at) => resizePod(ports, action, at),
    "make-pod-files": (action) => makePodFiles(files, action),
    "refuse-sandbox": ({ message }) =>
      Promise.reject(new AgentError(message, { next: "retry" })),
    "allocate-user-ids": async (_action, { uid, signal }) => {
      await ports.userIds.allocate(uid, signal);
    },
    "run-sandbox": async ({ spec }, { signal, made }) => {
      await ports.allocations.kept();
      const run = () => runtime.runSandbox(spec, signal);
      made.sandboxes.push(await heavy.run(run, signal));
    },
    ...startHandlers(ports, heavy),
    "stop-containers": (action, { uid }) => {
      ports.stops.order(uid, action.containers);
      return Promise.resolve();
    },
    "stop-sandbox": async (action, { signal }) => {
      await heavy.run(() => runtime.stopSandbox(action.id, signal), signal);
    },
    "remove-sandbox": async (action, { signal }) => {
      await heavy.run(() => runtime.removeSandbox(action.id, signal), signal);
    },
    "remove-container": (action, { signal }) =>
      removeContainer(ports, action, signal),
    "remove-pod-files": async (action, { uid, signal }) => {
      await volumes.release(uid, signal);
      for (const link of action.links) await files.remove(link);
      for (const tree of action.trees) await files.removeTree(tree);
    },
    "remove-cgroup": (action) => cgroups.removePod(action.path),
    "preempt": (action) => Promise.resolve(ports.preemptions.order(action)),
    "note": ({ kind: _, ...step }, { uid }) => {
      recorder.record(uid, step);
      return Promise.resolve();
    },
  };
}

/** What the host refuses of it is told by the port; the pod may run. */
async function makeCgroup(
  { cgroups, allocations }: Pick<ApplyPorts, "cgroups" | "allocations">,
  { path, values, given }: Extract<Action, { kind: "make-cgroup" }>,
  { uid }: ApplyPlace,
): Promise<void> {
  await cgroups.apply(path, values, "make");
  if (given !== undefined) allocations.notePod(uid, given);
  allocations.noteCgroup(uid);
}

async function removeContainer(
  { runtime, files }: ApplyPorts,
  { id, log }: Extract<Action, { kind: "remove-container" }>,
  signal: AbortSignal,
): Promise<void> {
  // A log without its container counts as a restart: it goes first.
  if (log !== undefined) {
    await files.remove(log.link);
    await removeLogs(files, log.file);
  }
  await runtime.removeContainer(id, signal);
}

async function makePodFiles(
  files: Files,
  action: Extract<Action, { kind: "make-pod-files" }>,
): Promise<void> {
  for (const { path, mode } of action.directories) {
    await files.makeDirectory(path, mode);
  }
  for (const { path, text, mode } of action.files) {
    await files.replace(path, new TextEncoder().encode(text), mode);
  }
}
