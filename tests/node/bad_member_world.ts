/**
 * What the tests of bad input to a member share: a running static pod that is
 * to stay as it is, the agent started with files and flags of the test's own,
 * and what it says of them.
 */
import assert from "node:assert/strict";
import { answerRequests } from "../../deploy/cluster.ts";
import { memberFlags } from "../../deploy/cluster/agent.ts";
import { isNodeReady } from "../../deploy/cluster/kubelet.ts";
import { stopAgent } from "../../deploy/world.ts";
import {
  agentPids,
  askAgent,
  isHealthy,
  spawnAgent,
} from "../../deploy/world/agent.ts";
import {
  agentLog,
  aPod,
  type Node,
  nodeTest,
  put,
  runningOne,
  says,
  until,
  world,
} from "./agent_world.ts";
import { cluster, hasNoCluster, kubectl } from "./member_world.ts";

export { answerRequests };
/** What a test of bad input writes is here. */
export const FOLDER = `${cluster.root}/bad`;
export const CERT_DIR = `${world.root}/var/lib/kubelet/pki`;
/** Far more than it takes, and far less than one that runs away. */
const MOST_RSS_MB = 350;

export function badTest(
  name: string,
  fn: (well: Well) => Promise<void>,
): void {
  if (hasNoCluster) {
    return Deno.test({ name: `bad member: ${name}`, ignore: true, fn() {} });
  }
  nodeTest(`bad member: ${name}`, async (node) => {
    await put(aPod("well"));
    const well = { node, id: (await runningOne(node, "well")).id };
    try {
      await forget();
      await fn(well);
      await isStill(well);
    } finally {
      await forget();
      await kubectl("delete", "pods", "--all", "--grace-period=0", "--force");
    }
  });
}

/** The static pod that nothing may touch. */
export interface Well {
  readonly node: Node;
  readonly id: string;
}

export async function isStill({ node, id }: Well): Promise<void> {
  assert.equal((await runningOne(node, "well")).id, id);
}

/** As on a machine that has never been a node. */
export async function forget(): Promise<void> {
  await stopAgent(world);
  await kubectl("delete", "node", world.name, "--ignore-not-found");
  await kubectl("delete", "csr", "--all");
  for (const path of [FOLDER, CERT_DIR]) {
    await Deno.remove(path, { recursive: true }).catch(() => {});
  }
  await Deno.mkdir(FOLDER, { recursive: true });
}

/** A file of the test's own; gives its path. */
export async function file(name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${FOLDER}/${name}`, text, { mode: 0o600 });
  return `${FOLDER}/${name}`;
}

export interface Files {
  readonly kubeconfig: string;
  readonly bootstrap?: string | undefined;
  readonly rotate?: boolean;
  readonly more?: readonly string[];
}

/** Starts the agent; gives what it logged since, whenever asked. */
export async function start(files: Files): Promise<() => Promise<string>> {
  await stopAgent(world);
  const mark = (await agentLog()).length;
  await spawnAgent(world, [
    ...memberFlags(cluster),
    `--kubeconfig=${files.kubeconfig}`,
    `--bootstrap-kubeconfig=${files.bootstrap ?? ""}`,
    `--rotate-certificates=${files.rotate ?? true}`,
    ...files.more ?? [],
  ]);
  await until("a healthy agent", () => isHealthy(world));
  return () => agentLog(mark);
}

export const explained = () => askAgent(world, "explain");

/** In `denolet explain` and in the log, and the agent is well otherwise. */
export async function tells(
  words: RegExp,
  log: () => Promise<string>,
  timeoutMs = 20_000,
): Promise<string> {
  const said = await says(words, explained, timeoutMs);
  await says(words, async () => unquoted(await log()), timeoutMs);
  await isWell();
  return said;
}

/** The log quotes what has blanks. */
function unquoted(text: string): string {
  return text.replaceAll('\\"', '"');
}

/** One process, healthy, and not too large. */
export async function isWell(): Promise<void> {
  const [pid, ...others] = await agentPids(world);
  assert.ok(pid !== undefined && others.length === 0, "the agent lives");
  assert.ok(await isHealthy(world), "the agent is healthy");
  const most = await rssMb();
  assert.ok(most < MOST_RSS_MB, `the agent has ${most} MB`);
}

export async function rssMb(): Promise<number> {
  const [pid] = await agentPids(world);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

export async function becomesReady(timeoutMs = 60_000): Promise<void> {
  await until(
    "a Ready node",
    () => isNodeReady(cluster, world.name),
    timeoutMs,
  );
}

/** None of these texts stands in the log or in what the agent explains. */
export async function keepsQuiet(
  secrets: readonly string[],
  log: () => Promise<string>,
): Promise<void> {
  const all = await log() + await explained();
  for (const secret of secrets) {
    assert.ok(secret.length > 8 && !all.includes(secret), "a secret is told");
  }
}

/** A kubeconfig for the cluster, with these fields in place of the usual. */
export function kubeconfig(own: {
  readonly cluster?: Record<string, unknown>;
  readonly user?: Record<string, unknown>;
}): string {
  const ca = Deno.readTextFileSync(cluster.ca.certificate);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{
      name: "c",
      cluster: {
        server: cluster.server,
        "certificate-authority-data": btoa(ca),
        ...own.cluster,
      },
    }],
    users: [{ name: "u", user: own.user ?? {} }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });
}
