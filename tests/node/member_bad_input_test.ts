/**
 * A member with kubeconfigs, certificates and tokens that are no good: what is
 * wrong is said where people look, with what to do; the agent and its static
 * pod stay; nothing secret is told; and it joins as soon as it can.
 */
import assert from "node:assert/strict";
import { makeAuthority } from "../../deploy/cluster/certificates.ts";
import { clusterUp } from "../../deploy/cluster.ts";
import { readBootstrapToken } from "../../deploy/cluster/pki.ts";
import { readIfThere } from "../../deploy/world/command.ts";
import { pause, runProgram, says, until, world } from "./agent_world.ts";
import {
  answerRequests,
  badTest,
  becomesReady,
  CERT_DIR,
  explained,
  file,
  FOLDER,
  forget,
  isStill,
  isWell,
  keepsQuiet,
  kubeconfig,
  start,
  tells,
} from "./bad_member_world.ts";
import { cluster, kubectl } from "./member_world.ts";
import { BOOT, NONE, pairOf, secretsOf, shown } from "./bad_identity.ts";

const SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";

badTest("a kubeconfig that cannot be read is named", async (well) => {
  const cases: [string, string, RegExp][] = [
    ["none.conf", "", /there is no file .*none\.conf/],
    ["empty.conf", "", /empty\.conf: it is empty/],
    [
      "binary.conf",
      "\x00\x01\xff\n\x02",
      /Cannot use kubeconfig .*binary\.conf/,
    ],
    ["text.conf", "hello", /text\.conf: it is no map/],
    [
      "syntax.conf",
      "kind: Config\nusers: [{user: {token: hunter2-hunter2}\n  x: [",
      /syntax\.conf: .* line \d+, column \d+/,
    ],
    ["list.conf", "[]", /list\.conf: it is no map/],
    [
      "context.conf",
      "kind: Config",
      /context\.conf: it has no current-context/,
    ],
    [
      "server.conf",
      kubeconfig({ cluster: { server: "https://" } }),
      /server\.conf: server "https:.*" is not a URL/,
    ],
    [
      "base64.conf",
      kubeconfig({ user: { "client-key-data": "hunter2-hunter2" } }),
      /base64\.conf: a \.\.\.-data field is not base64/,
    ],
  ];
  for (const [name, text, words] of cases) {
    if (name !== "none.conf") await file(name, text);
    const log = await start({ kubeconfig: `${FOLDER}/${name}` });
    const said = await tells(words, log);
    assert.match(said, /^Not well as a node of its cluster: .*Kubeconfig/);
    assert.match(said, /no --bootstrap-kubeconfig to get another/);
    await keepsQuiet(["hunter2-hunter2"], log);
    await isStill(well);
  }
});

badTest(
  "a server that is not to be reached or trusted is named",
  async (well) => {
    const pair = await pairOf();
    const user = shown(pair);
    const other = await makeAuthority("kubernetes");
    const odd = { "certificate-authority-data": btoa(other.certificate) };
    const away = { server: "https://127.0.0.1:1" };
    const proxy = { "proxy-url": "http://127.0.0.1:9" };
    const cases: [string, Record<string, unknown>, RegExp][] = [
      ["away.conf", away, /nobody listens at https:\/\/127\.0\.0\.1:1/],
      [
        "other.conf",
        odd,
        new RegExp(
          `${cluster.server} is not signed by the CA of the kubeconfig`,
        ),
      ],
      ["proxy.conf", proxy, /Cannot go through proxy 127\.0\.0\.1:9: /],
    ];
    for (const [name, own, words] of cases) {
      const path = await file(name, kubeconfig({ cluster: own, user }));
      for (const rotate of [true, false]) {
        const log = await start({ kubeconfig: path, rotate });
        const said = await tells(words, log);
        assert.match(said, /^Not well as a node of its cluster: /);
        assert.match(said, new RegExp(`  pods: .*${words.source}`));
        await keepsQuiet(secretsOf(pair), log);
        await isStill(well);
      }
    }
  },
);

badTest(
  "an expired certificate: a token helps, else it is said",
  async (well) => {
    const pair = await pairOf({ lifetimeMs: -60_000 });
    const path = await file("old.conf", kubeconfig({ user: shown(pair) }));
    for (const rotate of [true, false]) {
      const log = await start({ kubeconfig: path, rotate });
      const said = await tells(/CertificateExpired.*ended at 20/, log);
      assert.match(said, /old\.conf ended at .*no --bootstrap-kubeconfig/);
      await keepsQuiet(secretsOf(pair), log);
      await isStill(well);
    }
    const log = await start({ kubeconfig: path, bootstrap: BOOT });
    await becomesReady();
    await says(/^All is well/, explained);
    assert.match(await log(), /old\.conf ended at .*Z"/);
    assert.match(await Deno.readTextFile(path), /default-auth/);
    const token = await readBootstrapToken(cluster);
    await keepsQuiet([...secretsOf(pair), token.slice(7)], log);
  },
);

badTest(
  "half a key in the store and in the kubeconfig is replaced",
  async () => {
    const { certificate, key } = await pairOf();
    await Deno.mkdir(CERT_DIR, { recursive: true });
    const half = certificate + key.slice(0, 150);
    await Deno.writeTextFile(`${CERT_DIR}/kubelet-client-current.pem`, half);
    const pem = `${CERT_DIR}/kubelet-client-current.pem`;
    const user = { "client-certificate": pem, "client-key": pem };
    const path = await file("half.conf", kubeconfig({ user }));
    await start({ kubeconfig: path, bootstrap: BOOT });
    await becomesReady();
    const names = [...Deno.readDirSync(CERT_DIR)].map(({ name }) => name);
    assert.ok(names.some((name) => name.endsWith(".broken")), "it is kept");
    assert.notEqual(await readIfThere(pem), half);
  },
);

badTest(
  "a wrong bootstrap token is replaced without a restart",
  async (well) => {
    const secret = "0123456789abcdef";
    const user = { token: `abcdef.${secret}` };
    const path = await file("boot.conf", kubeconfig({ user }));
    const log = await start({ kubeconfig: NONE, bootstrap: path });
    await tells(/Unauthorized: put a fresh token into .*boot\.conf/, log);
    await keepsQuiet([secret], log);
    await isStill(well);
    const token = await readBootstrapToken(cluster);
    await file("boot.conf", kubeconfig({ user: { token } }));
    await becomesReady();
    await says(/^All is well/, explained);
    const lost = await start({ kubeconfig: `${NONE}2`, bootstrap: `${NONE}3` });
    await tells(/there is no bootstrap kubeconfig .*none\.conf3/, lost);
  },
);

badTest(
  "a request waits for approval, and says how to give it",
  async (well) => {
    await clusterUp(world, { approve: ["renewal"] });
    await kubectl(
      ...["delete", "clusterrolebinding", "--ignore-not-found"],
      "kubeadm:node-autoapprove-bootstrap",
    );
    try {
      const log = await start({ kubeconfig: NONE, bootstrap: BOOT });
      const waits = /approval: (kubectl certificate approve node-csr-[\w-]+)/;
      const said = await tells(waits, log);
      const command = waits.exec(said)?.[1]?.split(" ") ?? [];
      await isStill(well);
      await kubectl(...command.slice(1));
      await becomesReady();
      await says(/^All is well/, explained);
      await forget();
      const second = await start({ kubeconfig: NONE, bootstrap: BOOT });
      await until(
        "a request to deny",
        async () =>
          (await answerRequests(cluster, SIGNER, "Denied")).length > 0,
      );
      const denied = await tells(/CertificateDenied.* was refused/, second);
      assert.match(denied, /another one will be made.*kubectl certificate app/);
      await isStill(well);
      await pause(3_000);
      const pending = await answerRequests(cluster, SIGNER);
      assert.equal(pending.length, 0, "who said no is not asked at once");
    } finally {
      await clusterUp(world, {});
    }
  },
);

badTest("a node name that is no DNS name is refused at once", async () => {
  const config = `--config=${world.agentConfig}`;
  const names = ["no_dns", "-a", "a..b", "x".repeat(254), "ä", "a b", "a/../b"];
  for (const name of names) {
    const flag = `--hostname-override=${name}`;
    const { code, err } = await runProgram(config, flag);
    assert.equal(code, 1, name);
    assert.match(
      err,
      /^denolet: --hostname-override: value ".*" is not allowed: a DNS name/m,
    );
  }
});

badTest("files that come late are taken without a restart", async (well) => {
  const log = await start({ kubeconfig: `${FOLDER}/late.conf` });
  await tells(/there is no file .*late\.conf/, log);
  await isStill(well);
  await file("late.conf", kubeconfig({ user: shown(await pairOf()) }));
  await becomesReady();
  await isWell();
});
