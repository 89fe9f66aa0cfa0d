import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import { FakeClock, settled } from "../../tests/fakes/fake_clock.ts";
import { FakeHttp } from "../../tests/fakes/fake_http.ts";
import type { SourceState } from "./merge.ts";
import { runUrlSource } from "./url_source.ts";

const URL_ = "http://manifests/pods";
const PERIOD_MS = 20_000;
const manifest = (name: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n` +
  `spec: {containers: [{name: a, image: x}]}\n`;

async function withSource(
  story: (world: {
    http: FakeHttp;
    next: () => Promise<SourceState | undefined>;
  }) => Promise<void>,
): Promise<void> {
  const http = new FakeHttp();
  const clock = new FakeClock();
  const stop = new AbortController();
  let said: SourceState | undefined;
  let running: Promise<void> | undefined;
  const next = async () => {
    if (running === undefined) {
      running = runUrlSource({
        http,
        clock,
        log: silentLogger,
        mayReference: false,
        nodeName: "node-1",
        url: URL_,
        headers: [["Metadata-Flavor", "test"]],
        periodMs: PERIOD_MS,
        deliver: (state) => said = state,
      }, stop.signal);
    } else await clock.advance(PERIOD_MS);
    await settled();
    return said;
  };
  await story({ http, next });
  stop.abort();
  await running?.catch((error) => assert.equal(error, stop.signal.reason));
}

const namesOf = (state: SourceState | undefined) =>
  state?.deliveries.flatMap(({ pods }) =>
    pods.map(({ pod }) => pod.metadata?.name)
  );
const problemsOf = (state: SourceState | undefined) =>
  state?.deliveries.flatMap(({ findings }) =>
    findings.map(({ message }) => message)
  );

Deno.test("runUrlSource() keeps the last good pods", () =>
  withSource(async ({ http, next }) => {
    const silent = await next();
    assert.equal(silent?.isReady, false);
    assert.deepEqual(problemsOf(silent), [`Cannot get ${URL_}`]);
    http.put(URL_, { body: manifest("a") });
    const good = await next();
    assert.equal(good?.isReady, true);
    assert.deepEqual(namesOf(good), ["a-node-1"]);
    assert.deepEqual(problemsOf(good), []);
    assert.deepEqual(http.asked.get(URL_), [["Metadata-Flavor", "test"]]);
    http.put(URL_, { status: 500, body: "oops" });
    const bad = await next();
    assert.deepEqual(namesOf(bad), ["a-node-1"]);
    assert.deepEqual(problemsOf(bad), [
      `Cannot read ${URL_}: status 500, want 200`,
    ]);
    http.put(URL_, { body: "a: [" });
    assert.deepEqual(namesOf(await next()), ["a-node-1"]);
    http.take(URL_);
    assert.deepEqual(namesOf(await next()), ["a-node-1"]);
  }));

Deno.test("runUrlSource() takes an empty body for no pods", () =>
  withSource(async ({ http, next }) => {
    http.put(URL_, { body: manifest("a") });
    assert.deepEqual(namesOf(await next()), ["a-node-1"]);
    http.put(URL_, { body: "" });
    const empty = await next();
    assert.deepEqual(namesOf(empty), []);
    assert.equal(empty?.isReady, true);
    http.put(URL_, { body: manifest("a") });
    assert.deepEqual(namesOf(await next()), ["a-node-1"]);
  }));

Deno.test("runUrlSource() takes the same body for no news", () =>
  withSource(async ({ http, next }) => {
    http.put(URL_, { body: manifest("a") });
    const first = await next();
    const second = await next();
    assert.equal(
      first?.deliveries[0]?.pods[0],
      second?.deliveries[0]?.pods[0],
    );
  }));
