/**
 * Carries out actions: one handler a kind, total by type. Knows nothing about
 * why; a failure is thrown and becomes a fact of the pod.
 */
import { AgentError, chainOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { unreachable } from "../base/unreachable.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { ContainerId, PodUid } from "../api/id.ts";
import type { ImageRunner } from "../image/run.ts";
import type { Action, ContainerToStop, LogPlace } from "../pod/action.ts";
import { logLink } from "../pod/paths.ts";
import type { Cgroups, Files } from "../port/host.ts";
import type { Made } from "./observe.ts";
import type { Recorder } from "../port/recorder.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { VolumeRunner } from "../volume/run.ts";

export interface ApplyPorts {
  readonly runtime: ContainerRuntime;
  readonly files: Files;
  readonly cgroups: Cgroups;
  readonly images: ImageRunner;
  readonly volumes: Pick<VolumeRunner, "request" | "release">;
  readonly references: {
    request(ask: Omit<ActionOf<"ensure-references">, "kind">): void;
    consume(uid: PodUid, container: string): void;
  };
  readonly recorder: Recorder;
  readonly log: Logger;
  /** How many starts and removals the machine does well side by side. */
  readonly parallelWork: number;
}

type ActionOf<Kind extends Action["kind"]> = Extract<Action, { kind: Kind }>;

/** Whose action it is, and where what it makes is noted. */
export interface ApplyPlace {
  readonly uid: PodUid;
  readonly signal: AbortSignal;
  /** Noted as soon as the runtime has it, whatever fails afterwards. */
  readonly made: Made;
}

type Handlers = {
  [Kind in Action["kind"]]: (
    action: ActionOf<Kind>,
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
    case "run-sandbox":
    case "make-pod-files":
    case "ensure-image":
    case "ensure-volumes":
    case "ensure-references":
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
      case "make-pod-files":
        return handlers[action.kind](action, at);
      case "run-sandbox":
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
      case "note":
        return handlers[action.kind](action, at);
      default:
        return unreachable(action);
    }
  };
}

function createHandlers(ports: ApplyPorts): Handlers {
  const { runtime, files, cgroups, images, volumes, recorder } = ports;
  const heavy = new Semaphore(ports.parallelWork);
  return {
    "ensure-image": (action, { uid }) => {
      const { container, image, policy } = action;
      images.request({ uid, container, image, policy });
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
    "release-volumes": (_action, { uid, signal }) =>
      volumes.release(uid, signal),
    "make-pod-files": async (action) => {
      for (const { path, mode } of action.directories) {
        await files.makeDirectory(path, mode);
      }
      for (const { path, text, mode } of action.files) {
        await files.replace(path, new TextEncoder().encode(text), mode);
      }
    },
    "run-sandbox": async (action, { signal, made }) => {
      const run = () => runtime.runSandbox(action.spec, signal);
      made.sandboxes.push(await heavy.run(run, signal));
    },
    "start-container": (action, at) =>
      heavy.run(() => startNew(ports, action, at), at.signal),
    "start-created-container": (action, at) => startCreated(ports, action, at),
    "stop-containers": async (action, at) => {
      await Promise.all(action.containers.map((c) => stop(ports, c, at)));
    },
    "stop-sandbox": async (action, { signal }) => {
      await heavy.run(() => runtime.stopSandbox(action.id, signal), signal);
    },
    "remove-sandbox": async (action, { signal }) => {
      await heavy.run(() => runtime.removeSandbox(action.id, signal), signal);
    },
    "remove-container": async (action, { signal }) => {
      await runtime.removeContainer(action.id, signal);
      await files.remove(action.logLink);
      await files.remove(action.logFile);
    },
    "remove-pod-files": async (action, { uid, signal }) => {
      await volumes.release(uid, signal);
      for (const link of action.links) await files.remove(link);
      for (const tree of action.trees) await files.removeTree(tree);
    },
    "remove-cgroup": (action) => cgroups.removePod(action.path),
    "note": ({ type, reason, message }, { uid }) => {
      recorder.record(uid, { type, reason, message });
      return Promise.resolve();
    },
  };
}

async function stop(
  ports: ApplyPorts,
  container: ContainerToStop,
  { uid, signal }: ApplyPlace,
): Promise<void> {
  ports.recorder.record(uid, {
    type: "Normal",
    reason: "Killing",
    message: container.message,
    container: container.name,
  });
  const { id, graceSeconds } = container;
  await ports.runtime.stopContainer(id, graceSeconds, signal);
}

async function startNew(
  ports: ApplyPorts,
  action: ActionOf<"start-container">,
  at: ApplyPlace,
): Promise<void> {
  const { runtime, files, images, references } = ports;
  const { container, log } = action;
  await files.makeDirectory(log.directory, 0o755);
  await files.makeDirectory(parentOf(action.messageFile), 0o755);
  await files.touch(action.messageFile, 0o666);
  // Taken whether or not the creation succeeds: they may be others by now.
  images.consume(at.uid, container.name);
  references.consume(at.uid, container.name);
  const id = await failAs(
    "CreateContainerError",
    () =>
      runtime.createContainer({
        sandboxId: action.sandboxId,
        sandbox: action.sandbox,
        container,
      }, at.signal),
  );
  at.made.containers.push({ id, sandboxId: action.sandboxId });
  ports.recorder.record(at.uid, {
    type: "Normal",
    reason: "Created",
    message: "Container created",
    container: container.name,
  });
  await start(ports, { id, name: container.name, log }, at);
}

async function startCreated(
  ports: ApplyPorts,
  action: Extract<Action, { kind: "start-created-container" }>,
  at: ApplyPlace,
): Promise<void> {
  await start(ports, action, at);
}

async function start(
  ports: ApplyPorts,
  container: {
    readonly id: ContainerId;
    readonly name: string;
    readonly log: LogPlace;
  },
  at: ApplyPlace,
): Promise<void> {
  const { id, name, log } = container;
  await failAs(
    "RunContainerError",
    () => ports.runtime.startContainer(id, at.signal),
  );
  ports.recorder.record(at.uid, {
    type: "Normal",
    reason: "Started",
    message: "Container started",
    container: name,
  });
  await linkLog(ports, log, id);
}

/** A missing link hinders log collectors only; the container runs on. */
async function linkLog(
  ports: ApplyPorts,
  log: LogPlace,
  id: ContainerId,
): Promise<void> {
  try {
    await ports.files.link(logLink(log.linkPrefix, id), log.file);
  } catch (error) {
    ports.log.warn("Cannot link a container's log", { error: chainOf(error) });
  }
}

/** Gives a failure the waiting reason under which people look for it. */
async function failAs<T>(reason: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const { next, message, cause } = error;
    throw new AgentError(message, {
      next,
      reason: error.reason ?? reason,
      cause,
    });
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
