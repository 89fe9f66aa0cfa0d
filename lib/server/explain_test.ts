import assert from "node:assert/strict";
import type { Blocker } from "../pod/action.ts";
import { explain, explanationText } from "./explain.ts";
import {
  aContainer,
  aCrashLoop,
  ago,
  aPod,
  aStatus,
  aView,
  ended,
  MINUTE,
  NOW,
  SECOND,
} from "./fixture_test.ts";
import { headline } from "./headline.ts";
import type { PodView } from "./view.ts";

function blockedBy(blocker: Blocker): PodView {
  const { what: reason, message } = blocker;
  return aView({
    state: { kind: "waiting", for: "sandbox" },
    status: aStatus({
      phase: "Pending",
      containerStatuses: [
        aContainer({ state: { waiting: { reason, message } } }),
      ],
    }),
    blockers: [blocker],
  });
}

function stoppingIn(ms: number): PodView {
  const message = "No source wants this pod any more";
  return aView({
    state: {
      kind: "stopping",
      order: { kind: "removed", graceSeconds: 30, message },
      killAtMs: NOW + ms,
    },
    blockers: [{
      what: "stopping",
      message: `${message}; waiting for 1 container(s)`,
      untilMs: NOW + ms,
    }],
  });
}

Deno.test("headline() names the one thing that a pod waits for", () => {
  const untilMs = NOW + 12 * SECOND;
  const cases: [string, PodView][] = [
    [
      "Waiting to restart container app: next restart in 12s, at 10:02:33Z " +
      "(5th); it ended with exit code 1 (Error) 8s ago, at 10:02:13Z",
      aCrashLoop(),
    ],
    [
      "Waiting for container app: ImagePullBackOff: no such host; " +
      "next try in 12s, at 10:02:33Z (failed 3 times)",
      blockedBy({
        what: "ImagePullBackOff",
        message: "no such host",
        untilMs,
        count: 3,
      }),
    ],
    [
      "Waiting for container app: CreateContainerConfigError: no user; " +
      "it is tried again when the pod changes",
      blockedBy({ what: "CreateContainerConfigError", message: "no user" }),
    ],
    [
      "Waiting for an image: Image app:1 is pulling since 10:02",
      blockedBy({
        what: "image",
        message: "Image app:1 is pulling since 10:02",
      }),
    ],
    [
      "Waiting for the container runtime: connection refused",
      blockedBy({ what: "runtime", message: "connection refused" }),
    ],
    [
      "Cannot run on this agent: This agent does not support volumes yet; " +
      "it is tried again when the pod changes",
      blockedBy({
        what: "unsupported",
        message: "This agent does not support volumes yet",
      }),
    ],
    [
      "Waiting for its name",
      aView({
        state: { kind: "waiting", for: "name" },
        status: aStatus({ phase: "Pending" }),
      }),
    ],
    [
      "Stopping: No source wants this pod any more; waiting for 1 " +
      "container(s); killed in 12s, at 10:02:33Z, if it has not ended by then",
      stoppingIn(12 * SECOND),
    ],
    [
      "Stopping: No source wants this pod any more; waiting for 1 " +
      "container(s); its grace is over",
      stoppingIn(-SECOND),
    ],
    ["Cleaning up", aView({ state: { kind: "cleaning" } })],
    ["Running: its container runs", aView()],
    [
      "Running: 1 of 2 containers run; not running: job",
      aView({ pod: aPod({ containers: ["app", "job"] }) }),
    ],
  ];
  for (const [line, view] of cases) assert.equal(headline(view, NOW), line);
});

Deno.test("headline() tells of a resize beside what runs", () => {
  const wait = { what: "resize", message: "Resize deferred: 1m too few" };
  assert.equal(
    headline(aView({ blockers: [wait] }), NOW),
    "Running: its container runs. Resize deferred: 1m too few",
  );
  const untilMs = NOW + 12 * SECOND;
  const failed = { what: "resize", message: "Resize failed: no", untilMs };
  assert.equal(
    headline(aView({ blockers: [{ ...failed, count: 2 }] }), NOW),
    "Running: its container runs. Resize failed: no; " +
      "next try in 12s, at 10:02:33Z (failed 2 times)",
  );
});

Deno.test("headline() tells how a finished pod ended", () => {
  const end = (exitCode: number, reason: string) =>
    aContainer({ state: { terminated: ended({ exitCode, reason }) } });
  assert.equal(
    headline(
      aView({
        state: { kind: "done" },
        status: aStatus({
          phase: "Succeeded",
          containerStatuses: [end(0, "Completed")],
        }),
      }),
      NOW,
    ),
    "Finished: its container ended well",
  );
  assert.equal(
    headline(
      aView({
        status: aStatus({
          phase: "Failed",
          containerStatuses: [end(137, "OOMKilled")],
        }),
      }),
      NOW,
    ),
    "Finished: 1 of 1 container failed; app ended with exit code 137 " +
      "(OOMKilled, signal 9) 8s ago, at 10:02:13Z",
  );
});

Deno.test("explanationText() reads from the cause to the places", () => {
  const crash = aCrashLoop();
  const view: PodView = {
    ...crash,
    blockers: [...crash.blockers, { what: "image", message: "Looking for x" }],
    steps: [
      {
        type: "Normal",
        reason: "Pulled",
        message: "Image is there",
        container: "app",
        firstAtMs: NOW - 3 * MINUTE,
        lastAtMs: NOW - 3 * MINUTE,
        count: 1,
      },
      {
        type: "Warning",
        reason: "BackOff",
        message: "Back-off restarting\nfailed container",
        container: "app",
        firstAtMs: NOW - 2 * MINUTE,
        lastAtMs: NOW,
        count: 5,
      },
    ],
  };
  assert.equal(
    explanationText(view, NOW),
    `
Waiting to restart container app: next restart in 12s, at 10:02:33Z (5th); it ended with exit code 1 (Error) 8s ago, at 10:02:13Z
Pod default/web, uid uid-web, phase Running, IP 10.88.0.7, since 2026-07-31T09:59:21Z (3m)

Also waiting:
  image: Looking for x

Containers:
  app: waiting: CrashLoopBackOff; restarted 4 times
    why: back-off 40s restarting failed container=app pod=web_default(uid-web)
    last run: exit code 1 (Error) 8s ago, at 10:02:13Z, after 52s
    image: app:1

Steps, oldest first (it is 2026-07-31T10:02:21Z now):
  2026-07-31T09:59:21Z   Pulled   app: Image is there
  2026-07-31T10:02:21Z ! BackOff  app: Back-off restarting failed container (x5 over 2m)

Manifest: a file in the node's manifest folder
Logs: /var/log/pods/default_web_uid-web/<container>/<attempt>.log
`.slice(1),
  );
});

Deno.test("explanationText() tells of running, ended and missing containers", () => {
  const text = explanationText(
    aView({
      pod: aPod({ containers: ["app", "job", "late"] }),
      status: aStatus({
        containerStatuses: [
          aContainer({ ready: false, restartCount: 1 }),
          aContainer({
            name: "job",
            state: { terminated: ended({ message: "bye\nall" }) },
          }),
        ],
      }),
    }),
    NOW,
  );
  assert.match(
    text,
    / {2}app: running since 10:01:21Z \(60s\), not ready; restarted 1 time\n/,
  );
  assert.match(
    text,
    / {2}job: ended: exit code 0 \(Completed\) 8s ago, at 10:02:13Z, after 52s\n {4}said: bye\n {6}all\n/,
  );
  assert.match(text, / {2}late: not started\n {4}image: late:1\n/);
});

Deno.test("explain() shows no secret of the spec", () => {
  const all = JSON.stringify(explain(aCrashLoop(), NOW));
  assert.equal(all.includes("hunter2"), false);
  assert.equal(all.includes("PASSWORD"), false);
});

Deno.test("explanationText() lets nobody else's words drive the terminal", () => {
  const view = aView({
    status: aStatus({
      containerStatuses: [aContainer({
        lastState: {
          terminated: ended({
            message: "\x1b[2J\x1b]0;owned\x07\rx\u202ey",
            startedAt: ago(0),
          }),
        },
      })],
    }),
  });
  const text = explanationText(view, NOW);
  assert.match(text, /said then: \?\[2J\?\]0;owned\?\?x\?y\n/);
});

Deno.test("explanationText() shows why the pod would be evicted, and when", () => {
  const eviction = "1. in line: default/web: uses 5Mi, asked for 1Mi";
  const text = explanationText(aView({ eviction }), NOW);
  assert.ok(text.includes(`\nEviction:\n  ${eviction}\n`));
  assert.ok(!explanationText(aView({}), NOW).includes("Eviction"));
});
