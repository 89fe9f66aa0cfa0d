import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import { podNameOf, uidOf } from "../api/pod.ts";
import { podLogDirectory } from "../pod/paths.ts";
import { NO_RESIZE } from "../pod/resize_facts.ts";
import {
  aContainer,
  anInstance,
  aPod,
  aSandbox,
  HEALTHY,
  NOW_MS,
  SETTINGS,
} from "../../tests/build.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { factsOf, loggedAttempts, rememberedName } from "./facts.ts";
import { EMPTY_MEMORY, type PodMemory } from "./store.ts";

const POD = aPod();
const NOTHING = { sandboxes: [], containers: [], atMs: 0 };

function rivalAmong(others: Record<string, PodMemory>) {
  const pods = new Map(
    Object.entries(others).map(([uid, memory]) => [podUid(uid), memory]),
  );
  return factsOf(uidOf(POD), {
    stops: new Map(),
    pod: POD,
    areSourcesReady: true,
    memory: EMPTY_MEMORY,
    observed: NOTHING,
    isAdmitted: false,
    resize: NO_RESIZE,
    node: undefined,
    evicted: undefined,
    pressures: [],
    others: [],
    hostIps: [],
    images: new Map(),
    volumes: undefined,
    references: new Map(),
    services: [],
    allocatable: new Map(),
    verdicts: new Map(),
    loggedAttempts: new Map(),
    runtime: HEALTHY,
    runtimeClasses: undefined,
    userIds: undefined,
    nowMs: NOW_MS,
    settings: SETTINGS,
  }, pods).rival;
}

Deno.test("factsOf() finds a rival of the same name that is still here", () => {
  const old = aPod({ uid: "old" });
  const observed = { ...NOTHING, sandboxes: [aSandbox({ pod: old })] };
  const cases: [string, Record<string, PodMemory>, string | undefined][] = [
    ["nobody", {}, undefined],
    [
      "known by its pod",
      { old: { ...EMPTY_MEMORY, pod: old, observed } },
      "old",
    ],
    ["known by its labels", { old: { ...EMPTY_MEMORY, observed } }, "old"],
    ["gone already", { old: { ...EMPTY_MEMORY, pod: old } }, undefined],
    ["itself", { [uidOf(POD)]: { ...EMPTY_MEMORY, observed } }, undefined],
    ["of another name", {
      old: { ...EMPTY_MEMORY, pod: aPod({ name: "bank" }), observed },
    }, undefined],
    ["of another namespace", {
      old: { ...EMPTY_MEMORY, pod: aPod({ namespace: "test" }), observed },
    }, undefined],
  ];
  for (const [title, others, expected] of cases) {
    assert.equal(rivalAmong(others), expected, title);
  }
});

Deno.test("rememberedName() reads labels when no source knows the pod", () => {
  const uid = uidOf(POD);
  const name = podNameOf(POD);
  const sandboxes = [aSandbox()];
  const containers = [anInstance()];
  const ask = (observed: PodMemory["observed"]) =>
    rememberedName(uid, { pod: undefined, observed });
  assert.deepEqual(ask({ ...NOTHING, sandboxes }), name);
  assert.deepEqual(ask({ ...NOTHING, containers }), name);
  assert.equal(ask(NOTHING), undefined);
  const other = aPod({ name: "bank" });
  assert.equal(
    rememberedName(uid, { pod: other, observed: { ...NOTHING, sandboxes } })
      ?.name,
    "bank",
  );
});

Deno.test("loggedAttempts() counts on from the highest log file", async () => {
  const pod = aPod({
    containers: ["many", "rotated", "odd", "none"].map((name) =>
      aContainer({ name })
    ),
  });
  const files = new FakeFiles();
  const directory = podLogDirectory(SETTINGS, podNameOf(pod));
  assert.deepEqual(await loggedAttempts(files, SETTINGS, pod), new Map());
  for (
    const path of [
      "many/0.log",
      "many/10.log",
      "many/9.log",
      "rotated/3.log.20260102-030405.gz",
      "odd/x.log",
    ]
  ) files.put(`${directory}/${path}`, "");
  assert.deepEqual(
    await loggedAttempts(files, SETTINGS, pod),
    new Map([["many", 11], ["rotated", 4]]),
  );
});
