/**
 * What `denolet permissions` prints is enough for a node, and with less the
 * agent does not start, says why and touches nothing.
 */
import assert from "node:assert/strict";
import { memberFlags, startMember } from "../../deploy/cluster/agent.ts";
import { isNodeReady } from "../../deploy/cluster/kubelet.ts";
import { agentPids, spawnAgent } from "../../deploy/world/agent.ts";
import { stopAgent } from "../../deploy/world.ts";
import { agentLog, runProgram, until, world } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  cluster,
  gone,
  isReady,
  kubectl,
  memberTest,
  pod,
} from "./member_world.ts";

const OWN = [
  `--config=${world.agentConfig}`,
  `--hostname-override=${world.name}`,
];

memberTest("what `permissions` prints is enough for a node", async () => {
  const printed = await runProgram(
    "permissions",
    `--pod-cidr=${world.subnet}`,
    `--image-dir=${world.containerd.root}`,
    ...OWN,
    ...memberFlags(cluster),
  );
  assert.equal(printed.code, 0, printed.err);
  const grants = printed.out.trim().split("\n");
  assert.ok(!grants.includes("--allow-net"), "each address by itself");
  await stopAgent(world);
  const mark = (await agentLog()).length;
  const pid = await spawnAgent(world, memberFlags(cluster), [], grants);
  try {
    await until("a Ready node", () => isNodeReady(cluster, world.name));
    const args = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    assert.ok(!args.includes("-P="), "by these grants alone");
    await apply(aPod("granted", {
      containers: [aContainer("web", {
        command: ["sh", "-c", "echo ok >/v/index.html; httpd -f -p 80 -h /v"],
        readinessProbe: { httpGet: { path: "/index.html", port: 80 } },
        livenessProbe: { exec: { command: ["true"] } },
        volumeMounts: [{ name: "v", mountPath: "/v" }],
      })],
      volumes: [{ name: "v", emptyDir: {} }],
    }));
    await until("a Ready pod", async () => {
      const found = await pod("granted");
      return found !== undefined && isReady(found);
    });
    const said = await kubectl("exec", "granted", "--", "echo", "here");
    assert.equal(said, "here\n");
    await kubectl("delete", "pod", "granted", "--wait=false");
    await gone("granted");
    const refused = (await agentLog(mark)).split("\n")
      .filter((line) => /NotCapable|Requires .* access/.test(line));
    assert.deepEqual(refused, []);
  } finally {
    await stopAgent(world);
    await startMember(world);
  }
});

memberTest(
  "without a grant the agent says which, and does nothing",
  async () => {
    const elsewhere = "/var/tmp/denolet-elsewhere";
    const rows: [string[], string][] = [
      [
        [`--root-dir=${elsewhere}`],
        `--allow-write=${elsewhere}  wanted by --root-dir`,
      ],
      [
        [`--cert-dir=${elsewhere}`],
        `--allow-write=${elsewhere}  wanted by --cert-dir`,
      ],
      [
        ["--manifest-url=http://192.0.2.1/pods"],
        "--allow-net=192.0.2.1:80  wanted by staticPodURL",
      ],
      [
        ["--container-runtime-endpoint=unix:///run/none.sock"],
        "--allow-net=unix:/run/none.sock  wanted by containerRuntimeEndpoint",
      ],
      [
        ["--resolv-conf=/etc/other.conf"],
        "--allow-read=/etc/other.conf  wanted by resolvConf",
      ],
    ];
    const [pid] = await agentPids(world);
    for (const [words, line] of rows) {
      const { code, err, out } = await runProgram(...OWN, ...words);
      assert.equal(code, 1, line);
      assert.equal(out, "");
      assert.ok(err.includes(line), `${line} in ${err}`);
      assert.match(
        err,
        /^denolet: Cannot start: the configuration needs what/m,
      );
    }
    assert.deepEqual(await agentPids(world), [pid], "the other one runs on");
    await assert.rejects(Deno.lstat(elsewhere), Deno.errors.NotFound);
    await until("a Ready node", () => isNodeReady(cluster, world.name));
  },
);

memberTest("an identity that takes a program takes its grant", async () => {
  const path = `${world.root}/exec.kubeconfig`;
  const command = `${world.root}/bin/tokens`;
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "c" },
      clusters: [{ name: "c", cluster: { server: cluster.server } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      users: [{
        name: "u",
        user: {
          exec: { apiVersion: "client.authentication.k8s.io/v1", command },
        },
      }],
    }),
  );
  try {
    const { code, err } = await runProgram(...OWN, `--kubeconfig=${path}`);
    assert.equal(code, 1);
    const line = `--allow-run=${command}  wanted by --kubeconfig (exec)`;
    assert.ok(err.includes(line), err);
  } finally {
    await Deno.remove(path);
  }
});
