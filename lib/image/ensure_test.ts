import assert from "node:assert/strict";
import { createMeters } from "../api/meters.ts";
import { createMetrics } from "../base/metrics.ts";
import { silentLogger } from "../base/log.ts";
import type { Step } from "../api/step.ts";
import { FakeReferred } from "../../tests/fakes/fake_cluster_referred.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeImages } from "../../tests/fakes/fake_images.ts";
import { ensureImage } from "./ensure.ts";
import { aPod, SIGNAL } from "./fixture_test.ts";
import { PodCredentials } from "./pod_credentials.ts";
import { PullRecords } from "./pull_records.ts";
import { SharedPulls } from "./shared_pulls.ts";
import type { PullPolicy } from "./types.ts";

const IMAGE = "r.io/team/app:1";
const PASSWORD = "planted";

class World {
  readonly clock = new FakeClock();
  readonly images = new FakeImages(this.clock);
  readonly files = new FakeFiles();
  readonly meters = createMeters(createMetrics());
  readonly secrets = new FakeReferred();
  readonly told: Step[] = [];
  readonly #pulls = new SharedPulls(this.images, this.clock, {
    parallelPulls: 1,
    pullsPerSecond: 0,
    burst: 1,
  });
  readonly #records = new PullRecords(
    { ...this, log: silentLogger },
    { policy: "NeverVerifyPreloadedImages", allowlist: [] },
    "/kubelet",
  );

  constructor() {
    this.images.world.publish(IMAGE);
    this.images.world.passwords.set(IMAGE, PASSWORD);
  }

  putSecret(name: string, password: string): void {
    const auths = { "r.io": { username: "u", password } };
    this.putText(name, JSON.stringify({ auths }));
  }

  putText(name: string, text: string): void {
    this.secrets.put("Secret", { namespace: "ns", name }, {
      metadata: { namespace: "ns", name, uid: `${name}-uid` },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": btoa(text) },
    });
  }

  /** How it ends for a pod with these pull secrets: its kind, or the reason. */
  async ends(
    secrets: readonly string[],
    policy: PullPolicy = "IfNotPresent",
  ): Promise<string> {
    const pod = aPod("web", {
      imagePullSecrets: secrets.map((name) => ({ name })),
    });
    const recorder = {
      record: (_uid: unknown, step: Step) => {
        this.told.push(step);
      },
    };
    const ports = {
      ...this,
      pulls: this.#pulls,
      records: this.#records,
      credentials: new PodCredentials({
        secrets: this.secrets,
        nodeFiles: this.files,
        recorder,
        log: silentLogger,
      }, { directories: ["/kubelet"], plugins: [] }),
    };
    const found = await ensureImage(ports, {
      image: IMAGE,
      policy,
      pod,
      say: (step) => this.told.push(step),
      sandbox: undefined,
      queued: () => {},
      pulling: () => {},
    }, SIGNAL).catch((error: { reason?: string; message: string }) => {
      assert.ok(!error.message.includes(PASSWORD), error.message);
      return { kind: error.reason ?? error.message };
    });
    return found.kind;
  }

  get reasons(): readonly string[] {
    return this.told.splice(0).map(({ reason }) => reason);
  }
}

Deno.test("ensureImage() pulls with the pod's secrets and lends to no other", async () => {
  const world = new World();
  world.putSecret("right", PASSWORD);
  world.putSecret("wrong", "other");
  assert.equal(await world.ends([]), "ErrImagePull");
  assert.equal(await world.ends(["wrong"]), "ErrImagePull");
  assert.equal(await world.ends(["wrong", "right"]), "present");
  assert.deepEqual(world.reasons, ["Pulling", "Pulling", "Pulling", "Pulled"]);
  assert.equal(await world.ends(["right"]), "present");
  assert.equal(await world.ends(["right"], "Never"), "present");
  assert.deepEqual(world.reasons, ["Pulled", "Pulled"]);
  assert.equal(await world.ends([]), "ErrImagePull");
  assert.equal(await world.ends(["wrong"]), "ErrImagePull");
  assert.equal(await world.ends(["wrong"], "Never"), "ErrImageNeverPull");
  assert.equal(await world.ends(["right"], "Always"), "present");
});

Deno.test("ensureImage() tells of missing secrets and pulls all the same", async () => {
  const world = new World();
  world.images.world.passwords.clear();
  assert.equal(await world.ends(["gone", "", "lost"]), "present");
  const [missing] = world.told;
  assert.deepEqual(missing, {
    type: "Warning",
    reason: "FailedToRetrieveImagePullSecret",
    message: "Unable to retrieve some image pull secrets (gone, lost); " +
      "attempting to pull the image may not succeed.",
  });
});

Deno.test("ensureImage() tells nothing of a secret that it cannot read", async () => {
  for (
    const text of [
      PASSWORD,
      `{"auths":{"r.io":{"auth":"${PASSWORD}-"}}}`,
      `{"auths":["${PASSWORD}"]}`,
    ]
  ) {
    const world = new World();
    world.putText("broken", text);
    assert.equal(await world.ends(["broken"]), "ErrImagePull");
    assert.deepEqual(world.reasons, [], "no pull without it");
  }
});

Deno.test("ensureImage() lends to all what the node's own login pulled", async () => {
  const world = new World();
  const auths = { "r.io/team": { username: "u", password: PASSWORD } };
  world.files.put("/kubelet/config.json", JSON.stringify({ auths }));
  assert.equal(await world.ends([]), "present");
  world.files.take("/kubelet/config.json");
  assert.equal(await world.ends([]), "present");
});

Deno.test("ensureImage() says when the runtime cannot be asked", async () => {
  const world = new World();
  world.images.world.isDown = true;
  assert.equal(await world.ends([]), "ImageInspectError");
});
