/** From a bootstrap token to a node with a node's rights, and no more. */
import assert from "node:assert/strict";
import { clusterUp, startPart, stopPart } from "../../deploy/cluster.ts";
import { memberFiles, startMember } from "../../deploy/cluster/agent.ts";
import { agentPids } from "../../deploy/world/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { agentLog, pause, says, until, world } from "./agent_world.ts";
import { cluster, kubectl, memberTest, NODE_USER } from "./member_world.ts";

const { kubeconfig, certDir } = memberFiles(cluster);
const PAIR = `${certDir}/kubelet-client-current.pem`;

/** As on a machine that has never been a node. */
async function forget(): Promise<void> {
  await stopAgent(world);
  await kubectl("delete", "node", world.name, "--ignore-not-found");
  await Deno.remove(kubeconfig).catch(() => {});
  await Deno.remove(certDir, { recursive: true }).catch(() => {});
}

function asNode(...args: string[]): Promise<string> {
  return kubectl(...args, `--kubeconfig=${kubeconfig}`);
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

memberTest("a bootstrap token is enough, and the files stay", async () => {
  await forget();
  const startMs = Date.now();
  await startMember(world);
  const tookMs = Date.now() - startMs;
  assert.ok(tookMs < 5_000, `Ready after ${tookMs} ms`);
  assert.equal(modeOf(kubeconfig), 0o600);
  assert.equal(modeOf(PAIR), 0o600);
  const text = await Deno.readTextFile(kubeconfig);
  assert.ok(text.includes(`client-certificate: ${PAIR}`), text);
  const pair = await Deno.realPath(PAIR);
  await stopAgent(world);
  await startMember(world);
  assert.equal(await Deno.realPath(PAIR), pair, "the second start uses it");
  assert.equal(await Deno.readTextFile(kubeconfig), text);
  const own = await Deno.readTextFile(PAIR);
  const key = own.slice(own.indexOf("PRIVATE KEY")).split("\n")[1] ?? "?";
  assert.ok(!(await agentLog()).includes(key), "no key in the log");
});

memberTest("a node may do what a node may, and no more", async () => {
  const may = async (...what: string[]) =>
    (await asNode("auth", "can-i", ...what).catch((error: Error) =>
      /^Cannot run.*\n?no/s.test(error.message) ? "no" : error.message
    )).trim();
  for (
    const what of [
      ["list", "secrets"],
      ["create", "deployments"],
      ["delete", "nodes"],
      ["get", "clusterroles"],
    ]
  ) assert.notEqual(await may(...what), "yes", what.join(" "));
  const refusals: [RegExp, string[]][] = [
    [
      /not allowed to modify node|forbidden/,
      ["label", "node", "another", "a=b"],
    ],
    [/forbidden/, ["label", "node", world.name, "node-role.kubernetes.io/a=b"]],
    [/forbidden/, ["get", "secrets", "-A"]],
    [/forbidden/, ["delete", "namespace", "default"]],
  ];
  for (const [words, args] of refusals) {
    await assert.rejects(() => asNode(...args), words, args.join(" "));
  }
});

memberTest("the certificate is renewed and used meanwhile", async () => {
  await stopPart(world, "kube-controller-manager");
  await clusterUp(world, {
    // Dated back by 5 minutes: due within about half a minute.
    flags: { "kube-controller-manager": ["--cluster-signing-duration=72s"] },
  });
  try {
    await forget();
    await startMember(world);
    const [pid] = await agentPids(world);
    const first = await Deno.realPath(PAIR);
    const before = await credentials(0);
    await until(
      "another certificate",
      async () => await Deno.realPath(PAIR) !== first,
      60_000,
    );
    const sinceMs = Date.now();
    await until(
      "its use",
      async () =>
        (await credentials(sinceMs)).some((id) => !before.includes(id)),
      20_000,
    );
    assert.deepEqual(await agentPids(world), [pid], "without a restart");
  } finally {
    await stopPart(world, "kube-controller-manager");
    await clusterUp(world, {});
    await startPart(world, "kube-controller-manager");
    await forget();
  }
});

/** The certificates that the node's requests came with. */
async function credentials(sinceMs: number): Promise<string[]> {
  const text = await Deno.readTextFile(cluster.auditLog);
  const lines = text.slice(0, text.lastIndexOf("\n")).split("\n");
  return lines.map((line) => JSON.parse(line))
    .filter(({ user, requestReceivedTimestamp }) =>
      user.username === NODE_USER &&
      Date.parse(requestReceivedTimestamp) >= sinceMs
    ).flatMap(({ user }) =>
      user.extra?.["authentication.kubernetes.io/credential-id"] ?? []
    );
}

memberTest("cordon and taints are kept over a restart", async () => {
  await kubectl("cordon", world.name);
  await kubectl("taint", "node", world.name, "a=b:NoSchedule");
  await stopAgent(world);
  await startMember(world);
  await pause(1_000);
  const node = JSON.parse(
    await kubectl("get", "node", world.name, "-o", "json"),
  );
  assert.equal(node.spec.unschedulable, true);
  assert.ok(node.spec.taints.some(({ key }: { key: string }) => key === "a"));
  await kubectl("uncordon", world.name);
  await kubectl("taint", "node", world.name, "a-");
  await says(/Ready/, () => kubectl("get", "node", world.name));
});
