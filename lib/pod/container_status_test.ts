import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  anInstance,
  aPod,
  NOW_MS,
  running,
  someFacts,
} from "../../tests/build.ts";
import type { ContainerStatusJson } from "../api/status.ts";
import type { Blocker } from "./action.ts";
import { secondsText } from "./container_state.ts";
import { containerStatus } from "./container_status.ts";
import type { ObservedContainer } from "./facts.ts";

function status(
  containers: readonly ObservedContainer[],
  reason?: Blocker,
  pod = aPod(),
  old?: ContainerStatusJson,
) {
  const [container = aContainer()] = pod.spec?.containers ?? [];
  const facts = someFacts({ pod, state: running(), containers });
  return containerStatus(
    facts,
    { pod, container, role: "regular", reason },
    old,
  );
}

const CRASH_LOOP = { what: "CrashLoopBackOff", message: "back-off 10s …" };
const ended = (id: string, exitCode: number, reason: string) => ({
  terminated: {
    exitCode,
    reason,
    startedAt: secondsText(NOW_MS - 59_000),
    finishedAt: secondsText(NOW_MS - 1_000),
    containerID: `containerd://${id}`,
  },
});

Deno.test("containerStatus() waits with the kubelet's word before the first start", () => {
  assert.deepEqual(status([]), {
    name: "web",
    state: { waiting: { reason: "ContainerCreating" } },
    lastState: {},
    ready: false,
    started: false,
    restartCount: 0,
    image: "busybox:1",
    imageID: "",
  });
  const looking = { what: "image", message: "Looking for busybox:1" };
  assert.deepEqual(status([], looking).state, {
    waiting: { reason: "ContainerCreating" },
  });
  const failed = { what: "ErrImagePull", message: "no such host" };
  assert.deepEqual(status([], failed).state, {
    waiting: { reason: "ErrImagePull", message: "no such host" },
  });
});

Deno.test("containerStatus() shows a running container with its last end", () => {
  const shown = status([
    anInstance({ id: "c1", attempt: 4 }),
    aFailed({ id: "c0", attempt: 3 }),
  ]);
  assert.deepEqual(shown, {
    name: "web",
    state: { running: { startedAt: secondsText(NOW_MS - 59_000) } },
    lastState: ended("c0", 1, "Error"),
    ready: true,
    started: true,
    restartCount: 4,
    image: "docker.io/library/busybox:1",
    imageID: "sha256:aaaa",
    containerID: "containerd://c1",
    resources: {},
  });
});

Deno.test("containerStatus() shows a crash loop as waiting, its end as the last state", () => {
  const shown = status([aFailed({ attempt: 2 })], CRASH_LOOP);
  assert.deepEqual(shown.state, {
    waiting: { reason: "CrashLoopBackOff", message: "back-off 10s …" },
  });
  assert.deepEqual(shown.lastState, ended("c0", 1, "Error"));
  assert.equal(shown.restartCount, 2);
  assert.equal(shown.ready, false);
});

Deno.test("containerStatus() keeps the end of a container while its image is looked for", () => {
  const shown = status([aFailed()], { what: "image", message: "Looking" });
  assert.deepEqual(shown.state, ended("c0", 1, "Error"));
});

Deno.test("containerStatus() shows the end of a container that does not run again", () => {
  const pod = aPod({ spec: { restartPolicy: "Never" } });
  const shown = status([aFailed({ pod, message: "bye" })], undefined, pod);
  assert.deepEqual(shown.state, {
    terminated: { ...ended("c0", 1, "Error").terminated, message: "bye" },
  });
  assert.deepEqual(shown.lastState, {});
});

Deno.test("containerStatus() never shows created or unknown as running", () => {
  for (const state of ["created", "unknown"] as const) {
    const shown = status([anInstance({ state })]);
    assert.deepEqual(shown.state, {
      waiting: { reason: "ContainerCreating" },
    });
    assert.equal(shown.ready, false);
  }
});

Deno.test("containerStatus() leaves out times that the runtime does not know", () => {
  const shown = status(
    [aFailed({ startedAtMs: 0 })],
    undefined,
    aPod({ spec: { restartPolicy: "Never" } }),
  );
  assert.equal(shown.state.terminated?.startedAt, undefined);
  assert.equal(
    shown.state.terminated?.finishedAt,
    secondsText(NOW_MS - 1_000),
  );
});

Deno.test("secondsText() is RFC 3339, cut to the second", () => {
  assert.equal(secondsText(NOW_MS + 999), "2026-01-02T03:04:05Z");
});

Deno.test("containerStatus() cuts messages, but no character", () => {
  const pod = aPod({
    spec: { restartPolicy: "Never" },
    containers: ["web", "b", "c"].map((name) => aContainer({ name })),
  });
  const messageOf = (message: string) =>
    status([aFailed({ pod, message })], undefined, pod).state.terminated
      ?.message ?? "";
  assert.equal(messageOf("x".repeat(5000)).length, 4096);
  assert.equal(messageOf("€".repeat(5000)), "€".repeat(1365));
  assert.equal(messageOf("€".repeat(1365)), "€".repeat(1365));
});

Deno.test("containerStatus() calls a container lost when the runtime knows no state", () => {
  const unknown = [anInstance({ state: "unknown", attempt: 2 })];
  const before = status([anInstance({ attempt: 2 })]);
  const lost = status(unknown, undefined, aPod(), before);
  assert.equal(lost.state.terminated?.reason, "ContainerStatusUnknown");
  assert.equal(lost.restartCount, 3);
  assert.deepEqual(status(unknown, undefined, aPod(), lost), lost);
});

Deno.test("containerStatus() keeps the reason until the container starts", () => {
  const crashed = [aFailed({ attempt: 1 })];
  const waits = status(crashed, CRASH_LOOP);
  const pulling = { what: "image", message: "It is pulled" };
  for (const reason of [undefined, pulling]) {
    assert.deepEqual(status(crashed, reason, aPod(), waits), waits);
  }
  const next = [aFailed({ id: "c9", attempt: 2 }), ...crashed];
  const ends = status(next, undefined, aPod(), waits);
  assert.deepEqual(ends.state, ended("c9", 1, "Error"));
  assert.deepEqual(ends.lastState, ended("c0", 1, "Error"));
  const unpulled = status([], { what: "ErrImagePull", message: "no" });
  assert.deepEqual(status([], pulling, aPod(), unpulled), unpulled);
});

Deno.test("containerStatus() waits for init containers in their own words", () => {
  const pod = aPod({ spec: { initContainers: [aContainer({ name: "i" })] } });
  assert.deepEqual(status([], undefined, pod).state, {
    waiting: { reason: "PodInitializing" },
  });
});
