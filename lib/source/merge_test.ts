import assert from "node:assert/strict";
import { type PodUid, podUid } from "../api/id.ts";
import { fullNameOf } from "../api/pod.ts";
import { seenOf } from "./identity.ts";
import { delivered, type Delivery, merge, type SourceState } from "./merge.ts";
import { type Desired, NOTHING_YET, type WantedPod } from "./types.ts";

const ERROR = { severity: "error", line: 3, message: "broken" } as const;

const pod = (
  name: string,
  uid = `uid-${name}`,
  location = "/m/a",
): WantedPod => ({
  uid: podUid(uid),
  origin: { kind: "file", location },
  pod: { metadata: { name, namespace: "default", uid } },
});
const file = (
  location: string,
  pods: readonly WantedPod[],
  findings: Delivery["findings"] = [],
): Delivery => ({ origin: { kind: "file", location }, pods, findings });
const source = (
  deliveries: readonly Delivery[],
  more: Partial<SourceState> = {},
): SourceState => ({ kind: "file", isReady: true, deliveries, ...more });
const namesOf = (desired: { pods: Desired["pods"] }) =>
  [...desired.pods.values()].map((each) => each.pod.metadata?.name).sort();

Deno.test("delivered() keeps the time first seen as long as the uid stays", () => {
  const first = delivered(undefined, file("/m/a", [pod("web")]), 1000);
  const again = delivered(first, file("/m/a", [pod("web")]), 2000);
  assert.equal(again.pods[0], first.pods[0]);
  const edited = delivered(again, file("/m/a", [pod("web", "new")]), 3000);
  assert.deepEqual(edited.pods.map(seenOf), ["1970-01-01T00:00:03Z"]);
  assert.deepEqual(first.pods.map(seenOf), ["1970-01-01T00:00:01Z"]);
});

Deno.test("delivered() keeps the last good pods of a broken file", () => {
  const first = delivered(undefined, file("/m/a", [pod("a"), pod("b")]), 0);
  const broken = delivered(first, file("/m/a", [], [ERROR]), 1);
  assert.deepEqual(broken.pods, first.pods);
  const half = delivered(broken, file("/m/a", [pod("a", "2")], [ERROR]), 2);
  assert.deepEqual(half.pods.map(({ uid }) => uid), ["2", "uid-b"]);
  const whole = delivered(half, file("/m/a", [pod("a", "2")]), 3);
  assert.deepEqual(whole.pods.map(({ uid }) => uid), ["2"]);
});

Deno.test("delivered() lets a warning be one", () => {
  const first = delivered(undefined, file("/m/a", [pod("a"), pod("b")]), 0);
  const warning = { severity: "warning", message: "odd" } as const;
  const next = delivered(first, file("/m/a", [pod("a")], [warning]), 1);
  assert.deepEqual(next.pods.map(({ uid }) => uid), ["uid-a"]);
});

Deno.test("merge() gives a name to the first: files by name, then URL", () => {
  const late = source([{
    origin: { kind: "url", location: "http://x" },
    pods: [pod("web", "3"), pod("other", "4")],
    findings: [],
  }], { kind: "url" });
  const files = source([
    file("/m/a", [pod("web", "1", "/m/a")]),
    file("/m/b", [pod("web", "2", "/m/b")]),
  ]);
  const desired = merge([late, files], NOTHING_YET, 5);
  assert.deepEqual([...desired.pods.keys()], ["1", "4"]);
  const because = "pod default/web is wanted by /m/a already, this one is " +
    "ignored";
  assert.deepEqual(desired.problems, [
    {
      severity: "error",
      field: "metadata.name",
      location: "/m/b",
      message: because,
      duplicate: { pod: pod("web", "2", "/m/b").pod, kind: "file" },
      sinceMs: 5,
    },
    {
      severity: "error",
      field: "metadata.name",
      location: "http://x",
      message: because,
      sinceMs: 5,
    },
  ]);
});

Deno.test("merge() gives a uid to the first", () => {
  const files = source([
    file("/m/a", [pod("a", "1")]),
    file("/m/b", [pod("b", "1")]),
  ]);
  const desired = merge([files], NOTHING_YET, 5);
  assert.deepEqual(namesOf(desired), ["a"]);
  assert.equal(desired.problems[0]?.field, "metadata.uid");
});

Deno.test("merge() is ready when every source is", () => {
  const files = source([]);
  const silent = source([], { kind: "url", isReady: false });
  const waiting = merge([files, silent], NOTHING_YET, 0);
  assert.equal(waiting.isReady, false);
  assert.deepEqual([...waiting.readySources], ["file"]);
  const ready = merge([files, { ...silent, isReady: true }], waiting, 0);
  assert.equal(ready.isReady, true);
  assert.equal(merge([], NOTHING_YET, 0).isReady, true);
});

Deno.test("merge() remembers since when a problem is there", () => {
  const broken = source([file("/m/a", [], [ERROR])]);
  const first = merge([broken], NOTHING_YET, 10);
  assert.equal(first.problems[0]?.sinceMs, 10);
  assert.equal(merge([broken], first, 20), first);
  const more = source([file("/m/a", [pod("a")], [ERROR])]);
  const second = merge([more], first, 20);
  assert.equal(second.problems[0]?.sinceMs, 10);
});

/** A small generator, so that a failure can be repeated. */
function* random(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    yield state / 2 ** 31;
  }
}

Deno.test("merge() invariants hold over any story", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const numbers = random(seed);
    const pick = (count: number) => Math.floor(numbers.next().value * count);
    const files = new Map<string, Delivery>();
    let desired: Desired = NOTHING_YET;
    for (let step = 0; step < 30; step++) {
      const location = `/m/${"abc"[pick(3)]}`;
      const before = desired;
      const act = ["write", "break", "remove"][pick(3)];
      const pods = Array.from({ length: pick(3) }, () => {
        const name = `p${pick(4)}`;
        return pod(name, `${name}-${location}-${pick(2)}`, location);
      });
      const old = files.get(location);
      if (act === "remove") files.delete(location);
      else {
        const findings = act === "break" ? [ERROR] : [];
        const now = file(location, act === "break" ? [] : pods, findings);
        files.set(location, delivered(old, now, step));
      }
      const sorted = [...files].sort(([one], [other]) => one < other ? -1 : 1);
      const states = [source(sorted.map(([, each]) => each))];
      desired = merge(states, desired, step);
      checkInvariants(desired, before, { act, location, files, seed });
      assert.equal(merge(states, desired, step + 1), desired);
    }
  }
});

function checkInvariants(
  desired: Desired,
  before: Desired,
  { act, location, files, seed }: {
    act: string | undefined;
    location: string;
    files: ReadonlyMap<string, Delivery>;
    seed: number;
  },
): void {
  const uids: readonly PodUid[] = [...desired.pods.keys()];
  const names = uids.map((uid) => fullNameOf(desired.pods.get(uid)?.pod ?? {}));
  assert.equal(new Set(names).size, names.length, `seed ${seed}: a name twice`);
  const offered = new Set([...files.values()].flatMap(({ pods }) => pods));
  for (const each of desired.pods.values()) {
    assert.ok(offered.has(each), `seed ${seed}: nobody wants ${each.uid}`);
  }
  if (act !== "break") return;
  for (const [uid, each] of before.pods) {
    if (each.origin.location !== location) continue;
    assert.ok(desired.pods.has(uid), `seed ${seed}: broken file lost ${uid}`);
  }
}
