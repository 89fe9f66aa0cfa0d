import assert from "node:assert/strict";
import { createMeters } from "../api/meters.ts";
import { createMetrics } from "../base/metrics.ts";
import { silentLogger } from "../base/log.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import type { Credential } from "./credential.ts";
import { parseRecord, recordFile, recordText } from "./pull_record.ts";
import { PullRecords } from "./pull_records.ts";
import type { Proofs, VerificationSettings } from "./verification.ts";

const ROOT = "/var/lib/kubelet";
const REF = "sha256:ref";
const IMAGE = "r.io/a:1";
const AT = { uid: "u1", namespace: "ns", name: "a" };
const LOGIN = { username: "u", password: "p", email: "e" };
/** Of LOGIN. */
const HASH = "2f4f03e762821dfdb66ecda497a8f7c477946b7cdc3e28bf1da2e9da1054c40d";
const BY_SECRET: Credential = {
  login: LOGIN,
  source: { kind: "secret", at: AT },
};
const PULLED = `${ROOT}/image_manager/pulled/${recordFile(REF)}`;
const PULLING = `${ROOT}/image_manager/pulling/${recordFile(IMAGE)}`;

class World {
  readonly clock = new FakeClock();
  readonly files = new FakeFiles();
  readonly meters = createMeters(createMetrics());
  records: PullRecords;

  constructor(
    policy: VerificationSettings["policy"] = "NeverVerifyPreloadedImages",
  ) {
    this.records = this.#open(policy);
  }

  /** Another agent on the same disk. */
  restart(): void {
    this.records = this.#open("NeverVerifyPreloadedImages");
  }

  needsPull(own: Partial<Proofs> = {}, image = IMAGE): Promise<boolean> {
    const proofs = { secrets: [], serviceAccount: undefined, ...own };
    return this.records.needsPull(
      image,
      REF,
      () => Promise.resolve(proofs),
    );
  }

  #open(policy: VerificationSettings["policy"]): PullRecords {
    const ports = { ...this, log: silentLogger };
    return new PullRecords(ports, { policy, allowlist: [] }, ROOT);
  }
}

Deno.test("PullRecords writes what the kubelet writes", async () => {
  const world = new World();
  await world.records.begin(IMAGE);
  assert.equal(
    world.files.text(PULLING),
    '{"kind":"ImagePullIntent",' +
      '"apiVersion":"kubelet.config.k8s.io/v1beta1","image":"r.io/a:1"}\n',
  );
  await world.records.succeeded(IMAGE, REF, BY_SECRET);
  assert.equal(world.files.text(PULLING), undefined);
  const time = new Date(world.clock.nowMs()).toISOString()
    .replace(/\.\d+Z/, "Z");
  assert.equal(
    world.files.text(PULLED),
    '{"kind":"ImagePulledRecord",' +
      '"apiVersion":"kubelet.config.k8s.io/v1beta1",' +
      `"lastUpdatedTime":"${time}","imageRef":"sha256:ref",` +
      '"credentialMapping":{"r.io/a":{"kubernetesSecrets":[{"uid":"u1",' +
      `"namespace":"ns","name":"a","credentialHash":"${HASH}"}]}}}\n`,
  );
  assert.equal((world.files.text(PULLED) ?? "").includes('p"'), false);
});

Deno.test("PullRecords lends an image to those who prove themselves", async () => {
  const world = new World();
  const good = { secrets: [{ at: AT, hash: HASH }] };
  assert.equal(await world.needsPull(), false, "preloaded");
  await world.records.begin(IMAGE);
  assert.equal(await world.needsPull(good), true, "being pulled");
  await world.records.succeeded(IMAGE, REF, BY_SECRET);
  assert.equal(await world.needsPull(), true, "no proof");
  assert.equal(await world.needsPull(good), false, "the secret");
  assert.equal(await world.needsPull(good, "r.io/b:1"), true, "another name");
  world.restart();
  assert.equal(await world.needsPull(), true, "after a restart");
  assert.equal(await world.needsPull(good), false, "after a restart");
  const at = { ...AT, name: "b", uid: "u2" };
  const alike = { secrets: [{ at, hash: HASH }] };
  assert.equal(await world.needsPull(alike), false, "the same content");
  const changed = { secrets: [{ at, hash: "changed" }] };
  assert.equal(await world.needsPull(changed), false, "it was remembered");
  await world.records.begin(IMAGE);
  await world.records.succeeded(IMAGE, REF, undefined);
  assert.equal(await world.needsPull(), false, "it takes no credential");
});

Deno.test("PullRecords keeps an intent while any pull of the name is under way", async () => {
  const world = new World();
  await world.records.begin(IMAGE);
  await world.records.begin(IMAGE);
  await world.records.failed(IMAGE);
  assert.ok(world.files.text(PULLING));
  assert.equal(await world.needsPull(), true);
  await world.records.failed(IMAGE);
  assert.equal(world.files.text(PULLING), undefined);
  assert.equal(await world.needsPull(), false);
});

Deno.test("PullRecords closes an image whose pull nobody saw the end of", async () => {
  const world = new World();
  await world.records.begin(IMAGE);
  world.records.abandoned(IMAGE);
  assert.equal(await world.needsPull(), true);
  world.restart();
  assert.equal(await world.needsPull(), true, "before it is settled");
  const image = {
    id: REF,
    tags: [IMAGE],
    digests: [],
    sizeBytes: 1n,
    isPinned: false,
    userName: "",
  };
  await world.records.recover([image]);
  assert.equal(world.files.text(PULLING), undefined);
  const record = parseRecord(world.files.text(PULLED) ?? "");
  assert.deepEqual([record?.ref, record?.credentials.size], [REF, 0]);
  assert.equal(await world.needsPull(), true, "after it is settled");
});

Deno.test("PullRecords never opens an image because of a damaged file", async () => {
  const good = { secrets: [{ at: AT, hash: HASH }] };
  const text = recordText({
    ref: REF,
    updatedAtMs: 0,
    credentials: new Map([["r.io/a", {
      isForAll: true,
      secrets: [],
      serviceAccounts: [],
    }]]),
  });
  const damaged = [
    "",
    "{",
    "[]",
    text.slice(0, -10),
    text.replace("ImagePulledRecord", "ImagePullIntent"),
    text.replace("v1beta1", "v9"),
    text.replace('"nodePodsAccessible":true', '"nodePodsAccessible":"yes"'),
  ];
  for (const each of damaged) {
    const world = new World();
    world.files.put(PULLED, each);
    assert.equal(await world.needsPull(good), true, each);
    await world.records.recover([]);
    await world.records.prune(new Set(), Infinity);
    await world.records.begin(IMAGE);
    await world.records.succeeded(IMAGE, REF, BY_SECRET);
    assert.equal(await world.needsPull(good), false, "written anew");
  }
  const world = new World();
  world.files.put(PULLED, text);
  assert.equal(await world.needsPull(), false, "the undamaged one");
  world.files.broken.add(PULLED);
  assert.equal(await world.needsPull(), true, "a disk that fails");
});

Deno.test("PullRecords reads older records, and prunes those of gone images", async () => {
  const world = new World();
  await world.records.begin(IMAGE);
  await world.records.succeeded(IMAGE, REF, BY_SECRET);
  const text = world.files.text(PULLED) ?? "";
  world.files.put(PULLED, text.replace("v1beta1", "v1alpha1"));
  assert.equal(await world.needsPull(), true);
  await world.records.prune(new Set([REF]), Infinity);
  await world.records.prune(new Set(), world.clock.nowMs() - 60_000);
  assert.ok(world.files.text(PULLED));
  await world.records.prune(new Set(), world.clock.nowMs() + 60_000);
  assert.equal(world.files.text(PULLED), undefined);
});
