/**
 * Each installer's files and flags, and the real program started with them: it
 * joins under the wished name, with its labels and provider, by the identity
 * that the installer gives it.
 */
import assert from "node:assert/strict";
import {
  readBootstrapToken,
  writeUserKubeconfig,
} from "../../deploy/cluster/pki.ts";
import { get } from "../../deploy/cluster/request.ts";
import { startMember } from "../../deploy/cluster/agent.ts";
import { isNodeReady } from "../../deploy/cluster/kubelet.ts";
import { stopAgent } from "../../deploy/world.ts";
import { isHealthy } from "../../deploy/world/agent.ts";
import { CHECKOUT, until, world } from "./agent_world.ts";
import { type Installed, INSTALLERS, type Place } from "./installers.ts";
import { cluster, kubectl, memberTest } from "./member_world.ts";

interface NodeObject {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly providerID?: string };
}

async function place(name: string): Promise<Place> {
  const root = `${world.root}/installers/${name}`;
  await Deno.mkdir(`${root}/pki`, { recursive: true });
  const ca = await Deno.readTextFile(cluster.ca.certificate);
  await Deno.writeTextFile(`${root}/pki/ca.crt`, ca);
  return {
    ...{ root, cluster, hostRoot: world.hostRoot, caData: btoa(ca) },
    ...{ runtimeSocket: world.socket, cgroupRoot: world.cgroupRoot },
    healthzPort: world.healthzPort,
    token: await readBootstrapToken(cluster),
  };
}

/** A program in the cloud's place: it hands out a node's own token. */
async function writeAws(root: string): Promise<void> {
  const token = (await kubectl(
    ...["create", "token", "default", "--duration=1h", "-n", "kube-system"],
  )).trim();
  const answer = JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1beta1",
    kind: "ExecCredential",
    status: { token },
  });
  const script = `#!/bin/sh\n[ "$1 $2" = "eks get-token" ] || exit 1\n` +
    `echo '${answer}'\n`;
  await Deno.writeTextFile(`${root}/aws`, script, { mode: 0o755 });
  // The cloud's authenticator maps it to a node; here a binding does.
  await kubectl(
    ...["create", "clusterrolebinding", "denolet-test-installers"],
    ...["--clusterrole=cluster-admin", "--serviceaccount=kube-system:default"],
  );
}

async function writeFiles(
  { files, certified }: Installed,
  root: string,
): Promise<void> {
  for (const [file, text] of files) {
    const path = `${root}/${file}`;
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(path, text, { mode: 0o600 });
  }
  if (certified !== undefined) {
    const { file, ...subject } = certified;
    await writeUserKubeconfig(cluster, `${root}/${file}`, subject);
  }
}

async function joins(name: string): Promise<void> {
  const installer = INSTALLERS.get(name);
  assert.ok(installer !== undefined);
  const own = await place(name);
  const installed = installer(own);
  const { words, files, programs, labels, providerId } = installed;
  await writeFiles(installed, own.root);
  if (name === "eks") await writeAws(own.root);
  const said = await Deno.open(`${own.root}/agent.log`, {
    ...{ create: true, write: true },
  });
  // Its certificates are its own, as on a machine that is new.
  const child = new Deno.Command("/bin/sh", {
    args: [
      "-c",
      'log=$1; shift; exec "$0" "$@" >>"$log" 2>&1',
      ...[Deno.execPath(), `${own.root}/agent.log`, "run", "--quiet"],
      ...["--no-prompt", "-P=scratch"],
      ...programs.map((path) => `--allow-run=${path}`),
      ...[`${CHECKOUT}main.ts`, ...words, `--cert-dir=${own.root}/pki`],
    ],
    cwd: CHECKOUT,
    stdin: "null",
  }).spawn();
  said.close();
  const node = name === "kops" ? "from-kubeadm" : `from-${name}`;
  try {
    await until(`node ${node} to be Ready`, async () => {
      return await isNodeReady(cluster, node);
    });
    assert.ok(await isHealthy(world));
    const { metadata, spec } = await get<NodeObject>(
      cluster,
      `/api/v1/nodes/${node}`,
    );
    assert.equal(metadata.labels["kubernetes.io/hostname"], node);
    for (const [label, value] of Object.entries(labels ?? {})) {
      assert.equal(metadata.labels[label], value, label);
    }
    assert.equal(spec.providerID, providerId);
    if (files.has("kubeconfig")) return;
    const pair = await Deno.realPath(
      `${own.root}/pki/kubelet-client-current.pem`,
    );
    assert.match(pair, /kubelet-client-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.pem$/);
  } catch (cause) {
    const log = await Deno.readTextFile(`${own.root}/agent.log`);
    throw new Error(`${cause}; its log:\n${log.slice(-2_000)}`, { cause });
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await kubectl("delete", "node", node, "--ignore-not-found");
    await kubectl(
      ...["delete", "clusterrolebinding", "denolet-test-installers"],
      "--ignore-not-found",
    );
  }
}

memberTest("each installer's files and flags make a node", async () => {
  await stopAgent(world);
  try {
    for (const name of INSTALLERS.keys()) await joins(name);
  } finally {
    const folder = `${world.root}/installers`;
    await Deno.remove(folder, { recursive: true });
    await startMember(world);
  }
});
