/**
 * What figures of pods are made of, as far as the runtime tells it. Called by
 * `runtime.ts` only; keeps no state.
 */
import type { SandboxId } from "../api/id.ts";
import { isObject, parseJson, textIn } from "../base/json.ts";
import type { ListFilter } from "../port/runtime.ts";
import type { ContainerStats } from "../port/runtime_status.ts";
import type { Channel } from "./channel.ts";
import { absentIsUndefined } from "./errors.ts";
import { statsFilter } from "./translate_spec.ts";
import { containerStats } from "./translate_stats.ts";

const SERVICE = "runtime.v1.RuntimeService";

export async function listContainerStats(
  channel: Channel,
  filter: ListFilter,
  signal: AbortSignal,
): Promise<readonly ContainerStats[]> {
  const answer = await channel.unary(
    `${SERVICE}/ListContainerStats`,
    { filter: statsFilter(filter) },
    { doing: "list container statistics", signal },
  );
  return answer.stats.map(containerStats);
}

/** containerd and CRI-O tell it in their own words only, which may be JSON. */
export async function sandboxImage(
  channel: Channel,
  id: SandboxId,
  signal: AbortSignal,
): Promise<string> {
  const answer = await absentIsUndefined(channel.unary(
    `${SERVICE}/PodSandboxStatus`,
    { podSandboxId: id, verbose: true },
    { doing: `ask for the image of sandbox ${id}`, signal },
  ));
  const told = parseJson(answer?.info["info"] ?? "");
  return isObject(told) ? textIn(told, "image") ?? "" : "";
}
