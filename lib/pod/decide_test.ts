import assert from "node:assert/strict";
import { plan } from "../../tests/fakes/legal_plan.ts";
import {
  aContainer,
  aFailed,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  PRESENT,
  running,
} from "../../tests/build.ts";
import { podUid } from "../api/id.ts";
import { kinds, only, removed } from "./decide_fixture_test.ts";

const never = aPod({ spec: { restartPolicy: "Never" } });

const onFailure = aPod({ spec: { restartPolicy: "OnFailure" } });

Deno.test("decide() makes cgroup, files and sandbox for a new pod and asks for its images", () => {
  const made = plan({
    pod: aPod({ containers: [aContainer(), aContainer({ name: "log" })] }),
  });
  assert.deepEqual(kinds(made), [
    "make-cgroup",
    "make-pod-files",
    "ensure-image",
    "ensure-image",
    "run-sandbox",
  ]);
  assert.deepEqual(made.next, { kind: "waiting", for: "sandbox" });
  assert.equal(only(made, "run-sandbox")[0]?.spec.attempt, 0);
});

Deno.test("decide() starts a pod although another source has not reported", () => {
  assert.ok(kinds(plan({ areSourcesReady: false })).includes("run-sandbox"));
});

Deno.test("decide() starts a container once its sandbox and image are there", () => {
  const made = plan({
    sandboxes: [aSandbox({ attempt: 3 })],
    images: { web: PRESENT },
  });
  assert.deepEqual(kinds(made), ["start-container"]);
  const [start] = only(made, "start-container");
  assert.equal(start?.sandboxId, "s0");
  assert.equal(start?.sandbox.attempt, 3);
  assert.equal(start?.container.attempt, 0);
  assert.equal(start?.container.imageRef, "sha256:aaaa");
  assert.deepEqual(made.next, running());
});

Deno.test("decide() leaves a running pod alone", () => {
  const made = plan({
    state: running(),
    sandboxes: [aSandbox()],
    containers: [anInstance()],
  });
  assert.deepEqual(made, {
    next: running(),
    actions: [],
    blockers: [],
    waiting: new Map(),
  });
});

Deno.test("decide() stops no pod while a source is silent", () => {
  const made = plan({
    ...removed,
    areSourcesReady: false,
    sandboxes: [aSandbox()],
    containers: [anInstance()],
  });
  assert.deepEqual(made.actions, []);
  assert.deepEqual(made.next, { kind: "waiting", for: "sources" });
});

Deno.test("decide() waits for an older pod of the same name", () => {
  const made = plan({ rival: podUid("old") });
  assert.deepEqual(made.actions, []);
  assert.deepEqual(made.next, { kind: "waiting", for: "name" });
  assert.match(made.blockers[0]?.message ?? "", /old/);
});

Deno.test("decide() restarts a failed container only after its delay", () => {
  const crashed = aFailed({
    attempt: 2,
    crashDelayMs: 20_000,
    finishedAtMs: NOW_MS,
  });
  const parts = {
    state: running(),
    sandboxes: [aSandbox()],
    containers: [crashed],
    images: { web: PRESENT },
  };
  const early = plan(parts, NOW_MS + 19_999);
  assert.deepEqual(early.actions, []);
  assert.equal(early.wakeAtMs, NOW_MS + 20_000);
  assert.deepEqual(early.waiting.get("web"), {
    what: "CrashLoopBackOff",
    message: "back-off 20s restarting failed container=web " +
      "pod=shop_prod(11111111-2222-3333-4444-555555555555)",
    untilMs: NOW_MS + 20_000,
    count: 3,
  });
  const due = plan(parts, NOW_MS + 20_000);
  assert.deepEqual(kinds(due), ["start-container"]);
  assert.equal(only(due, "start-container")[0]?.container.attempt, 3);
});

Deno.test("decide() wakes for the earliest of several waits", () => {
  const pod = aPod({
    containers: [aContainer({ name: "a" }), aContainer({ name: "b" })],
  });
  const crashed = (name: string, crashDelayMs: number) =>
    aFailed({ pod, id: name, name, crashDelayMs, finishedAtMs: NOW_MS });
  const made = plan({
    pod,
    sandboxes: [aSandbox()],
    containers: [crashed("a", 40_000), crashed("b", 10_000)],
  });
  assert.equal(made.wakeAtMs, NOW_MS + 10_000);
  assert.equal(made.blockers.length, 2);
});

Deno.test("decide() asks again, once, for an image whose back-off is over", () => {
  const failed = {
    kind: "failed",
    reason: "ErrImagePull",
    message: "no such host",
    count: 2,
    failedAtMs: NOW_MS - 20_000,
    retryAtMs: NOW_MS,
  } as const;
  const parts = { sandboxes: [aSandbox()], images: { web: failed } };
  const due = plan(parts);
  assert.deepEqual(kinds(due), ["ensure-image"]);
  const early = plan(parts, NOW_MS - 1);
  assert.deepEqual(kinds(early), []);
  assert.equal(early.wakeAtMs, NOW_MS);
});

Deno.test("decide() shows ImagePullBackOff while a failed pull waits", () => {
  const made = plan({
    sandboxes: [aSandbox()],
    images: {
      web: {
        kind: "failed",
        reason: "ErrImagePull",
        message: "no such host",
        count: 1,
        failedAtMs: NOW_MS - 1_000,
        retryAtMs: NOW_MS + 9_000,
      },
    },
  });
  const blocker = made.waiting.get("web");
  assert.equal(blocker?.what, "ImagePullBackOff");
  assert.match(
    blocker?.message ?? "",
    /^Back-off pulling image "busybox:1": .*no such host/,
  );
});

Deno.test("decide() asks for an image only while nobody has", () => {
  for (const kind of ["checking", "queued", "pulling"] as const) {
    const made = plan({
      sandboxes: [aSandbox()],
      images: { web: { kind, sinceMs: NOW_MS } },
    });
    assert.deepEqual(made.actions, [], kind);
  }
});

Deno.test("decide() stops the network of a pod that has finished", () => {
  const made = plan({
    pod: never,
    state: running(),
    sandboxes: [aSandbox()],
    containers: [aFailed({ pod: never })],
  });
  assert.deepEqual(kinds(made), ["stop-sandbox"]);
});

Deno.test("decide() keeps a finished pod as it is, and its sandbox stopped", () => {
  for (const [pod, exitCode] of [[never, 1], [onFailure, 0]] as const) {
    const made = plan({
      pod,
      state: { kind: "done" },
      sandboxes: [aSandbox({ isReady: false })],
      containers: [aFailed({ pod, exitCode })],
    });
    assert.deepEqual(made.actions, []);
    assert.deepEqual(made.next, { kind: "done" });
  }
});

Deno.test("decide() stays legal when a finished pod's sandbox is still ready", () => {
  // Two sandboxes were ready, one is stopped by now, the other could not be.
  const made = plan({
    pod: never,
    state: { kind: "done" },
    sandboxes: [aSandbox(), aSandbox({ id: "s-old", isReady: false })],
    containers: [aFailed({ pod: never })],
  });
  assert.deepEqual(kinds(made).slice(0, 1), ["stop-sandbox"]);
});
