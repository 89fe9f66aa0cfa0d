import assert from "node:assert/strict";
import { isAbort } from "../base/errors.ts";
import { bootstrapOnce, ensureKubeconfig } from "./bootstrap.ts";
import {
  BOOTSTRAP,
  CURRENT,
  DAY_MS,
  IdentityWorld,
  KUBECONFIG,
  SETTINGS,
} from "./fixture_test.ts";
import { runClientCertificate } from "./run.ts";

async function joined(world: IdentityWorld): Promise<void> {
  const ensuring = ensureKubeconfig(world.parts, SETTINGS, world.signal);
  await world.cluster.approve(await world.request());
  await ensuring;
}

/** Runs the loop; the result ends it and waits. */
function rotating(world: IdentityWorld): () => Promise<void> {
  const { cluster, signal } = world;
  const running = runClientCertificate(world.parts, SETTINGS, {
    cluster,
    signal,
  });
  return async () => {
    world.stop();
    await assert.rejects(running, (error) => isAbort(error, signal));
  };
}

Deno.test("ensureKubeconfig() gets from a token to a certificate", async () => {
  const world = await IdentityWorld.create();
  await joined(world);
  const target = await world.files.readLink(CURRENT);
  assert.equal(target, "/pki/kubelet-client-2026-01-02-03-04-05.pem");
  const stat = await world.files.stat(target ?? "");
  assert.equal(stat?.mode, 0o600);
  const pem = world.files.text(target ?? "") ?? "";
  assert.match(pem, /BEGIN CERTIFICATE[^]*BEGIN PRIVATE KEY/);
  assert.match(world.files.text(KUBECONFIG) ?? "", /default-context/);
  assert.equal((await world.files.stat(KUBECONFIG))?.mode, 0o600);
  assert.equal(world.files.text("/pki/kubelet-client.key.tmp"), undefined);
  assert.equal(world.view.get().problem, undefined);
});

Deno.test("ensureKubeconfig() takes what is there at the second start", async () => {
  const world = await IdentityWorld.create();
  await joined(world);
  world.cluster.outage = "gone";
  await ensureKubeconfig(world.parts, SETTINGS, world.signal);
  assert.equal(world.cluster.requests.size, 1);
});

Deno.test("ensureKubeconfig() says who has to approve, and waits", async () => {
  const world = await IdentityWorld.create();
  const ensuring = ensureKubeconfig(world.parts, SETTINGS, world.signal);
  const name = await world.request();
  await world.until(() => world.clock.sleepers > 0);
  await world.clock.advance(15_000);
  const { problem, pending } = world.view.get();
  assert.equal(problem?.kind, "unapproved");
  assert.match(
    problem.message,
    new RegExp(`kubectl certificate approve ${name}$`),
  );
  assert.equal(pending?.request, name);
  await world.clock.advance(DAY_MS / 2);
  await world.cluster.approve(name);
  await ensuring;
  assert.equal(world.view.get().problem, undefined);
  assert.equal(world.view.get().pending, undefined);
});

Deno.test("ensureKubeconfig() finds its request again after a restart", async () => {
  const world = await IdentityWorld.create();
  const controller = new AbortController();
  const before = ensureKubeconfig(world.parts, SETTINGS, controller.signal);
  const name = await world.request();
  controller.abort(new DOMException("Stopped", "AbortError"));
  await assert.rejects(before, (error) => isAbort(error, controller.signal));
  const ensuring = ensureKubeconfig(world.parts, SETTINGS, world.signal);
  assert.equal(await world.request(), name);
  await world.cluster.approve(name);
  await ensuring;
  assert.equal(world.cluster.requests.size, 1);
});

Deno.test("ensureKubeconfig() asks again, with another key, after a denial", async () => {
  const world = await IdentityWorld.create();
  const ensuring = ensureKubeconfig(world.parts, SETTINGS, world.signal);
  const name = await world.request();
  world.cluster.deny(name, "Denied: unknown machine");
  await world.until(() => world.view.get().problem?.kind === "denied");
  assert.match(world.view.get().problem?.message ?? "", /unknown machine/);
  await world.until(() => world.clock.sleepers > 0);
  await world.clock.advance(70_000);
  const second = await world.request();
  assert.notEqual(second, name);
  await world.cluster.approve(second);
  await ensuring;
});

Deno.test("ensureKubeconfig() makes another key when the first is half-written", async () => {
  const world = await IdentityWorld.create();
  const half = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA";
  world.files.put("/pki/kubelet-client.key.tmp", half);
  await joined(world);
  assert.match(world.files.text(KUBECONFIG) ?? "", /default-auth/);
});

Deno.test("ensureKubeconfig() sets a broken pair aside and asks anew", async () => {
  const world = await IdentityWorld.create();
  world.files.put(CURRENT, "-----BEGIN CERTIFICATE-----\nhalf");
  await joined(world);
  const kept = "/pki/kubelet-client-current.2026-01-02-03-04-05.broken";
  assert.match(world.files.text(kept) ?? "", /half/);
});

Deno.test("ensureKubeconfig() without a way to bootstrap says what is missing", async () => {
  const world = await IdentityWorld.create();
  const settings = { ...SETTINGS, bootstrapKubeconfig: "" };
  const ensuring = ensureKubeconfig(world.parts, settings, world.signal);
  await world.until(() => world.clock.sleepers > 0);
  assert.match(
    world.view.get().problem?.message ?? "",
    /there is no file \/etc\/kubelet.conf, and there is no --bootstrap-kub/,
  );
  const bootstrap = world.facts.get(BOOTSTRAP);
  assert.ok(bootstrap);
  world.facts.set(KUBECONFIG, bootstrap);
  await world.clock.advance(40_000);
  await ensuring;
});

Deno.test("bootstrapOnce() names a clock that is a year behind", async () => {
  const world = await IdentityWorld.create();
  world.cluster.serverMs = world.clock.nowMs() + 365 * DAY_MS;
  world.cluster.outage = "certificate is not valid";
  const outcome = await bootstrapOnce(world.parts, SETTINGS, world.signal);
  assert.equal(outcome, "failed");
  assert.equal(world.view.get().problem?.kind, "clock");
  assert.match(world.view.get().problem?.message ?? "", /365 d behind/);
});

Deno.test("runClientCertificate() renews between 70 and 90 % of the life", async () => {
  const world = await IdentityWorld.create();
  await joined(world);
  const first = await world.files.readLink(CURRENT);
  const stop = rotating(world);
  await world.until(() => world.clock.sleepers > 0);
  world.clock.jump(69 * DAY_MS);
  await world.clock.advance(60_000);
  assert.equal(world.cluster.requests.size, 1);
  world.clock.jump(1.1 * DAY_MS);
  await world.clock.advance(60_000);
  await world.cluster.approve(await world.request());
  await world.until(() => world.cluster.connections > 0);
  assert.notEqual(await world.files.readLink(CURRENT), first);
  await stop();
});

Deno.test("runClientCertificate() bootstraps again after the end", async () => {
  const world = await IdentityWorld.create();
  await joined(world);
  await world.clock.advance(101 * DAY_MS);
  const stop = rotating(world);
  await world.cluster.approve(await world.request());
  await world.until(() => world.cluster.connections > 0);
  assert.equal(world.view.get().problem, undefined);
  await stop();
});

Deno.test("runClientCertificate() goes on asking while the server is away", async () => {
  const world = await IdentityWorld.create();
  await joined(world);
  await world.clock.advance(80 * DAY_MS);
  world.cluster.outage = "nobody listens";
  const stop = rotating(world);
  await world.until(() => world.view.get().problem?.kind === "unreachable");
  world.cluster.outage = undefined;
  await world.until(() => world.clock.sleepers > 0);
  await world.clock.advance(3000);
  await world.cluster.approve(await world.request());
  await world.until(() => world.cluster.connections > 0);
  await stop();
});

Deno.test("ensureKubeconfig() asks anew where the pair is a former cluster's", async () => {
  const former = await IdentityWorld.create();
  await joined(former);
  const target = await former.files.readLink(CURRENT) ?? "";
  const world = await IdentityWorld.create();
  world.files.put(CURRENT, former.files.text(target) ?? "");
  const bootstrap = world.facts.get(BOOTSTRAP);
  assert.ok(bootstrap);
  const ca = { kind: "data", text: world.authority.pem } as const;
  world.facts.set(BOOTSTRAP, { ...bootstrap, ca });
  await joined(world);
  assert.equal(world.cluster.requests.size, 1);
  await world.files.remove(KUBECONFIG);
  await ensureKubeconfig(world.parts, SETTINGS, world.signal);
  assert.equal(world.cluster.requests.size, 1, "its own pair is kept");
});

Deno.test("runClientCertificate() says that the kubeconfig's own pair has ended", async () => {
  const world = await IdentityWorld.create();
  await joined(world);
  const target = await world.files.readLink(CURRENT) ?? "";
  const pem = world.files.text(target) ?? "";
  const bootstrap = world.facts.get(BOOTSTRAP);
  assert.ok(bootstrap);
  const clientPair = { certificate: pem, key: pem };
  world.facts.set(KUBECONFIG, { ...bootstrap, clientPair });
  await world.files.remove(CURRENT);
  await world.clock.advance(101 * DAY_MS);
  world.cluster.outage = "Unauthorized";
  const settings = { ...SETTINGS, bootstrapKubeconfig: "" };
  const running = runClientCertificate(world.parts, settings, {
    cluster: world.cluster,
    signal: world.signal,
  });
  await world.until(() => world.view.get().problem !== undefined);
  const problem = world.view.get().problem;
  assert.equal(problem?.kind, "expired");
  assert.match(problem.message, /kubelet\.conf ended at 2026-04.*fresh token/);
  world.stop();
  await assert.rejects(running, (error) => isAbort(error, world.signal));
});

Deno.test("runClientCertificate() does not flood a server with a wrong clock", async () => {
  const world = await IdentityWorld.create();
  await joined(world);
  world.cluster.serverMs = world.clock.nowMs() + 365 * DAY_MS;
  const settings = { ...SETTINGS, bootstrapKubeconfig: "" };
  const running = runClientCertificate(world.parts, settings, {
    cluster: world.cluster,
    signal: world.signal,
  });
  for (let seconds = 0; seconds < 120; seconds++) {
    for (const name of world.cluster.requests.keys()) {
      await world.cluster.approve(name);
    }
    for (let turns = 0; turns < 5; turns++) await world.turn();
    await world.clock.advance(1_000);
  }
  const count = world.cluster.requests.size;
  assert.ok(count > 2 && count < 10, `${count} requests in two minutes`);
  assert.match(world.view.get().problem?.message ?? "", /due again/);
  world.stop();
  await assert.rejects(running, (error) => isAbort(error, world.signal));
});
