/** A member whose certificate is no good: nobody's node, until it is somebody's. */
import assert from "node:assert/strict";
import { issue, makeAuthority } from "../../deploy/cluster/certificates.ts";
import { readBootstrapToken } from "../../deploy/cluster/pki.ts";
import { says, world } from "./agent_world.ts";
import {
  badTest,
  becomesReady,
  CERT_DIR,
  explained,
  file,
  FOLDER,
  isStill,
  keepsQuiet,
  kubeconfig,
  start,
  tells,
} from "./bad_member_world.ts";
import { cluster, kubectl } from "./member_world.ts";
import { BOOT, NONE, pairOf, secretsOf, shown } from "./bad_identity.ts";

/** The node of this name, as another machine has left it. */
async function foreignNode(): Promise<string> {
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: world.name, labels: { machine: "other" } },
    spec: { providerID: "cloud://other" },
  };
  await kubectl("create", "-f", await file("node.json", JSON.stringify(node)));
  return await uidOfNode();
}

function uidOfNode(): Promise<string> {
  return kubectl("get", "node", world.name, "-o", "jsonpath={.metadata.uid}");
}

badTest("a credential that cannot be used is named", async (well) => {
  const pair = await pairOf();
  await file("c.pem", pair.certificate);
  await file("half.pem", pair.key.slice(0, 150));
  await Deno.mkdir(`${FOLDER}/folder.pem`);
  const files = (key: string) => ({
    "client-certificate": "c.pem",
    "client-key": key,
  });
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "/usr/bin/aws",
    interactiveMode: "Never",
  };
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ["half.conf", files("half.pem"), /half\.conf: .*key.*not whole PEM/],
    ["folder.conf", files("folder.pem"), /folder\.pem: not a regular file/],
    ["nokey.conf", files("nokey.pem"), /nokey\.pem: there is no such file/],
    ["notoken.conf", { tokenFile: "no-token" }, /no-token: there is no such/],
  ];
  for (const [name, user, words] of cases) {
    const path = await file(name, kubeconfig({ user }));
    const log = await start({ kubeconfig: path });
    const said = await tells(words, log);
    assert.match(said, /^Not well as a node of its cluster: /);
    await keepsQuiet(secretsOf(pair), log);
    await isStill(well);
  }
  // With it the agent would not have started; where it comes late that is said.
  const log = await start({ kubeconfig: `${FOLDER}/exec.conf` });
  await file("exec.conf", kubeconfig({ user: { exec } }));
  await tells(/add \/usr\/bin\/aws to \\?"run\\?" of the permissions/, log);
  await isStill(well);
  // The token file comes late.
  const token = await readBootstrapToken(cluster);
  await start({ kubeconfig: `${FOLDER}/notoken.conf` });
  await file("no-token", token);
  // It may only ask for a certificate, which is then enough.
  await says(/node: is registered\n/, explained);
});

badTest("the certificate of a former cluster is not kept", async () => {
  const former = await issue(await makeAuthority("kubernetes"), {
    commonName: `system:node:${world.name}`,
    organization: "system:nodes",
    use: "client",
  });
  await Deno.mkdir(CERT_DIR, { recursive: true });
  await Deno.writeTextFile(
    `${CERT_DIR}/kubelet-client-current.pem`,
    former.certificate + former.key,
  );
  await start({ kubeconfig: NONE, bootstrap: BOOT });
  await becomesReady();
});

const OTHERS = new RegExp(`node 'another' cannot read '${world.name}'`);

badTest("somebody else's certificate makes no node", async (well) => {
  // Compat: kubelet 1.36 tries for ever, too, and leaves the node as it is.
  const uid = await foreignNode();
  const pair = await pairOf({ commonName: "system:node:another" });
  const path = await file("alien.conf", kubeconfig({ user: shown(pair) }));
  for (const rotate of [true, false]) {
    const log = await start({ kubeconfig: path, rotate });
    const said = await tells(OTHERS, log);
    assert.match(said, /registers this node .*system:node:another/);
    if (rotate) assert.match(said, /can only create a node CSR with CN=/);
    await isStill(well);
  }
  assert.equal(await uidOfNode(), uid);
  // Compat: kubelet 1.36 tryRegisterWithAPIServer: with the name's own
  // certificate the node is taken over, whatever machine it was.
  await start({ kubeconfig: NONE, bootstrap: BOOT });
  await becomesReady();
  assert.equal(await uidOfNode(), uid);
});
