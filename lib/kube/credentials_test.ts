import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeAuthority } from "../../tests/fakes/fake_cluster_authority.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { Credentials, isSamePeer } from "./credentials.ts";

const PAIR = "/pki/kubelet-client-current.pem";
const CONFIG = JSON.stringify({
  clusters: [{ name: "c", cluster: { server: "https://a" } }],
  users: [{
    name: "u",
    user: { "client-certificate": PAIR, "client-key": PAIR },
  }],
  contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
  "current-context": "x",
});

async function world() {
  const authority = await FakeAuthority.create();
  const files = new FakeFiles("follow");
  const clock = new FakeClock();
  files.put("/conf", CONFIG);
  const credentials = new Credentials({
    path: "/conf",
    pairPath: undefined,
    files,
    clock,
    programs: {
      run: () => Promise.reject(new Error("no plugin here")),
    },
    log: silentLogger,
  });
  const rotate = async (name: string): Promise<string> => {
    const { certificate, key } = await authority.server(["10.0.0.1"]);
    files.put(`/pki/${name}`, certificate + key);
    await files.link(PAIR, `/pki/${name}`);
    return certificate;
  };
  return { files, clock, credentials, rotate };
}

Deno.test("current() splits a file with certificate and key", async () => {
  const { credentials, rotate } = await world();
  await rotate("one.pem");
  const { certificate, key } = await credentials.current();
  assert.doesNotMatch(certificate ?? "", /PRIVATE/);
  assert.doesNotMatch(key ?? "", /CERTIFICATE/);
});

Deno.test("current() takes a rotated pair within a second", async () => {
  const { clock, credentials, rotate } = await world();
  await rotate("one.pem");
  const before = await credentials.current();
  const second = await rotate("two.pem");
  await clock.advance(1000);
  const after = await credentials.current();
  assert.equal(after.certificate, second);
  assert.ok(!isSamePeer(before, after));
});

Deno.test("current() keeps the last pair while the new one is half-written", async () => {
  const { clock, credentials, files, rotate } = await world();
  const first = await rotate("one.pem");
  await credentials.current();
  files.put("/pki/one.pem", "-----BEGIN CERTIFICATE-----\nMII");
  await clock.advance(2000);
  assert.equal((await credentials.current()).certificate, first);
  const second = await rotate("two.pem");
  await clock.advance(2000);
  assert.equal((await credentials.current()).certificate, second);
});

Deno.test("current() never quotes a key in its error", async () => {
  const { credentials, files } = await world();
  const key =
    "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----";
  files.put(PAIR, key);
  await assert.rejects(credentials.current(), (error) => {
    assert.doesNotMatch(String(error), /U0VDUkVU/);
    return true;
  });
});
