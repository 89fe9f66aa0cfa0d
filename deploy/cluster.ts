/**
 * A scratch control plane for a world: etcd, API server, controller manager
 * and scheduler of Kubernetes on loopback, below /var/tmp/denolet/NAME/cluster.
 * For tests, benchmarks and development. Worlds stand side by side; taking one
 * down touches nothing else on the machine.
 *
 *   deno run -A deploy/cluster.ts up|agent|down|status NAME
 *
 * `agent` starts the agent as its node, in a world that is up.
 * The programs are made by deploy/control_plane.sh when they are not there.
 * Take the cluster down before its world.
 */
import { startMember } from "./cluster/agent.ts";
import { applyBootstrap } from "./cluster/bootstrap.ts";
import {
  type ClusterFacts,
  clusterFacts,
  type ClusterOptions,
  DEFAULT_OPTIONS,
  PARTS,
} from "./cluster/facts.ts";
import { AUDIT_POLICY } from "./cluster/flags.ts";
import { stopKubelet } from "./cluster/kubelet.ts";
import { stopMetricsServer } from "./cluster/metrics_server.ts";
import { makeBridge, removeBridge } from "./cluster/network.ts";
import {
  clusterPids,
  readOptions,
  spawnPart,
  startPart,
  stopPart,
} from "./cluster/parts.ts";
import { writePki } from "./cluster/pki.ts";
import { endProgram, startProgram } from "./cluster/process.ts";
import { needPrograms } from "./cluster/programs.ts";
import { untilThere } from "./cluster/request.ts";
import { run } from "./world/command.ts";
import { type WorldFacts, worldFacts } from "./world/facts.ts";
import { removeFiles, unmountAll } from "./world/teardown.ts";

export {
  answerRequests,
  CLIENT_SIGNER,
  SERVING_SIGNER,
} from "./cluster/approve.ts";
export { auditCounts } from "./cluster/audit.ts";
export { makeRequest } from "./cluster/certificates.ts";
export { kubectl } from "./cluster/kubectl.ts";
export { startKubelet } from "./cluster/kubelet.ts";
export {
  forgetMetricsServer,
  startMetricsServer,
} from "./cluster/metrics_server.ts";
export {
  freezePart,
  startApiServer,
  stopApiServer,
  thawPart,
} from "./cluster/parts.ts";
export { writeUserKubeconfig } from "./cluster/pki.ts";
export { apply, ask, get } from "./cluster/request.ts";
export {
  type ClusterFacts,
  clusterFacts,
  type ClusterOptions,
  clusterPids,
  needPrograms,
  startPart,
  stopKubelet,
  stopPart,
};

/**
 * Brings the control plane up, or completes it. A part that runs already keeps
 * the options it was started with; without any, the last ones hold.
 */
export async function clusterUp(
  world: WorldFacts,
  options?: Partial<ClusterOptions>,
): Promise<ClusterFacts> {
  const cluster = clusterFacts(world);
  await needPrograms("server");
  await claimFolder(cluster);
  const chosen = options === undefined
    ? await readOptions(cluster)
    : { ...DEFAULT_OPTIONS, ...options };
  await Promise.all([
    Deno.writeTextFile(cluster.options, JSON.stringify(chosen)),
    // JSON is YAML.
    Deno.writeTextFile(
      `${cluster.root}/audit-policy.yaml`,
      JSON.stringify(AUDIT_POLICY),
    ),
    makeBridge(cluster),
    writePki(cluster),
  ]);
  await startPart(world, "etcd");
  await startPart(world, "kube-apiserver");
  // Earlier, they would only take its processor time and then wait.
  await spawnPart(cluster, "kube-controller-manager");
  await spawnPart(cluster, "kube-scheduler");
  await applyBootstrap(cluster, chosen);
  if (chosen.approve.includes("serving")) await startApprover(cluster);
  await untilUsable(world);
  return cluster;
}

/** Pods can be made when their service account and its CA are there. */
async function untilUsable(world: WorldFacts): Promise<void> {
  const cluster = clusterFacts(world);
  const namespace = "/api/v1/namespaces/default";
  await startPart(world, "kube-scheduler");
  await startPart(world, "kube-controller-manager");
  await untilThere(cluster, `${namespace}/serviceaccounts/default`);
  await untilThere(cluster, `${namespace}/configmaps/kube-root-ca.crt`);
}

/** /var/tmp is everybody's: a folder that somebody else made is not ours. */
async function claimFolder(cluster: ClusterFacts): Promise<void> {
  const { root } = cluster.world;
  await Deno.mkdir(root, { recursive: true, mode: 0o711 });
  for (const folder of [root, root.slice(0, root.lastIndexOf("/"))]) {
    const { uid, isDirectory } = await Deno.lstat(folder);
    if (!isDirectory || uid !== Deno.uid()) {
      throw new Error(`Cannot use ${folder}: another user made it`);
    }
  }
  await Deno.mkdir(cluster.root, { recursive: true, mode: 0o700 });
}

/**
 * Ends the control plane, and the kubelet where one runs, and removes their
 * files. Containers stay: they are the world's.
 */
export async function clusterDown(world: WorldFacts): Promise<void> {
  const cluster = clusterFacts(world);
  await stopKubelet(world);
  await stopMetricsServer(world);
  await endProgram(approverMark(cluster), "kill");
  // Nothing of it is to be kept, so nobody is asked to finish.
  for (const part of PARTS.toReversed()) await stopPart(world, part, "kill");
  await unmountAll(cluster.root);
  await removeBridge(cluster);
  await removeFiles(cluster.root);
  // The world's folder too, where there was no more to the world.
  await run("rmdir", [world.root], { failure: "ignore" });
}

function approverMark(cluster: ClusterFacts): string {
  return `--cluster=${cluster.root}`;
}

async function startApprover(cluster: ClusterFacts): Promise<void> {
  const mark = approverMark(cluster);
  const program = new URL("./cluster/approver.ts", import.meta.url).pathname;
  await startProgram({
    path: Deno.execPath(),
    args: ["run", "-A", program, cluster.world.name, mark],
    mark,
    log: `${cluster.root}/approver.log`,
  });
}

const VERBS: Record<string, (world: WorldFacts) => Promise<string>> = {
  up: async (world) => {
    const { server, adminKubeconfig } = await clusterUp(world);
    return `cluster ${world.name} is up: ${server}\n` +
      `export KUBECONFIG=${adminKubeconfig}`;
  },
  agent: async (world) => {
    const pid = await startMember(world);
    return `node ${world.name} is Ready; its agent runs as process ${pid}`;
  },
  down: async (world) => {
    await clusterDown(world);
    return `cluster ${world.name} is gone`;
  },
  status: async (world) => {
    const facts = clusterFacts(world);
    return JSON.stringify(
      { ...facts, pids: await clusterPids(world) },
      null,
      2,
    );
  },
};

if (import.meta.main) {
  const [verb, name] = Deno.args;
  const command = VERBS[verb ?? ""];
  if (command === undefined || name === undefined) {
    console.error(
      "usage: deno run -A deploy/cluster.ts up|agent|down|status NAME",
    );
    Deno.exit(2);
  }
  try {
    console.log(await command(worldFacts(name)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
