import assert from "node:assert/strict";
import type { ContainerStatusJson } from "../api/status.ts";
import { aContainer, aPod, aStatus, ended, NOW } from "./fixture_test.ts";
import { readLogQuery } from "./container_log_query.ts";
import { chooseInstance } from "./container_logs.ts";
import { LogText } from "../log/text.ts";

function read(text: string, gate: "on" | "off" = "off") {
  const params = new URLSearchParams(text);
  const query = new Map(
    [...params.keys()].map((name) => [name, params.getAll(name)]),
  );
  const reading = readLogQuery(query, {
    nowMs: NOW,
    hasStreams: gate === "on",
  });
  return reading.kind === "refused" ? reading.answer.status : reading.query;
}

const PLAIN = {
  isFollowing: false,
  isPrevious: false,
  timestamps: "hidden",
  tailLines: undefined,
  limitBytes: undefined,
  since: undefined,
  stream: undefined,
} as const;

Deno.test("readLogQuery() reads what upstream reads", () => {
  const cases: readonly [string, Partial<ReturnType<typeof Object>>][] = [
    ["", {}],
    ["follow=true&previous=1&timestamps=", {
      isFollowing: true,
      isPrevious: true,
      timestamps: "shown",
    }],
    ["follow=false&previous=0&timestamps=FALSE", {}],
    ["tailLines=0&limitBytes=1", { tailLines: 0, limitBytes: 1 }],
    ["tail=3&tailLines=9", { tailLines: 3 }],
    ["tail=all&tailLines=9", {}],
    ["sinceSeconds=2", { since: BigInt(NOW - 2000) * 1_000_000n }],
    ["sinceTime=2026-07-31T12:00:00.000000001%2B02:00", {
      since: BigInt(Date.UTC(2026, 6, 31, 10)) * 1_000_000n + 1n,
    }],
    ["stream=All&tailLines=1", { tailLines: 1 }],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(read(text), { ...PLAIN, ...expected }, text);
  }
  assert.deepEqual(read("stream=Stderr", "on"), { ...PLAIN, stream: "stderr" });
});

Deno.test("readLogQuery() refuses with upstream's statuses", () => {
  const cases: readonly [string, number][] = [
    ["tailLines=x", 400],
    ["tailLines=", 400],
    ["limitBytes=9223372036854775808", 400],
    ["sinceTime=yesterday", 400],
    ["tailLines=-1", 422],
    ["limitBytes=0", 422],
    ["sinceSeconds=0", 422],
    ["sinceSeconds=1&sinceTime=2026-07-31T10:00:00Z", 422],
    ["stream=stdout", 422],
    ["stream=Stdout&tailLines=1", 422],
    ["stream=Stdout", 400],
  ];
  for (const [text, status] of cases) assert.equal(read(text), status, text);
});

function choose(
  container: Partial<ContainerStatusJson>,
  which: "current" | "previous" = "current",
): string {
  const status = aStatus({ containerStatuses: [aContainer(container)] });
  const chosen = chooseInstance({ pod: aPod(), status }, "app", which);
  return chosen.kind === "instance" ? chosen.id : chosen.message;
}

Deno.test("chooseInstance() takes the instance that upstream takes", () => {
  const earlier = { terminated: ended({ containerID: "containerd://app-0" }) };
  const waiting = (reason: string) => ({ waiting: { reason } });
  const what = 'container "app" in pod "web" is';
  assert.equal(
    choose({ containerID: "containerd://app-1" }),
    "containerd://app-1",
  );
  assert.equal(
    choose({ lastState: earlier }, "previous"),
    "containerd://app-0",
  );
  assert.equal(
    choose({}, "previous"),
    'previous terminated container "app" in pod "web" not found',
  );
  assert.equal(choose({ state: earlier }), "containerd://app-0");
  assert.equal(
    choose({ state: waiting("CrashLoopBackOff"), lastState: earlier }),
    "containerd://app-0",
  );
  assert.equal(
    choose({ state: waiting("ErrImagePull") }),
    `${what} waiting to start: image can't be pulled`,
  );
  assert.equal(
    choose({ state: waiting("ImagePullBackOff") }),
    `${what} waiting to start: trying and failing to pull image`,
  );
  assert.equal(
    choose({ state: waiting("ContainerCreating") }),
    `${what} waiting to start: ContainerCreating`,
  );
  const { containerID: _, ...unnamed } = ended();
  assert.equal(
    choose({ state: { terminated: unnamed } }),
    `${what} terminated`,
  );
  const status = aStatus({ containerStatuses: [] });
  const chosen = chooseInstance({ pod: aPod(), status }, "app", "current");
  assert.equal(
    chosen.kind === "none" && chosen.message,
    'container "app" in pod "web" is not available',
  );
});

Deno.test("LogText leaves out what is older or of the other stream", () => {
  const raw = new TextEncoder().encode(
    "2026-07-31T10:00:00.1Z stdout F a\n" +
      "2026-07-31T12:00:00.1000001+02:00 stderr F b\n" +
      "2026-07-31T10:00:00.2Z stdout P c\n" +
      "2026-07-31T10:00:00.2Z stdout F d\n",
  );
  const since = BigInt(Date.UTC(2026, 6, 31, 10)) * 1_000_000n + 100_000_100n;
  const shown = (choice: ConstructorParameters<typeof LogText>[0]) =>
    new TextDecoder().decode(new LogText(choice).add(raw));
  assert.equal(shown({ timestamps: "hidden", since }), "b\ncd\n");
  assert.equal(
    shown({ timestamps: "shown", since, stream: "stderr" }),
    "2026-07-31T12:00:00.100000100+02:00 b\n",
  );
  assert.equal(shown({ timestamps: "hidden", stream: "stdout" }), "a\ncd\n");
});
