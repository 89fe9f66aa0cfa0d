/**
 * Which pod, container or sandbox a path of the node's API means. Names come
 * from outside; an uid may be the mirror's. Pure but for the questions to the
 * runtime, which knows best what runs.
 */
import type { ContainerId, PodUid, SandboxId } from "../api/id.ts";
import { allContainersOf } from "../api/pod.ts";
import {
  allStatusesOf,
  type ContainerStatusJson,
  type PodStatusJson,
} from "../api/status.ts";
import type { V1Pod } from "../api/types.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import type { Call } from "./node_routes.ts";
import { podsNamed } from "./find_pod.ts";
import type { AgentView, PodView } from "./view.ts";

export interface Named {
  readonly namespace: string;
  readonly name: string;
  /** Undefined: whichever there is. */
  readonly uid?: string | undefined;
}

/** The view's pods, and which static pod a mirror stands for. */
export interface PodIndex {
  readonly view: Pick<AgentView, "pods">;
  /** The uid of the pod that runs under a mirror's uid; else the same. */
  readonly translated: (uid: string) => string;
}

/** Undefined: there is no such pod here. */
export function podOf(index: PodIndex, wanted: Named): PodView | undefined {
  const { namespace, name, uid } = wanted;
  const found = podsNamed(index.view.pods(), namespace, name);
  if (uid === undefined) return found[0];
  const own = index.translated(uid);
  return found.find((each) => each.uid === own);
}

/** The pod that the path means; its name exists but maybe not its uid. */
export function calledPod(
  index: PodIndex,
  { params }: Pick<Call, "params">,
): PodView | undefined {
  return podOf(index, {
    namespace: params.get("namespace") ?? "",
    name: params.get("pod") ?? "",
    uid: params.get("uid"),
  });
}

/** The spec of a container of any kind, by name. */
export function containerSpec(
  pod: V1Pod,
  name: string,
): { readonly tty?: boolean } | undefined {
  return allContainersOf(pod).find((each) => each.name === name);
}

export function containerStatus(
  status: PodStatusJson,
  name: string,
): ContainerStatusJson | undefined {
  return allStatusesOf(status).find((each) => each.name === name);
}

/** The newest running instance; undefined when none runs. */
export async function runningContainer(
  runtime: Pick<ContainerRuntime, "listContainers">,
  wanted: { readonly podUid: PodUid; readonly name: string },
  signal: AbortSignal,
): Promise<ContainerId | undefined> {
  const { podUid, name } = wanted;
  const filter = { podUid, state: "running" } as const;
  const found = await runtime.listContainers(filter, signal);
  return found.filter((each) => each.name === name)
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0]?.id;
}

export async function readySandbox(
  runtime: Pick<ContainerRuntime, "listSandboxes">,
  podUid: PodUid,
  signal: AbortSignal,
): Promise<SandboxId | undefined> {
  const found = await runtime.listSandboxes({ podUid }, signal);
  return found.filter(({ isReady }) => isReady)
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0]?.id;
}
