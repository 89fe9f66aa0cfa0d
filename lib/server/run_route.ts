/**
 * `/run`: a command in a container to its end, its output as it is. The runtime
 * caps how much that is. Compat: kubelet 1.36 getRun, RunInContainer
 */
import { titleOf } from "../api/pod.ts";
import type { Logger } from "../base/log.ts";
import type { NodeAnswer } from "../port/node_server.ts";
import type { ContainerRuntime } from "../port/runtime.ts";
import { joined } from "../base/bytes.ts";
import { commandHash } from "./command_hash.ts";
import { text, typed } from "./node_answer.ts";
import type { Call, Route } from "./node_routes.ts";
import { calledPod, type PodIndex, runningContainer } from "./pod_lookup.ts";

export interface RunParts {
  readonly runtime: Pick<ContainerRuntime, "execSync" | "listContainers">;
  readonly index: PodIndex;
  readonly log: Logger;
}

export function runRoutes(parts: RunParts): Route[] {
  const start = "/run/:namespace/:pod";
  return [`${start}/:container`, `${start}/:uid/:container`].map((path) => ({
    path,
    methods: ["POST"],
    answer: (call) => run(parts, call),
  }));
}

async function run(
  { runtime, index, log }: RunParts,
  call: Call,
): Promise<NodeAnswer> {
  const { request, params, user } = call;
  const pod = calledPod(index, call);
  if (pod === undefined) return text(404, "pod does not exist");
  const name = params.get("container") ?? "";
  const command = (request.query.get("cmd")?.[0] ?? "").split(" ");
  log.info("Stream asked for: run", {
    pod: titleOf(pod.pod),
    user: user.name,
    remote: request.remote,
    container: name,
    command: commandHash(command),
  });
  const wanted = { podUid: pod.uid, name };
  const id = await runningContainer(runtime, wanted, request.signal);
  if (id === undefined) return text(500, `container not found ("${name}")`);
  const result = await runtime.execSync(
    { id, command, timeoutSeconds: 0 },
    request.signal,
  );
  const { exitCode, stdout, stderr } = result;
  if (exitCode !== 0) {
    const words = `command '${command.join(" ")}' exited with ${exitCode}`;
    return text(500, `${words}: ${new TextDecoder().decode(stderr)}`);
  }
  return typed(200, "application/json", joined([stdout, stderr]));
}
