import assert from "node:assert/strict";
import { aContainer, aPod } from "../../tests/build.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeReferred } from "../../tests/fakes/fake_cluster_referred.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import type { Step } from "../api/step.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Container, V1EnvVarSource } from "../api/types.ts";
import { ObjectCache } from "./objects.ts";
import { ReferenceRunner } from "./run.ts";

const POD = aPod();
const UID = uidOf(POD);
const at = (name: string) => ({ namespace: "prod", name });

class World {
  readonly clock = new FakeClock();
  readonly cluster = new FakeReferred();
  readonly files = new FakeFiles();
  readonly steps: Step[] = [];
  readonly hints: (() => boolean)[] = [];
  readonly runner: ReferenceRunner;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;

  constructor() {
    const cache = new ObjectCache({
      objects: this.cluster,
      clock: this.clock,
      random: { fraction: () => 0, hex: () => "" },
    }, "Watch");
    this.runner = new ReferenceRunner({
      objects: cache,
      files: this.files,
      clock: this.clock,
      recorder: { record: (_uid, step) => this.steps.push(step) },
      hint: (_uid, isNews) => this.hints.push(isNews),
    });
    const { signal } = this.#stop;
    this.#running = Promise.all([cache.run(signal), this.runner.run(signal)]);
  }

  async ask(own: Partial<V1Container>) {
    this.runner.request({
      pod: POD,
      container: aContainer(own),
      volumePaths: new Map([["v", "/pods/v"]]),
    });
    await this.clock.advance(0);
    return this.state();
  }

  state() {
    return this.runner.statesOf(UID).get("web");
  }

  async end(): Promise<void> {
    this.#stop.abort(new DOMException("Over", "AbortError"));
    await this.clock.advance(0);
    await this.#running;
    assert.equal(this.clock.sleepers, 0);
  }
}

function env(valueFrom: V1EnvVarSource) {
  return { env: [{ name: "X", valueFrom }] };
}

Deno.test("ReferenceRunner finds what an environment refers to", async () => {
  const world = new World();
  world.cluster.put("ConfigMap", at("c"), {
    data: { a: "1", ["__proto__"]: "2", "../x": "3" },
    binaryData: { raw: "/wA=" },
  });
  world.cluster.put("Secret", at("s"), {
    data: { k: btoa("\xef\xbb\xbfhidden") },
  });
  world.files.put("/pods/v/d/env", "K='from a file'\n");
  const state = await world.ask({
    envFrom: [
      { configMapRef: { name: "c" } },
      { prefix: "only" },
      { secretRef: { name: "no", optional: true } },
    ],
    env: [
      { name: "PLAIN", value: "x" },
      {
        name: "KEY",
        valueFrom: { configMapKeyRef: { name: "c", key: "../x" } },
      },
      { name: "SECRET", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
      {
        name: "NONE",
        valueFrom: { secretKeyRef: { name: "s", key: "n", optional: true } },
      },
      {
        name: "FILE",
        valueFrom: {
          fileKeyRef: { volumeName: "v", path: "d/env", key: "K" },
        },
      },
    ],
  });
  assert.ok(state?.kind === "found");
  const { envFrom, env } = state.found;
  assert.deepEqual([...envFrom].map(([index, all]) => [index, [...all]]), [
    [0, [["a", "1"], ["__proto__", "2"], ["../x", "3"]]],
  ]);
  assert.deepEqual([...env], [[1, "3"], [2, "\ufeffhidden"], [
    4,
    "from a file",
  ]]);
  assert.deepEqual(world.hints.map((isNews) => isNews()), [true]);
  // Taken by the start: the next one asks again.
  world.runner.consume(UID, "web");
  assert.equal(world.state(), undefined);
  assert.deepEqual(world.steps, []);
  await world.end();
});

Deno.test("ReferenceRunner says what is missing in the kubelet's words", async () => {
  const table: [Partial<V1Container>, string][] = [
    [
      { envFrom: [{ configMapRef: { name: "none" } }] },
      'configmap "none" not found',
    ],
    [{ envFrom: [{ secretRef: { name: "none" } }] }, 'secret "none" not found'],
    [
      env({ configMapKeyRef: { name: "none", key: "k" } }),
      'configmap "none" not found',
    ],
    [
      env({ secretKeyRef: { name: "none", key: "k" } }),
      'secret "none" not found',
    ],
    [
      env({ configMapKeyRef: { name: "c", key: "toString" } }),
      "couldn't find key toString in ConfigMap prod/c",
    ],
    // Bytes are for volumes only.
    [
      env({ configMapKeyRef: { name: "c", key: "raw" } }),
      "couldn't find key raw in ConfigMap prod/c",
    ],
    [
      env({ secretKeyRef: { name: "s", key: "none" } }),
      "couldn't find key none in Secret prod/s",
    ],
    [
      env({ secretKeyRef: { name: "s", key: "nul" } }),
      "key nul of secret prod/s contains a NUL byte",
    ],
    [
      { envFrom: [{ secretRef: { name: "s" } }] },
      "key nul of secret prod/s contains a NUL byte",
    ],
    [
      env({ secretKeyRef: { name: "s", key: "bytes" } }),
      "key bytes of secret prod/s is not UTF-8 text",
    ],
    [
      env({ fileKeyRef: { volumeName: "w", path: "f", key: "K" } }),
      'cannot find the volume "w" referenced by FileKeyRef',
    ],
    [
      env({ fileKeyRef: { volumeName: "v", path: "none", key: "K" } }),
      "couldn't parse env file: there is no none",
    ],
    [
      env({ fileKeyRef: { volumeName: "v", path: "../v/f", key: "K" } }),
      "couldn't parse env file: ../v/f leads out of the volume",
    ],
    [
      env({ fileKeyRef: { volumeName: "v", path: "f", key: "L" } }),
      'environment variable key "L" not found in file "/pods/v/f"',
    ],
    [
      env({
        fileKeyRef: { volumeName: "v", path: "bad", key: "K", optional: true },
      }),
      "couldn't parse env file: invalid environment variable format at " +
      "line 1: missing '='",
    ],
  ];
  for (const [own, expected] of table) {
    const world = new World();
    world.cluster.put("ConfigMap", at("c"), { binaryData: { raw: "/wA=" } });
    world.cluster.put("Secret", at("s"), {
      data: { nul: btoa("a\0"), bytes: btoa("\xff") },
    });
    world.files.put("/pods/v/f", "K='1'\n");
    world.files.put("/pods/v/bad", "nonsense\n");
    const state = await world.ask(own);
    assert.equal(state?.kind === "failed" && state.message, expected);
    await world.end();
  }
});

Deno.test("ReferenceRunner knows at once when what was missing appears", async () => {
  const world = new World();
  const own = {
    env: [
      { name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } },
      { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } },
    ],
  };
  const failed = await world.ask(own);
  assert.equal(
    failed?.kind === "failed" && failed.message,
    'configmap "c" not found',
  );
  world.cluster.put("ConfigMap", at("c"), { data: { k: "1" } });
  await world.clock.advance(0);
  const then = world.state();
  assert.equal(
    then?.kind === "failed" && then.message,
    'secret "s" not found',
  );
  world.cluster.put("Secret", at("s"), { data: { k: btoa("2") } });
  await world.clock.advance(0);
  assert.equal(world.state()?.kind, "found");
  assert.equal(world.hints.at(-1)?.(), true);
  await world.end();
});

Deno.test("ReferenceRunner tries again ever later, and tells of it", async () => {
  const world = new World();
  const own = env({ fileKeyRef: { volumeName: "v", path: "f", key: "K" } });
  const delays: number[] = [];
  for (let n = 1; n <= 6; n++) {
    const state = await world.ask(own);
    assert.ok(state?.kind === "failed");
    assert.equal(state.count, n);
    delays.push(state.retryAtMs - world.clock.nowMs());
    await world.clock.advance(delays.at(-1) ?? 0);
  }
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 15000, 15000]);
  // The first is told by the pod's own steps.
  assert.equal(world.steps.length, 5);
  assert.deepEqual(world.steps[0], {
    type: "Warning",
    reason: "Failed",
    message: "Error: couldn't parse env file: there is no f",
    container: "web",
  });
  world.files.put("/pods/v/f", "K='1'");
  assert.equal((await world.ask(own))?.kind, "found");
  await world.end();
});

Deno.test("ReferenceRunner lets go of a pod that is gone", async () => {
  const world = new World();
  await world.ask(env({ configMapKeyRef: { name: "c", key: "k" } }));
  assert.equal(world.cluster.watches, 1);
  world.runner.forget(UID);
  await world.clock.advance(60_000);
  assert.equal(world.cluster.watches, 0);
  world.cluster.put("ConfigMap", at("c"), { data: { k: "1" } });
  await world.clock.advance(0);
  assert.equal(world.state(), undefined);
  await world.end();
});

Deno.test("ReferenceRunner reads no link that a pod has placed", async () => {
  const world = new World();
  world.files.put("/pods/other", "K='stolen'");
  await world.files.makeDirectory("/pods/v", 0o755);
  await world.files.link("/pods/v/f", "/pods/other");
  const own = env({ fileKeyRef: { volumeName: "v", path: "f", key: "K" } });
  const state = await world.ask(own);
  assert.match(
    state?.kind === "failed" ? state.message : "",
    /^couldn't parse env file: /,
  );
  await world.end();
});
