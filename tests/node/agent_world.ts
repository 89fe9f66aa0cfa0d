/**
 * What the tests of this folder share: the scratch world with its containerd,
 * the real agent in it, and a view of the runtime of their own, which asks
 * containerd and not the agent. Every test starts the agent and leaves neither
 * a manifest, a pod nor an agent behind.
 */
import assert from "node:assert/strict";
import {
  startAgent,
  startContainerd,
  stopAgent,
  worldFacts,
} from "../../deploy/world.ts";
import { agentArgs, agentPids, askAgent } from "../../deploy/world/agent.ts";
import { readIfThere, until } from "../../deploy/world/command.ts";
import { containerdPid } from "../../deploy/world/containerd.ts";
import type { V1Container, V1Pod, V1PodSpec } from "../../lib/api/types.ts";
import { openChannel } from "../../lib/cri/channel.ts";
import { CriRuntime } from "../../lib/cri/runtime.ts";
import type {
  ContainerStatus,
  ContainerSummary,
  SandboxSummary,
} from "../../lib/port/runtime_status.ts";

export { until };

export const world = worldFacts(Deno.env.get("DENOLET_TEST_WORLD") ?? "test");
export const CHECKOUT = new URL("../../", import.meta.url).pathname;
export const BUSYBOX = Deno.env.get("DENOLET_TEST_IMAGE") ??
  world.images.busybox;
/** A container that runs until it is told to end, and ends at once then. */
export const OBEDIENT = "trap 'exit 0' TERM; sleep 1000 & wait";

const ignore = await obstacle() !== undefined;

/** Why there is nothing to try; says so loudly. */
async function obstacle(): Promise<string | undefined> {
  const reason = Deno.uid() !== 0
    ? "it takes root"
    : await containerdPid(world) === undefined
    ? `no containerd runs in world ${world.name}: ` +
      `deno run -A deploy/world.ts up ${world.name}`
    : undefined;
  if (reason !== undefined) {
    console.warn(`SKIP: no test on a real containerd, because ${reason}`);
  }
  return reason;
}

/** The machine as a test sees it, without asking the agent. */
export interface Node {
  readonly runtime: CriRuntime;
  readonly signal: AbortSignal;
}

export function nodeTest(
  name: string,
  fn: (node: Node) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      const channel = openChannel({ endpoint: world.socket });
      const ending = new AbortController();
      const node = { runtime: new CriRuntime(channel), signal: ending.signal };
      try {
        await clear(node);
        await fn(node);
      } finally {
        try {
          await clear(node);
        } finally {
          await stopAgent(world);
          ending.abort();
          channel.close();
        }
      }
    },
  });
}

/** No manifests and no pods, with an agent and a containerd that run. */
async function clear(node: Node): Promise<void> {
  await startContainerd(world);
  if ((await agentPids(world)).length === 0) await startAgent(world);
  for await (const { name } of Deno.readDir(world.manifests)) {
    await Deno.remove(`${world.manifests}/${name}`, { recursive: true });
  }
  await until("a node without pods", async () => {
    const sandboxes = await node.runtime.listSandboxes({}, node.signal);
    const containers = await node.runtime.listContainers({}, node.signal);
    return sandboxes.length + containers.length === 0;
  }, 60_000);
}

/** Puts a manifest in place at one go; the file is named as the pod is. */
export async function put(pod: V1Pod): Promise<void> {
  await putText(`${pod.metadata?.name}.yaml`, JSON.stringify(pod, null, 1));
}

export async function putText(
  file: string,
  content: string | Uint8Array,
): Promise<void> {
  const draft = `${world.root}/draft`;
  await Deno.writeFile(
    draft,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  await Deno.rename(draft, `${world.manifests}/${file}`);
}

export async function take(name: string): Promise<void> {
  await Deno.remove(`${world.manifests}/${name}.yaml`);
}

/** The name that a static pod gets from the node. */
export function full(name: string): string {
  return `${name}-${world.name}`;
}

export function aPod(
  name: string,
  containers: readonly V1Container[] = [aContainer("a")],
  spec: Partial<V1PodSpec> = {},
): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 2,
      containers: [...containers],
      ...spec,
    },
  };
}

export function aContainer(
  name: string,
  script: string = OBEDIENT,
  own: Partial<V1Container> = {},
): V1Container {
  return {
    name,
    image: BUSYBOX,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", script],
    ...own,
  };
}

/** Sandboxes of the pod `name`, whatever their uid. */
export async function sandboxesOf(
  { runtime, signal }: Node,
  name: string,
): Promise<readonly SandboxSummary[]> {
  return (await runtime.listSandboxes({}, signal))
    .filter(({ podName }) => podName === full(name));
}

export async function containersOf(
  { runtime, signal }: Node,
  name: string,
): Promise<readonly ContainerSummary[]> {
  return (await runtime.listContainers({}, signal))
    .filter(({ labels }) => labels.get("io.kubernetes.pod.name") === full(name))
    .toSorted((a, b) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : a.attempt - b.attempt
    );
}

/** Waits until exactly `count` containers of the pod run; gives them. */
export async function running(
  node: Node,
  name: string,
  count = 1,
): Promise<readonly ContainerSummary[]> {
  let found: readonly ContainerSummary[] = [];
  await until(`${count} running containers of ${name}`, async () => {
    found = (await containersOf(node, name))
      .filter(({ state }) => state === "running");
    return found.length === count;
  });
  return found;
}

/** The single running container of the pod. */
export async function runningOne(
  node: Node,
  name: string,
): Promise<ContainerSummary> {
  const [found] = await running(node, name);
  assert.ok(found);
  return found;
}

/** The statuses of all instances, oldest first. */
export async function instancesOf(
  node: Node,
  name: string,
): Promise<readonly ContainerStatus[]> {
  const found = await containersOf(node, name);
  const statuses = await Promise.all(
    found.map(({ id }) => node.runtime.containerStatus(id, node.signal)),
  );
  return statuses.flatMap((status) => status ?? []);
}

export async function gone(node: Node, name: string): Promise<void> {
  await until(
    `the end of pod ${name}`,
    async () =>
      (await sandboxesOf(node, name)).length +
          (await containersOf(node, name)).length === 0,
  );
}

/** What the agent says about its pods. */
export async function podsJson(): Promise<readonly V1Pod[]> {
  return JSON.parse(await askAgent(world, "pods", "-o", "json")).items;
}

export async function podJson(name: string): Promise<V1Pod | undefined> {
  return (await podsJson()).find(({ metadata }) =>
    metadata?.name === full(name)
  );
}

/** Where the logs of a pod are. */
export function logsOf(name: string, uid: string): string {
  return `${world.root}/var/log/pods/default_${full(name)}_${uid}`;
}

/**
 * Waits for `words` in the text that `read` gives, or in its failure's words;
 * tells the text if they do not come.
 */
export async function says(
  words: RegExp,
  read: () => Promise<string>,
  timeoutMs?: number,
): Promise<string> {
  let text = "";
  try {
    await until(`${words}`, async () => {
      text = await read().catch((error: Error) => error.message);
      return words.test(text);
    }, timeoutMs);
  } catch (cause) {
    throw new Error(`Cannot find ${words} in:\n${text}`, { cause });
  }
  return text;
}

/** What the agent logged after `mark`, a length of its log. */
export async function agentLog(mark = 0): Promise<string> {
  return (await readIfThere(world.agentLog) ?? "").slice(mark);
}

/** The agent's program in its permission set, to its end or for 10 s. */
export async function runProgram(
  ...args: string[]
): Promise<{ readonly code: number; readonly out: string; err: string }> {
  const output = await new Deno.Command("timeout", {
    args: ["-s", "KILL", "10", Deno.execPath(), ...agentArgs(world, args)],
    cwd: CHECKOUT,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    out: decoder.decode(output.stdout),
    err: decoder.decode(output.stderr),
  };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
