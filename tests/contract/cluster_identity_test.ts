/**
 * Certificates from a real cluster: a bootstrap token becomes a certificate,
 * people say no or say yes late, a renewed one is used without a restart, and
 * watches outlive the API server. Wanted from the environment:
 * - DENOLET_TEST_KUBECONFIG: an admin's, as deploy/cluster.ts writes it; the
 *   bootstrap kubeconfig is beside it.
 * - DENOLET_TEST_WORLD (optional): the name of that world, whose API server
 *   may be taken down.
 */
import assert from "node:assert/strict";
import { cell, type Reader } from "../../lib/base/cell.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { isAbort } from "../../lib/base/errors.ts";
import { silentLogger } from "../../lib/base/log.ts";
import { systemRandom } from "../../lib/base/random.ts";
import {
  type ClientParts,
  type ClientSettings,
  ensureKubeconfig,
} from "../../lib/identity/bootstrap.ts";
import { runClientCertificate } from "../../lib/identity/run.ts";
import { type CertificateView, emptyView } from "../../lib/identity/types.ts";
import { View } from "../../lib/identity/view.ts";
import { kubeconfigs, systemKeys } from "../../lib/kube/open.ts";
import type { Cluster, Kubeconfigs } from "../../lib/port/cluster.ts";
import { startApiServer, stopApiServer } from "../../deploy/cluster.ts";
import { worldFacts } from "../../deploy/world/facts.ts";
import { Admin, KUBECONFIG, kubeOptions, realFiles } from "./cluster_real.ts";

const ignore = KUBECONFIG === "";
const WORLD = Deno.env.get("DENOLET_TEST_WORLD") ?? "";
const BINDING = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/" +
  "kubeadm:node-autoapprove-bootstrap";

if (ignore) {
  console.warn(
    "SKIPPED: no certificate is got from a real cluster, because " +
      "DENOLET_TEST_KUBECONFIG is not set",
  );
} else if (WORLD === "") {
  console.warn(
    "SKIPPED: the API server is not restarted, because DENOLET_TEST_WORLD " +
      "is not set",
  );
}

interface Node {
  readonly admin: Admin;
  readonly configs: Kubeconfigs;
  readonly parts: ClientParts;
  readonly settings: ClientSettings;
  readonly view: Reader<CertificateView>;
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

async function withNode(check: (node: Node) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "denolet-identity-" });
  const admin = new Admin(KUBECONFIG);
  const controller = new AbortController();
  const [writer, view] = cell(emptyView("client"));
  const log = silentLogger;
  const configs = kubeconfigs(kubeOptions());
  const nodeName = `n-${crypto.randomUUID().slice(0, 8)}`;
  try {
    await check({
      admin,
      configs,
      view,
      parts: {
        kubeconfigs: configs,
        keys: systemKeys,
        files: realFiles(),
        clock: systemClock,
        random: systemRandom,
        log,
        view: new View({ cell: writer, clock: systemClock, log }),
      },
      settings: {
        nodeName,
        kubeconfig: `${folder}/kubelet.conf`,
        bootstrapKubeconfig: KUBECONFIG.replace(
          /[^/]*$/,
          "bootstrap.kubeconfig",
        ),
        certDir: `${folder}/pki`,
        rotateCertificates: true,
      },
      signal: controller.signal,
      stop: () => controller.abort(new DOMException("Over", "AbortError")),
    });
  } finally {
    controller.abort(new DOMException("Over", "AbortError"));
    admin.close();
    await pass(50);
    await Deno.remove(folder, { recursive: true });
  }
}

function real(name: string, check: (node: Node) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => withNode(check) });
}

real(
  "identity: a bootstrap token becomes a certificate that works",
  async (node) => {
    const { parts, settings, signal } = node;
    await ensureKubeconfig(parts, settings, signal);
    const cluster = node.configs.open({ path: settings.kubeconfig });
    const lease = await cluster.nodes.getLease(settings.nodeName, signal);
    assert.equal(lease, undefined);
    await register(cluster, node);
    await assert.rejects(
      cluster.nodes.getLease("another", signal),
      /forbidden/,
    );
    const link = await Deno.readLink(
      `${settings.certDir}/kubelet-client-current.pem`,
    );
    assert.match(link, /kubelet-client-\d{4}(-\d\d){5}\.pem$/);
    assert.equal((await Deno.stat(link)).mode ?? 0, 0o100600);
    await ensureKubeconfig(
      parts,
      { ...settings, bootstrapKubeconfig: "/nowhere" },
      signal,
    );
    await forget(cluster, node);
  },
);

real(
  "identity: a request is denied, and another approved late",
  async (node) => {
    const { admin, parts, settings, signal, view } = node;
    const binding = await admin.ask("GET", BINDING);
    await admin.ask("DELETE", BINDING);
    try {
      const clock = { ...systemClock, sleep: quickly };
      const quick = { ...parts, clock };
      const ensuring = ensureKubeconfig(quick, settings, signal);
      const first = await open(node);
      await until(() => view.get().problem?.kind === "unapproved");
      await admin.answer(first, "Denied");
      await until(() => view.get().problem?.kind === "denied");
      const second = await open(node, first);
      await pass(300);
      assert.match(view.get().problem?.message ?? "", /certificate approve/);
      await admin.answer(second, "Approved");
      await ensuring;
    } finally {
      const { name, labels } = Object(binding.metadata);
      const fresh = {
        ...binding,
        metadata: { name, ...(labels && { labels }) },
      };
      await admin.ask("POST", BINDING.replace(/\/[^/]*$/, ""), fresh);
    }
  },
);

real(
  "identity: a renewed certificate is used without a restart",
  async (node) => {
    const { configs, parts, settings, signal } = node;
    await ensureKubeconfig(parts, settings, signal);
    const path = settings.kubeconfig;
    const cluster = configs.open({ path });
    await register(cluster, node);
    const watched = cluster.nodes.watch(settings.nodeName, signal)
      [Symbol.asyncIterator]();
    assert.ok((await watched.next()).value.node);
    const current = `${settings.certDir}/kubelet-client-current.pem`;
    const before = await Deno.readTextFile(current);
    // A certificate lives a year here: the clock says that it is nearly over.
    const nowMs = () => Date.now() + 330 * 24 * 3_600_000;
    const late = { ...cluster, serverTimeMs: nowMs };
    const clock = { ...systemClock, nowMs };
    const running = runClientCertificate({ ...parts, clock }, settings, {
      cluster: late,
      signal,
    });
    await until(() => Deno.readTextFileSync(current) !== before);
    await pass(200);
    // The server tells each connection's certificate apart only by its holder:
    // that calls and the watch go on is what can be seen.
    await cluster.nodes.patchStatus(settings.nodeName, {
      status: { conditions: [{ type: "Ready", status: "False" }] },
    }, signal);
    while (!JSON.stringify((await watched.next()).value).includes("Ready"));
    await forget(cluster, node);
    node.stop();
    await assert.rejects(running, (error) => isAbort(error, signal));
  },
);

Deno.test({
  name: "kube: a watch outlives the API server",
  ignore: ignore || WORLD === "",
  fn: () =>
    withNode(async (node) => {
      const world = worldFacts(WORLD);
      const cluster = node.configs.open({ path: KUBECONFIG });
      const { nodeName } = node.settings;
      const kinds: string[] = [];
      const watching = (async () => {
        for await (const news of cluster.pods.watch(nodeName, node.signal)) {
          kinds.push(news.kind);
        }
      })();
      await until(() => kinds.includes("listed"));
      await stopApiServer(world, "kill");
      await until(() => kinds.includes("silent"));
      await startApiServer(world);
      const backMs = performance.now();
      await until(() => kinds.at(-1) === "steady");
      assert.ok(performance.now() - backMs < 5000);
      assert.equal(kinds.filter((kind) => kind === "listed").length, 1);
      node.stop();
      await assert.rejects(watching, (error) => isAbort(error, node.signal));
      cluster.close();
    }),
});

async function register(cluster: Cluster, node: Node): Promise<void> {
  const metadata = { name: node.settings.nodeName };
  const object = { apiVersion: "v1", kind: "Node", metadata };
  await cluster.nodes.create(object, node.signal);
}

async function forget(cluster: Cluster, node: Node): Promise<void> {
  await node.admin.ask("DELETE", `/api/v1/nodes/${node.settings.nodeName}`);
  cluster.close();
}

/** The name of the node's open request, other than `but`. */
function open(node: Node, but = ""): Promise<string> {
  const subject = `system:bootstrap:`;
  return node.admin.request((request) => {
    const spec = Object(request.spec);
    const { name } = Object(request.metadata);
    return name !== but && String(spec.username).startsWith(subject) &&
      Object(request.status).conditions === undefined;
  });
}

/** Waits of minutes are not waited for. */
function quickly(ms: number, signal: AbortSignal): Promise<void> {
  return systemClock.sleep(Math.min(ms, 200), signal);
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (isSo()) return;
    await pass(50);
  }
  assert.fail("it does not become so");
}
