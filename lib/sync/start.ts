/**
 * Starts containers: files they need, creation, start, link to the log, and
 * the hook after it. Called by apply.ts, which bounds how many at once.
 * Compat: kubelet 1.36 startContainer.
 */
import { AgentError, chainOf, isAbort } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Semaphore } from "../base/semaphore.ts";
import type { ContainerId } from "../api/id.ts";
import type { Meters } from "../api/meters.ts";
import type { ImageRunner } from "../image/run.ts";
import type { Action, LogPlace, PostStart } from "../pod/action.ts";
import { logLink } from "../pod/paths.ts";
import type { Files } from "../port/host.ts";
import type { Recorder } from "../port/recorder.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { POST_START_HOOK_ERROR } from "./failure.ts";
import type { Allocations } from "./allocations.ts";
import type { RunHook } from "./hooks.ts";
import type { ApplyPlace } from "./place.ts";
import type { Stops } from "./stops.ts";
import { prepareSubPaths, type SubPathPorts } from "./sub_paths.ts";

export interface StartPorts extends SubPathPorts {
  readonly runtime: Pick<
    ContainerRuntime,
    "createContainer" | "startContainer"
  >;
  readonly files: Files;
  readonly allocations: Pick<
    Allocations,
    "isRemade" | "noteContainer" | "settled"
  >;
  readonly images: Pick<ImageRunner, "consume">;
  readonly references: {
    consume(uid: ApplyPlace["uid"], container: string): void;
  };
  readonly stops: Pick<Stops, "order" | "settled">;
  readonly runHook: RunHook;
  readonly recorder: Recorder;
  readonly meters: Pick<
    Meters,
    "imageVolumesRequested" | "imageVolumesMounted" | "imageVolumeErrors"
  >;
  readonly log: Logger;
}

type StartNew = Extract<Action, { kind: "start-container" }>;
type StartCreated = Extract<Action, { kind: "start-created-container" }>;

/** How both kinds of a start are carried out. */
export function startHandlers(ports: StartPorts, heavy: Semaphore) {
  return {
    "start-container": async (action: StartNew, at: ApplyPlace) => {
      const start = () => startNew(ports, action, at);
      const id = await heavy.run(start, at.signal);
      // A hook may take for ever: nobody else waits for it.
      await postStart(ports, { id, ...action }, at);
    },
    "start-created-container": async (action: StartCreated, at: ApplyPlace) => {
      await start(ports, action, at);
      await postStart(ports, action, at);
    },
  };
}

async function startNew(
  ports: StartPorts,
  action: StartNew,
  at: ApplyPlace,
): Promise<ContainerId> {
  const { runtime, files, images } = ports;
  const { container, log } = action;
  await files.makeDirectory(log.directory, 0o755);
  await files.makeDirectory(parentOf(action.messageFile), 0o755);
  await files.touch(action.messageFile, 0o666);
  if (action.subPaths.length > 0) {
    await prepareSubPaths(ports, container.name, action.subPaths);
  }
  await writeHosts(files, action.hosts);
  // Taken whether or not the creation succeeds: the image may be gone by now.
  for (const each of [container.name, ...action.imageVolumes]) {
    images.consume(at.uid, each);
  }
  ports.references.consume(at.uid, container.name);
  await noteSize(ports, action, at);
  const id = await countingImages(ports, action, () =>
    failAs(
      "CreateContainerError",
      () =>
        runtime.createContainer({
          sandboxId: action.sandboxId,
          sandbox: action.sandbox,
          container,
        }, at.life),
    ));
  at.made.containers.push({ id, sandboxId: action.sandboxId });
  ports.recorder.record(at.uid, {
    type: "Normal",
    reason: "Created",
    message: "Container created",
    container: container.name,
  });
  await start(ports, { id, name: container.name, log }, at);
  return id;
}

/** Compat: kubelet 1.36 incrementImageVolumeMetrics. */
async function countingImages<T>(
  { meters }: StartPorts,
  { imageVolumes: { length } }: StartNew,
  create: () => Promise<T>,
): Promise<T> {
  if (length === 0) return await create();
  meters.imageVolumesRequested.add({}, length);
  try {
    const created = await create();
    meters.imageVolumesMounted.add({}, length);
    return created;
  } catch (error) {
    meters.imageVolumeErrors.add({}, length);
    throw error;
  }
}

/** If another agent finds it with the old record, it is not made once more. */
async function noteSize(
  { allocations }: StartPorts,
  { container: { name }, given }: StartNew,
  { uid }: ApplyPlace,
): Promise<void> {
  const isRemade = allocations.isRemade(uid, name, given);
  allocations.noteContainer(uid, name, given);
  if (isRemade) await allocations.settled();
}

async function start(
  ports: StartPorts,
  container: {
    readonly id: ContainerId;
    readonly name: string;
    readonly log: LogPlace;
  },
  at: ApplyPlace,
): Promise<void> {
  const { id, name, log } = container;
  at.signal.throwIfAborted();
  await failAs(
    "RunContainerError",
    () => ports.runtime.startContainer(id, at.life),
  );
  ports.recorder.record(at.uid, {
    type: "Normal",
    reason: "Started",
    message: "Container started",
    container: name,
  });
  await linkLog(ports, log, id);
}

/**
 * The hook that blocks what is to start after its container. An order to stop
 * the pod ends the wait; an agent that dies meanwhile does not run it again.
 */
async function postStart(
  ports: StartPorts,
  { id, postStart: hooked }: {
    readonly id: ContainerId;
    readonly postStart?: PostStart;
  },
  { uid, signal }: ApplyPlace,
): Promise<void> {
  if (hooked === undefined) return;
  const { hook, stop } = hooked;
  try {
    await ports.runHook(hook, { uid, id }, signal);
  } catch (error) {
    if (isAbort(error, signal)) throw error;
    // The words of the failure may hold secrets, and events are for many.
    ports.recorder.record(uid, {
      type: "Warning",
      reason: "FailedPostStartHook",
      message: "PostStartHook failed",
      container: stop.name,
    });
    ports.stops.order(uid, [{ ...stop, id }]);
    // Else it would be told as running, and ready, meanwhile.
    await ports.stops.settled(uid, id, signal);
    throw new AgentError(chainOf(error), {
      next: "retry",
      reason: POST_START_HOOK_ERROR,
    });
  }
}

/** A missing link hinders log collectors only; the container runs on. */
async function linkLog(
  ports: StartPorts,
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
    const { next, cause } = error;
    throw new AgentError(ownWords(error), {
      next,
      reason: error.reason ?? reason,
      cause,
    });
  }
}

/**
 * The runtime's, without what it was asked for: people and tools look for them.
 * Compat: kubelet 1.36 recordContainerEvent of startContainer.
 */
function ownWords({ message, reason, cause }: AgentError): string {
  const isItsOwn = reason === undefined && cause instanceof Error &&
    cause.message !== "";
  return isItsOwn ? cause.message : message;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** In place: containers that run have this very file mounted. */
async function writeHosts(
  files: Files,
  hosts: StartNew["hosts"],
): Promise<void> {
  if (hosts === undefined) return;
  const bytes = new TextEncoder().encode(hosts.text);
  await files.overwrite(hosts.path, bytes, 0o644);
}
