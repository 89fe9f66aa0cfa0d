/** The shipped configuration passes; each check can fail, and says on what. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import {
  type Audited,
  cisRows,
  cisTable,
  type FileFacts,
} from "./cis_checks.ts";

const HARDENED = new URL("../../deploy/samples/hardened.yaml", import.meta.url);
const CLOSED: FileFacts = { mode: 0o100600, uid: 0, gid: 0 };
const OPEN: FileFacts = { mode: 0o100644, uid: 0, gid: 0 };

async function hardened(own: Partial<Audited> = {}): Promise<Audited> {
  return {
    words: ["kubelet", "--config=/var/lib/kubelet/config.yaml"],
    config: parse(await Deno.readTextFile(HARDENED)),
    files: {
      service: CLOSED,
      proxyKubeconfig: undefined,
      kubeconfig: CLOSED,
      clientCa: OPEN,
      config: CLOSED,
    },
    ...own,
  };
}

/** What `kubeadm init` of 1.36 leaves on a machine. */
const KUBEADM: Audited = {
  words: [
    "kubelet",
    "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
    "--kubeconfig=/etc/kubernetes/kubelet.conf",
    "--config=/var/lib/kubelet/config.yaml",
  ],
  config: {
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true, cacheTTL: "0s" },
      x509: { clientCAFile: "/etc/kubernetes/pki/ca.crt" },
    },
    authorization: { mode: "Webhook" },
    rotateCertificates: true,
    streamingConnectionIdleTimeout: "0s",
  },
  files: {
    service: OPEN,
    proxyKubeconfig: undefined,
    kubeconfig: CLOSED,
    clientCa: OPEN,
    config: OPEN,
  },
};

function failed(audited: Audited): readonly string[] {
  return cisRows(audited).filter(({ isPassed }) => !isPassed)
    .map(({ id }) => id);
}

Deno.test("CIS 4.1 and 4.2: the shipped configuration passes every check", async () => {
  const own = await hardened();
  console.log(cisTable([
    { name: "hardened.yaml", rows: cisRows(own) },
    { name: "kubeadm's default", rows: cisRows(KUBEADM) },
  ]));
  assert.equal(cisRows(own).length, 24);
  assert.deepEqual(failed(own), []);
});

Deno.test("CIS 4.1 and 4.2: kubeadm's default fails some", () => {
  assert.deepEqual(failed(KUBEADM), [
    ...["4.1.1", "4.1.9", "4.2.5", "4.2.9"],
    ...["4.2.12", "4.2.13", "4.2.14"],
  ]);
});

Deno.test("CIS 4.1 and 4.2: each check fails on a bad value, and alone", async () => {
  const flags: readonly [string, string][] = [
    ["4.2.1", "--anonymous-auth=true"],
    ["4.2.2", "--authorization-mode=AlwaysAllow"],
    ["4.2.3", "--client-ca-file="],
    ["4.2.4", "--read-only-port=10255"],
    ["4.2.5", "--streaming-connection-idle-timeout=0"],
    ["4.2.6", "--make-iptables-util-chains=false"],
    ["4.2.7", "--hostname-override=x"],
    ["4.2.8", "--event-qps=-1"],
    ["4.2.10", "--rotate-certificates=false"],
    ["4.2.11", "--feature-gates=A=true,RotateKubeletServerCertificate=false"],
    ["4.2.12", "--tls-cipher-suites=TLS_RSA_WITH_AES_128_GCM_SHA256"],
    ["4.2.13", "--pod-max-pids=-1"],
    ["4.2.14", "--seccomp-default=false"],
  ];
  for (const [id, flag] of flags) {
    const audited = await hardened({ words: ["kubelet", flag] });
    assert.deepEqual(failed(audited), [id], flag);
  }
  const { config } = await hardened();
  const signed = Object.assign({}, config, { serverTLSBootstrap: false });
  assert.deepEqual(failed(await hardened({ config: signed })), ["4.2.9"]);
  const odd = { mode: 0o100666, uid: 1000, gid: 0 };
  const files = [
    "service",
    "proxyKubeconfig",
    "kubeconfig",
    "clientCa",
    "config",
  ];
  for (const [at, file] of files.entries()) {
    const audited = await hardened();
    assert.deepEqual(
      failed({ ...audited, files: { ...audited.files, [file]: odd } }),
      [`4.1.${2 * at + 1}`, `4.1.${2 * at + 2}`],
    );
  }
});
