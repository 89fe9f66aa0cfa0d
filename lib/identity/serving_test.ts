import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { isAbort } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { DAY_MS, IdentityWorld } from "./fixture_test.ts";
import { runServingCertificate } from "./serving.ts";
import type { NodeAddress } from "../node/types.ts";
import { emptyView, type Pair } from "./types.ts";
import { View } from "./view.ts";
import { type CertificateFacts, readPair } from "./x509.ts";

const FIRST: readonly NodeAddress[] = [
  { type: "InternalIP", address: "10.0.0.2" },
  { type: "Hostname", address: "node-a" },
];
const SECOND: readonly NodeAddress[] = [
  ...FIRST,
  { type: "InternalIP", address: "fd00::2" },
];

async function serving(kind: "asked" | "own") {
  const world = await IdentityWorld.create();
  const [addresses, addressReader] = cell<readonly NodeAddress[]>(FIRST);
  const [pair, shown] = cell<Pair | undefined>(undefined);
  const [writer, view] = cell(emptyView("serving"));
  const { clock, files, signal, parts } = world;
  const running = runServingCertificate(
    {
      certificates: world.cluster.certificates,
      keys: parts.keys,
      files,
      clock,
      random: parts.random,
      view: new View({ cell: writer, clock, log: silentLogger }),
      addresses: addressReader,
      pair,
    },
    {
      nodeName: "node-a",
      certDir: "/pki",
      serverTLSBootstrap: kind === "asked",
    },
    signal,
  );
  return {
    world,
    addresses,
    view,
    /** What the certificate that is shown now says. */
    facts: (): CertificateFacts => {
      const { certificate = "", key = "" } = shown.get() ?? {};
      const reading = readPair(certificate, key);
      assert.equal(reading.kind, "whole");
      return reading.kind === "whole" ? reading.facts : assert.fail();
    },
    isShown: () => shown.get() !== undefined,
    stop: async () => {
      world.stop();
      await assert.rejects(running, (error) => isAbort(error, signal));
    },
  };
}

Deno.test("runServingCertificate() signs one itself with every address", async () => {
  const { world, addresses, facts, isShown, stop } = await serving("own");
  await world.until(isShown);
  assert.deepEqual(facts().ips, ["10.0.0.2"]);
  assert.deepEqual(facts().dnsNames, ["node-a"]);
  assert.match(world.files.text("/pki/kubelet.crt") ?? "", /BEGIN CERT/);
  assert.equal((await world.files.stat("/pki/kubelet.key"))?.mode, 0o600);
  addresses.set(SECOND);
  await world.until(() => facts().ips.includes("fd00::2"));
  await stop();
});

Deno.test("runServingCertificate() keeps its own across a restart", async () => {
  const first = await serving("own");
  await first.world.until(first.isShown);
  const before = first.world.files.text("/pki/kubelet.crt");
  first.world.clock.jump(DAY_MS);
  await first.world.clock.advance(60_000);
  assert.equal(first.world.files.text("/pki/kubelet.crt"), before);
  await first.world.until(() => first.world.clock.sleepers > 0);
  first.world.clock.jump(340 * DAY_MS);
  await first.world.clock.advance(60_000);
  const { world } = first;
  await world.until(() => world.files.text("/pki/kubelet.crt") !== before);
  await first.stop();
});

Deno.test("runServingCertificate() shows its own until the cluster has answered", async () => {
  const { world, view, facts, isShown, stop } = await serving("asked");
  await world.until(isShown);
  assert.match(facts().subject, /^CN=node-a@\d+$/);
  const name = await world.request();
  assert.equal(
    world.cluster.requests.get(name)?.signerName,
    "kubernetes.io/kubelet-serving",
  );
  await world.until(() => world.clock.sleepers > 0);
  await world.clock.advance(11_000);
  assert.match(
    view.get().problem?.message ?? "",
    new RegExp(`kubectl certificate approve ${name}`),
  );
  await world.cluster.approve(name);
  await world.until(() => facts().commonName === "system:node:node-a");
  assert.deepEqual(facts().ips, ["10.0.0.2"]);
  await world.until(() => view.get().problem === undefined);
  assert.ok(await world.files.readLink("/pki/kubelet-server-current.pem"));
  await stop();
});

Deno.test("runServingCertificate() asks anew when the addresses change", async () => {
  const { world, addresses, facts, stop } = await serving("asked");
  await world.cluster.approve(await world.request());
  await world.until(() => facts().commonName === "system:node:node-a");
  addresses.set(SECOND);
  await world.cluster.approve(await world.request());
  await world.until(() => facts().ips.includes("fd00::2"));
  await stop();
});
