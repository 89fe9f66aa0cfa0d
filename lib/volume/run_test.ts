import assert from "node:assert/strict";
import { aContainer } from "../../tests/build.ts";
import { podUid } from "../api/id.ts";
import type { V1Volume } from "../api/types.ts";
import type { ClusterObjects } from "../port/cluster.ts";
import { API_ACCESS, podWith } from "./fixture_test.ts";
import { AT, TOKEN, UID, World } from "./world_test.ts";

Deno.test("VolumeRunner gives a pod its way to the API server", async () => {
  const world = World.usual();
  world.delayMs = 20;
  const waiting = await world.after(19, podWith([API_ACCESS]));
  assert.equal(waiting?.kind, "preparing");
  // All that is asked for is asked for at once.
  await world.clock.advance(1);
  const state = world.runner.stateOf(UID);
  assert.ok(state?.kind === "ready");
  assert.deepEqual([...state.paths], [["kube-api-access-x1", TOKEN]]);
  assert.equal(await world.text(TOKEN, "ca.crt"), "PEM");
  assert.equal(await world.text(TOKEN, "namespace"), "prod");
  const token = await world.text(TOKEN, "token") ?? "";
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.equal(world.mounts.sizes.get(TOKEN), 1n << 30n);
  assert.deepEqual(world.hints.map((isNews) => isNews()), [true]);
  assert.deepEqual([world.steps, world.lines], [[], []]);
  await world.end();
});

Deno.test("VolumeRunner is ready at once for a pod without volumes", async () => {
  const world = new World();
  world.runner.request(podWith([]));
  assert.equal(world.runner.stateOf(UID)?.kind, "ready");
  assert.equal(world.hints.length, 1);
  await world.end();
});

Deno.test("VolumeRunner shares one watch among pods, within a namespace", async () => {
  const world = World.usual();
  for (let n = 1; n <= 20; n++) {
    world.runner.request(podWith([API_ACCESS], { uid: `u${n}` }));
  }
  await world.clock.advance(0);
  const maps = () => world.cluster.asked.filter((a) => !a.startsWith("token"));
  assert.deepEqual(maps(), ["watch configmap prod/kube-root-ca.crt"]);
  assert.equal(world.runner.stateOf(podUid("u20"))?.kind, "ready");
  const other = podWith([API_ACCESS], { uid: "x", namespace: "test" });
  world.runner.request(other);
  await world.clock.advance(0);
  assert.equal(maps()[1], "watch configmap test/kube-root-ca.crt");
  assert.equal(world.runner.stateOf(podUid("x"))?.kind, "failed");
  assert.equal(world.cluster.watches, 2);
  for (let n = 1; n <= 20; n++) world.runner.forget(podUid(`u${n}`));
  world.runner.forget(podUid("x"));
  await world.clock.advance(59_999);
  // The next pod finds it still there.
  world.runner.request(podWith([API_ACCESS], { uid: "late" }));
  await world.clock.advance(0);
  assert.equal(world.runner.stateOf(podUid("late"))?.kind, "ready");
  await world.clock.advance(1);
  assert.equal(world.cluster.watches, 1);
  assert.equal(maps().length, 2);
  await world.end();
});

Deno.test("VolumeRunner tries again, later each time, and says why", async () => {
  const world = new World();
  const pod = podWith([{ name: "v", secret: { secretName: "s" } }]);
  const message =
    'MountVolume.SetUp failed for volume "v" : secret "s" not found';
  const delays: number[] = [];
  for (let n = 1; n <= 10; n++) {
    const state = await world.after(0, pod);
    assert.ok(state?.kind === "failed");
    assert.deepEqual([state.message, state.count], [message, n]);
    const leftMs = state.retryAtMs - world.clock.nowMs();
    delays.push(leftMs);
    // Too early: nothing happens.
    await world.after(leftMs - 1, pod);
    assert.equal(world.steps.length, n);
    await world.clock.advance(1);
  }
  assert.deepEqual(
    delays.map((ms) => ms / 1000),
    [0.5, 1, 2, 4, 8, 16, 32, 64, 122, 122],
  );
  assert.deepEqual(world.steps[0], {
    type: "Warning",
    reason: "FailedMount",
    message,
  });
  world.cluster.put("Secret", { namespace: "prod", name: "s" }, {
    data: { a: btoa("hidden") },
  });
  assert.equal((await world.after(0, pod))?.kind, "ready");
  assert.equal(await world.text(`${AT}secret/v`, "a"), "hidden");
  await world.end();
});

Deno.test("VolumeRunner looks again when an object lacked a key", async () => {
  const world = World.usual();
  const pod = podWith([API_ACCESS]);
  const ref = { namespace: "prod", name: "kube-root-ca.crt" };
  world.cluster.put("ConfigMap", ref, { data: {} });
  assert.equal((await world.after(0, pod))?.kind, "failed");
  world.cluster.put("ConfigMap", ref, { data: { "ca.crt": "PEM" } });
  await world.clock.advance(500);
  assert.equal((await world.after(0, pod))?.kind, "ready");
  // The token of the first try was kept.
  const tokens = world.cluster.asked.filter((each) => each.startsWith("token"));
  assert.equal(tokens.length, 1);
  await world.end();
});

Deno.test("VolumeRunner makes do with old files while the server is away", async () => {
  const before = World.usual();
  const pod = podWith([API_ACCESS]);
  await before.after(0, pod);
  const token = await before.text(TOKEN, "token");
  await before.end();
  const world = new World(before);
  before.outage = "server is away";
  const state = await world.after(0, pod);
  assert.equal(state?.kind === "ready" && state.paths.size, 1);
  assert.equal(await world.text(TOKEN, "token"), token);
  assert.match(world.steps[0]?.message ?? "", /an earlier time: .* is away/);
  const fresh = podWith([API_ACCESS], { uid: "fresh" });
  world.runner.request(fresh);
  await world.clock.advance(0);
  assert.equal(world.runner.stateOf(podUid("fresh"))?.kind, "failed");
  before.outage = undefined;
  const ref = { namespace: "prod", name: "kube-root-ca.crt" };
  world.cluster.put("ConfigMap", ref, { data: { "ca.crt": "NEW" } });
  // Made up for without anybody asking.
  await world.clock.advance(2_000);
  assert.equal(await world.text(TOKEN, "ca.crt"), "NEW");
  await world.end();
});

Deno.test("VolumeRunner replaces tokens before they expire", async () => {
  const world = World.usual();
  await world.after(0, podWith([API_ACCESS]));
  const first = await world.text(TOKEN, "token");
  await world.clock.advance(0.8 * 3_607_000 - 1);
  assert.equal(await world.text(TOKEN, "token"), first);
  await world.clock.advance(1);
  const second = await world.text(TOKEN, "token");
  assert.notEqual(second, first);
  assert.equal(world.hints.length, 1);
  world.outage = "server is away";
  await world.clock.advance(0.8 * 3_607_000);
  assert.equal(await world.text(TOKEN, "token"), second);
  assert.match(world.lines[0] ?? "", /Cannot replace a token .* is away/);
  world.outage = undefined;
  // A failure that is over is made up for without anybody asking.
  await world.clock.advance(122_000);
  assert.notEqual(await world.text(TOKEN, "token"), second);
  assert.equal(world.runner.stateOf(UID)?.kind, "ready");
  const told = JSON.stringify([world.lines, world.steps]);
  for (const token of [first, second]) {
    assert.equal(told.includes(token ?? "?"), false);
  }
  await world.end();
});

Deno.test("VolumeRunner does not ask all the time for tokens of no life", async () => {
  const world = World.usual();
  world.cluster.longestTokenSeconds = 1;
  await world.after(0, podWith([API_ACCESS]));
  await world.clock.advance(10 * 60_000);
  const tokens = world.cluster.asked.filter((each) => each.startsWith("token"));
  assert.equal(tokens.length, 11);
  await world.end();
});

Deno.test("VolumeRunner keeps a fresh token over a restart of the agent", async () => {
  const before = World.usual();
  await before.after(0, podWith([API_ACCESS]));
  const token = await before.text(TOKEN, "token");
  await before.end();
  await before.clock.advance(1_800_000);
  const world = new World(before);
  before.cluster.asked.length = 0;
  assert.equal((await world.after(0, podWith([API_ACCESS])))?.kind, "ready");
  assert.deepEqual(world.cluster.asked, [
    "watch configmap prod/kube-root-ca.crt",
  ]);
  assert.equal(await world.text(TOKEN, "token"), token);
  await world.clock.advance(1_100_000);
  assert.notEqual(await world.text(TOKEN, "token"), token);
  await world.end();
});

Deno.test("VolumeRunner rewrites files that tell of changed labels", async () => {
  const world = new World();
  const volume: V1Volume = {
    name: "v",
    downwardAPI: {
      items: [{ path: "l", fieldRef: { fieldPath: "metadata.labels" } }],
    },
  };
  await world.after(0, podWith([volume], { labels: { a: "1" } }));
  const state = await world.after(0, podWith([volume], { labels: { a: "2" } }));
  assert.equal(state?.kind, "ready");
  assert.equal(await world.text(`${AT}downward-api/v`, "l"), 'a="2"');
  assert.equal(world.hints.length, 1);
  await world.end();
});

Deno.test("VolumeRunner makes empty directories and then lets them be", async () => {
  const before = new World();
  const volumes: V1Volume[] = [
    { name: "d", emptyDir: {} },
    { name: "m", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
  ];
  const pod = podWith(volumes, { spec: { securityContext: { fsGroup: 7 } } });
  await before.after(0, pod);
  const path = `${AT}empty-dir/d`;
  const made = await before.files.stat(path);
  assert.deepEqual([made?.mode, made?.gid], [0o2777, 7]);
  assert.deepEqual([...before.mounts.sizes], [[`${AT}empty-dir/m`, 1n << 20n]]);
  await before.files.own(path, { mode: 0o700, gid: 9 });
  before.files.put(`${path}/kept`, "x");
  await before.end();
  const world = new World(before);
  await world.after(0, pod);
  const kept = await world.files.stat(path);
  assert.deepEqual([kept?.mode, kept?.gid], [0o700, 9]);
  assert.equal(world.files.text(`${path}/kept`), "x");
  await world.end();
});

Deno.test("VolumeRunner checks the types of host paths", async () => {
  const table: [string, string, string | undefined][] = [
    ["", "/none", undefined],
    ["Directory", "/d", undefined],
    ["Directory", "/f", "hostPath type check failed: /f is not a directory"],
    ["DirectoryOrCreate", "/new", undefined],
    [
      "DirectoryOrCreate",
      "/f",
      "hostPath type check failed: /f is not a directory",
    ],
    ["File", "/f", undefined],
    ["File", "/none", "hostPath type check failed: /none is not a file"],
    ["FileOrCreate", "/newer", undefined],
    ["FileOrCreate", "/d", "hostPath type check failed: /d is not a file"],
    ["Socket", "/f", "hostPath type check failed: /f is not a socket file"],
    ["CharDevice", "/c", undefined],
    [
      "CharDevice",
      "/d",
      "hostPath type check failed: /d is not a character device",
    ],
    [
      "BlockDevice",
      "/c",
      "hostPath type check failed: /c is not a block device",
    ],
    ["Other", "/d", "Other is an invalid volume type"],
    ["", "/d/../etc", "invalid HostPath `/d/../etc`: must not contain '..'"],
  ];
  for (const [type, path, expected] of table) {
    const world = new World();
    world.hostPaths.kinds.set("/d", "directory");
    world.hostPaths.kinds.set("/f", "file");
    world.hostPaths.kinds.set("/c", "char-device");
    const state = await world.after(
      0,
      podWith([{ name: "v", hostPath: { path, type } }]),
    );
    const said = world.steps[0]?.message;
    assert.equal(
      said?.replace('MountVolume.SetUp failed for volume "v" : ', ""),
      expected,
    );
    assert.equal(state?.kind, expected === undefined ? "ready" : "failed");
    await world.end();
  }
});

Deno.test("VolumeRunner says what it cannot do without an API server", async () => {
  const world = new World(undefined, "none");
  const pod = podWith([API_ACCESS, { name: "d", emptyDir: {} }], {
    containers: [aContainer({
      volumeMounts: [{ name: API_ACCESS.name, mountPath: "/a" }],
    })],
  });
  const state = await world.after(0, pod);
  assert.match(
    state?.kind === "failed" ? state.message : "",
    /failed to fetch token: .*prod\/default: this agent has no API server/,
  );
  await world.end();
});

Deno.test("VolumeRunner never mixes up namespaces or kinds", async () => {
  const world = new World();
  const objects: ClusterObjects = world.cluster;
  world.cluster.put("Secret", { namespace: "a", name: "b/c" }, {
    data: { k: btoa("secret") },
  });
  const signal = new AbortController().signal;
  assert.ok(await objects.secret({ namespace: "a", name: "b/c" }, signal));
  const pods = [["a", "b/c"], ["a/b", "c"], ["a", "c"]].map((
    [namespace = "", secretName = ""],
    index,
  ) =>
    podWith([{ name: "v", secret: { secretName } }], {
      uid: `u${index}`,
      namespace,
    })
  );
  for (const pod of pods) world.runner.request(pod);
  await world.clock.advance(0);
  assert.deepEqual(
    [0, 1, 2].map((n) => world.runner.stateOf(podUid(`u${n}`))?.kind),
    ["ready", "failed", "failed"],
  );
  await world.end();
});
