import assert from "node:assert/strict";
import { cell } from "../base/cell.ts";
import { silentLogger } from "../base/log.ts";
import { FakeClock, settled } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeHttp } from "../../tests/fakes/fake_http.ts";
import { runSources, type SourceConfig } from "./run.ts";
import { type Desired, NOTHING_YET } from "./types.ts";

const manifest = (name: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n` +
  `spec: {containers: [{name: a, image: x}]}\n`;

async function withSources(
  config: Partial<SourceConfig>,
  story: (world: {
    files: FakeFiles;
    http: FakeHttp;
    clock: FakeClock;
    desired: () => Promise<Desired>;
  }) => Promise<void>,
): Promise<void> {
  const [writer, reader] = cell<Desired>(NOTHING_YET);
  const files = new FakeFiles("follow");
  const http = new FakeHttp();
  const clock = new FakeClock();
  const stop = new AbortController();
  const running = runSources({
    files,
    http,
    clock,
    log: silentLogger,
    desired: writer,
    api: undefined,
    config: {
      mayReference: false,
      nodeName: "node-1",
      staticPodPath: "",
      staticPodURL: "",
      staticPodURLHeader: new Map(),
      fileCheckFrequencyMs: 20_000,
      httpCheckFrequencyMs: 20_000,
      ...config,
    },
  }, stop.signal);
  const desired = async () => {
    for (let turn = 0; turn < 8; turn++) await settled();
    return reader.get();
  };
  await story({ files, http, clock, desired });
  stop.abort();
  await running;
}

const namesOf = ({ pods }: Desired) =>
  [...pods.values()].map(({ pod }) => pod.metadata?.name);

Deno.test("runSources() is ready at once when nothing is configured", () =>
  withSources({}, async ({ desired }) => {
    const { isReady, pods } = await desired();
    assert.deepEqual([isReady, pods.size], [true, 0]);
  }));

Deno.test("runSources() waits for every source, and lets files win", () =>
  withSources({
    staticPodPath: "/m/",
    staticPodURL: "http://x/pods",
    staticPodURLHeader: new Map([["A", ["1", "2"]]]),
  }, async ({ files, http, clock, desired }) => {
    files.put("/m/a.yaml", manifest("web"));
    const first = await desired();
    assert.deepEqual(namesOf(first), ["web-node-1"]);
    assert.equal(first.isReady, false);
    assert.deepEqual([...first.readySources], ["file"]);
    assert.equal(first.problems.length, 1);
    http.put("http://x/pods", { body: manifest("web") });
    await clock.advance(20_000);
    const second = await desired();
    assert.equal(second.isReady, true);
    assert.equal(second.pods.size, 1);
    assert.deepEqual(
      second.problems.map(({ location, message }) => `${location}: ${message}`),
      [
        "http://x/pods: pod default/web-node-1 is wanted by /m/a.yaml already, " +
        "this one is ignored",
      ],
    );
    assert.deepEqual(http.asked.get("http://x/pods"), [["A", "1"], ["A", "2"]]);
  }));

Deno.test("runSources() leaves the value alone when nothing changes", () =>
  withSources({ staticPodPath: "/m" }, async ({ files, clock, desired }) => {
    files.put("/m/a.yaml", manifest("web"));
    const first = await desired();
    await clock.advance(60_000);
    files.put("/m/a.yaml", `# a comment\n${manifest("web")}`);
    assert.equal(await desired(), first);
  }));
