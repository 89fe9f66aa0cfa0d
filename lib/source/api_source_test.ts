import assert from "node:assert/strict";
import type { V1Pod } from "../api/types.ts";
import type { PodNews } from "../port/cluster.ts";
import { runApiSource } from "./api_source.ts";
import type { SourceState } from "./merge.ts";

const MIRROR = { "kubernetes.io/config.mirror": "hash" };

function pod(name: string, uid: string, version = "1"): V1Pod {
  return {
    metadata: { name, namespace: "a", uid, resourceVersion: version },
    spec: { containers: [{ name: "app", image: "app:1" }] },
  };
}

function mirror(name: string, uid: string): V1Pod {
  const { metadata, ...rest } = pod(name, uid);
  return { ...rest, metadata: { ...metadata, annotations: MIRROR } };
}

/** What was delivered after each piece of news. */
async function delivered(...news: PodNews[]): Promise<SourceState[]> {
  const states: SourceState[] = [];
  await runApiSource({
    nodeName: "node",
    pods: {
      async *watch() {
        yield* news;
      },
    },
    deliver: (state) => void states.push(state),
  }, new AbortController().signal);
  return states;
}

function uids(state: SourceState | undefined): (string | undefined)[] {
  return (state?.deliveries ?? []).flatMap(({ pods }) =>
    pods.map((each) => each.uid)
  );
}

Deno.test("runApiSource() is ready from the first list on, not before", async () => {
  const states = await delivered(
    { kind: "silent", message: "nobody answers" },
    { kind: "listed", pods: [] },
  );
  assert.deepEqual(states.map(({ isReady }) => isReady), [false, true]);
  assert.deepEqual(states[0]?.deliveries[0]?.findings, [
    { severity: "warning", message: "nobody answers" },
  ]);
  assert.deepEqual(states[1]?.deliveries[0]?.findings, []);
});

Deno.test("runApiSource() keeps its pods while the server is silent", async () => {
  const states = await delivered(
    { kind: "listed", pods: [pod("web", "1")] },
    { kind: "silent", message: "gone" },
    { kind: "steady" },
  );
  assert.deepEqual(states.map(uids), [["1"], ["1"], ["1"]]);
  assert.deepEqual(states[2]?.deliveries[0]?.findings, []);
});

Deno.test("runApiSource() lets a list take away what it does not hold", async () => {
  const states = await delivered(
    { kind: "listed", pods: [pod("web", "1"), mirror("static", "2")] },
    { kind: "listed", pods: [pod("other", "3")] },
  );
  assert.deepEqual(uids(states[1]), ["3"]);
  assert.equal(states[1]?.mirrors?.size, 0);
});

Deno.test("runApiSource() tells a pod from its successor of the same name", async () => {
  const states = await delivered(
    { kind: "listed", pods: [pod("web", "1")] },
    { kind: "changed", pod: pod("web", "2", "5") },
    { kind: "deleted", pod: pod("web", "1", "4") },
    { kind: "deleted", pod: pod("web", "2", "6") },
  );
  assert.deepEqual(states.map(uids), [["1"], ["2"], ["2"], []]);
});

Deno.test("runApiSource() keeps mirror pods apart", async () => {
  const states = await delivered(
    { kind: "listed", pods: [mirror("static", "1"), pod("web", "2")] },
    { kind: "deleted", pod: mirror("static", "1") },
  );
  assert.deepEqual(uids(states[0]), ["2"]);
  assert.deepEqual([...states[0]?.mirrors?.keys() ?? []], ["static_a"]);
  assert.equal(states[1]?.mirrors?.size, 0);
});

Deno.test("runApiSource() keeps the object of a version that is known", async () => {
  const states = await delivered(
    { kind: "listed", pods: [pod("web", "1", "7")] },
    { kind: "listed", pods: [pod("web", "1", "7")] },
    { kind: "changed", pod: pod("web", "1", "8") },
  );
  const found = states.map((state) => state.deliveries[0]?.pods[0]);
  assert.equal(found[0], found[1]);
  assert.notEqual(found[1], found[2]);
});

Deno.test("runApiSource() lets nothing in that cannot be a pod", async () => {
  const good = pod("web", "1");
  const odd: V1Pod[] = [
    {},
    { ...good, metadata: { ...good.metadata, uid: "../../x" } },
    { ...good, metadata: { ...good.metadata, uid: ".." } },
    { ...good, metadata: { ...good.metadata, name: "../x" } },
    { ...good, metadata: { ...good.metadata, namespace: "" } },
    { ...good, spec: { containers: [] } },
    { ...good, spec: { containers: [{ name: "a/b", image: "app:1" }] } },
  ];
  for (const each of odd) {
    const [state] = await delivered({ kind: "listed", pods: [each] });
    assert.deepEqual(uids(state), []);
    const [finding] = state?.deliveries[0]?.findings ?? [];
    assert.equal(finding?.severity, "error");
    assert.match(finding?.message ?? "", /ignored: (metadata|spec)\.\w+: want/);
  }
  const states = await delivered(
    { kind: "listed", pods: [{}] },
    { kind: "listed", pods: [good] },
  );
  assert.deepEqual(states[1]?.deliveries[0]?.findings, []);
});

Deno.test("runApiSource() lets no annotation make a pod static", async () => {
  const good = pod("web", "1");
  const annotations = { "kubernetes.io/config.source": "file", a: "b" };
  const posing = { ...good, metadata: { ...good.metadata, annotations } };
  const [state] = await delivered({ kind: "listed", pods: [posing] });
  const found = state?.deliveries[0]?.pods[0]?.pod;
  assert.deepEqual(found?.metadata?.annotations, {
    "kubernetes.io/config.source": "api",
    a: "b",
  });
});
