import assert from "node:assert/strict";
import { aContainer, anInstance, aPod, running } from "../../tests/build.ts";
import { type PodUid, podUid } from "../api/id.ts";
import { requestsHeldBy } from "../api/requests.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Pod } from "../api/types.ts";
import { unseenStatus } from "../pod/status.ts";
import { heldPod, othersOf } from "./admission.ts";
import { EMPTY_MEMORY, type PodMemory } from "./store.ts";

const SELF = podUid("self");

function pod(name: string, cpu = "1"): V1Pod {
  const resources = { requests: { cpu } };
  return aPod({ name, uid: name, containers: [aContainer({ resources })] });
}

function others(
  known: Readonly<Record<string, PodMemory>>,
  wanted: readonly V1Pod[],
  given: readonly string[] = [],
): readonly string[] {
  const pods = new Map(
    Object.entries(known).map(([name, memory]) => [podUid(name), memory]),
  );
  const byUid = new Map(wanted.map((each) => [uidOf(each), each]));
  return othersOf(SELF, pods, {
    uids: byUid.keys(),
    podOf: (uid: PodUid) => byUid.get(uid),
    isGiven: (uid: PodUid) => given.includes(uid),
  }).map((each) => {
    const cpu = requestsHeldBy(each).get("cpu") ?? 0n;
    return `${each.metadata?.name} ${cpu / 1_000_000n}m`;
  });
}

Deno.test("othersOf() counts who was let in and has not ended", () => {
  const observed = { sandboxes: [], containers: [anInstance()], atMs: 0 };
  const memory = { ...EMPTY_MEMORY, pod: pod("a"), state: running() };
  const failed = { ...unseenStatus(pod("a")), phase: "Failed" } as const;
  const one = [pod("a")];
  assert.deepEqual(others({ a: memory }, one), ["a 1000m"]);
  assert.deepEqual(others({ a: memory }, []), ["a 1000m"]);
  assert.deepEqual(others({ a: { ...EMPTY_MEMORY, observed } }, one), [
    "a 1000m",
  ]);
  assert.deepEqual(others({ a: EMPTY_MEMORY }, one), []);
  assert.deepEqual(others({ a: { ...memory, status: failed } }, one), []);
  assert.deepEqual(
    others({ a: { ...memory, state: { kind: "done" } } }, one, ["a"]),
    [],
  );
  assert.deepEqual(others({ self: { ...memory, pod: pod("self") } }, []), []);
});

Deno.test("othersOf() counts who was let in before the agent started", () => {
  const one = [pod("a")];
  assert.deepEqual(others({ a: EMPTY_MEMORY }, one, ["a"]), ["a 1000m"]);
  // After a reboot the runtime has nothing of it.
  assert.deepEqual(others({}, one, ["a"]), ["a 1000m"]);
  const ended = { ...pod("a"), status: { phase: "Succeeded" } };
  assert.deepEqual(others({}, [ended], ["a"]), []);
});

Deno.test("othersOf() takes what was given over what is remembered", () => {
  const memory = { ...EMPTY_MEMORY, pod: pod("a"), state: running() };
  assert.deepEqual(others({ a: memory }, [pod("a", "2")]), ["a 2000m"]);
});

Deno.test("heldPod() has what is set until less is set", () => {
  const status = {
    ...unseenStatus(pod("a")),
    containerStatuses: [{
      name: "web",
      image: "",
      imageID: "",
      ready: true,
      restartCount: 0,
      state: {},
      lastState: {},
      resources: { requests: { cpu: "3" } },
    }],
  };
  const memory = { ...EMPTY_MEMORY, state: running(), status, isGiven: true };
  const held = heldPod({ ...memory, pod: pod("a", "1") });
  assert.ok(held);
  assert.equal(requestsHeldBy(held).get("cpu"), 3_000_000_000n);
});
