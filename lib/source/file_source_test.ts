import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import { FakeClock, settled } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { runFileSource } from "./file_source.ts";
import type { SourceState } from "./merge.ts";

const PERIOD_MS = 20_000;
const manifest = (name: string, image = "x") =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n` +
  `spec: {containers: [{name: a, image: ${image}}]}\n`;

interface World {
  readonly files: FakeFiles;
  readonly clock: FakeClock;
  /** What the source says now, once everything has settled. */
  state(): Promise<SourceState | undefined>;
  pods(): Promise<readonly string[]>;
  problems(): Promise<readonly string[]>;
}

async function withSource(
  path: string,
  story: (world: World) => Promise<void>,
  files = new FakeFiles("follow"),
): Promise<void> {
  const clock = new FakeClock();
  const stop = new AbortController();
  let said: SourceState | undefined;
  const running = runFileSource({
    files,
    clock,
    log: silentLogger,
    mayReference: false,
    nodeName: "node-1",
    path,
    periodMs: PERIOD_MS,
    deliver: (next) => said = next,
  }, stop.signal);
  const state = async () => {
    for (let turn = 0; turn < 5; turn++) await settled();
    return said;
  };
  const deliveries = async () => (await state())?.deliveries ?? [];
  await story({
    files,
    clock,
    state,
    pods: async () =>
      (await deliveries()).flatMap(({ pods }) =>
        pods.map(({ pod }) => pod.metadata?.name ?? "")
      ),
    problems: async () =>
      (await deliveries()).flatMap(({ origin, findings }) =>
        findings.map(({ message }) => `${origin.location}: ${message}`)
      ),
  });
  stop.abort();
  await running;
}

Deno.test("runFileSource() reads a folder and follows its changes", async () => {
  const files = new FakeFiles("follow");
  files.put("/m/b.yaml", manifest("b"));
  files.put("/m/a.yaml", manifest("a"));
  files.put("/m/.hidden.yaml", manifest("hidden"));
  await withSource("/m", async (world) => {
    assert.deepEqual(await world.pods(), ["a-node-1", "b-node-1"]);
    assert.equal((await world.state())?.isReady, true);
    files.put("/m/c.yaml", manifest("c"));
    assert.deepEqual(await world.pods(), ["a-node-1", "b-node-1", "c-node-1"]);
    files.take("/m/a.yaml");
    assert.deepEqual(await world.pods(), ["b-node-1", "c-node-1"]);
    const uids = async () =>
      (await world.state())?.deliveries.flatMap(({ pods }) =>
        pods.map(({ uid }) => uid)
      );
    const before = await uids();
    files.put("/m/b.yaml", manifest("b", "other"));
    const after = await uids();
    assert.notEqual(before?.[0], after?.[0]);
    assert.equal(before?.[1], after?.[1]);
  }, files);
});

Deno.test("runFileSource() keeps the pods of a file that breaks", async () => {
  const files = new FakeFiles("follow");
  files.put("/m/a.yaml", manifest("a"));
  files.put("/m/b.yaml", manifest("b"));
  await withSource("/m", async (world) => {
    assert.deepEqual(await world.pods(), ["a-node-1", "b-node-1"]);
    files.put("/m/a.yaml", "a: [");
    assert.deepEqual(await world.pods(), ["a-node-1", "b-node-1"]);
    assert.equal((await world.problems()).length, 1);
    files.put("/m/a.yaml", "");
    assert.deepEqual(await world.problems(), ["/m/a.yaml: the file is empty"]);
    assert.deepEqual(await world.pods(), ["a-node-1", "b-node-1"]);
    files.broken.add("/m/b.yaml");
    files.put("/m/b.yaml", manifest("c"));
    assert.deepEqual(await world.pods(), ["a-node-1", "b-node-1"]);
    files.broken.clear();
    await world.clock.advance(PERIOD_MS);
    files.put("/m/a.yaml", manifest("a"));
    assert.deepEqual(await world.pods(), ["a-node-1", "c-node-1"]);
    assert.deepEqual(await world.problems(), []);
  }, files);
});

Deno.test("runFileSource() waits for a folder that is not there", async () => {
  await withSource("/etc/k/m", async (world) => {
    assert.deepEqual(await world.pods(), []);
    assert.equal((await world.state())?.isReady, true);
    world.files.put("/etc/k/m/a.yaml", manifest("a"));
    assert.deepEqual(await world.pods(), ["a-node-1"]);
    world.files.take("/etc/k");
    assert.deepEqual(await world.pods(), []);
    world.files.put("/etc/k/m/b.yaml", manifest("b"));
    assert.deepEqual(await world.pods(), ["b-node-1"]);
  });
});

Deno.test("runFileSource() reads a single file, and only that", async () => {
  const files = new FakeFiles("follow");
  files.put("/m/a.yaml", manifest("a"));
  files.put("/m/b.yaml", manifest("b"));
  await withSource("/m/a.yaml", async (world) => {
    assert.deepEqual(await world.pods(), ["a-node-1"]);
    files.put("/m/a.yaml", manifest("c"));
    assert.deepEqual(await world.pods(), ["c-node-1"]);
    files.take("/m/a.yaml");
    assert.deepEqual(await world.pods(), []);
    files.put("/m/a.yaml", manifest("d"));
    assert.deepEqual(await world.pods(), ["d-node-1"]);
  }, files);
});

Deno.test("runFileSource() passes over what is no file", async () => {
  const files = new FakeFiles("follow");
  files.put("/m/folder/x.yaml", manifest("x"));
  files.putOther("/m/pipe.yaml");
  files.put("/m/a.yaml", manifest("a"));
  await withSource("/m", async (world) => {
    assert.deepEqual(await world.pods(), ["a-node-1"]);
    assert.deepEqual(await world.problems(), [
      "/m/folder: it is a folder, and folders are not entered, want a " +
      "regular file",
      "/m/pipe.yaml: it is neither a file nor a folder, want a regular file",
    ]);
  }, files);
});

Deno.test("runFileSource() follows links, as the kubelet does", async () => {
  const files = new FakeFiles("follow");
  files.put("/store/a.yaml", manifest("a"));
  files.put("/m/.keep", "");
  await files.link("/m/a.yaml", "/store/a.yaml");
  await withSource("/m", async (world) => {
    assert.deepEqual(await world.pods(), ["a-node-1"]);
    // Nothing in the folder changed, so only the audit can see it.
    files.put("/store/a.yaml", manifest("b"));
    assert.deepEqual(await world.pods(), ["a-node-1"]);
    await world.clock.advance(PERIOD_MS);
    assert.deepEqual(await world.pods(), ["b-node-1"]);
    files.take("/store/a.yaml");
    await world.clock.advance(PERIOD_MS);
    assert.deepEqual(await world.pods(), ["b-node-1"]);
    assert.deepEqual(await world.problems(), [
      "/m/a.yaml: its link leads nowhere: /store/a.yaml",
    ]);
    files.take("/m/a.yaml");
    assert.deepEqual(await world.pods(), []);
  }, files);
});
