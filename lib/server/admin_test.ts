import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import type { LogFile } from "../port/log_files.ts";
import type { OutgoingResponse } from "../port/net.ts";
import { adminHandler } from "./admin.ts";
import { hasAttemptEnded } from "./admin_logs.ts";
import {
  aContainer,
  aCrashLoop,
  anAgent,
  aPod,
  aStatus,
  aView,
  ended,
  NOW,
} from "./fixture_test.ts";
import type { PodView } from "./view.ts";

const DIRECTORY = "/var/log/pods/default_web_uid-web";
const line = (text: string) => `2026-07-31T10:02:00.1Z stdout F ${text}\n`;

/** Logs in memory, by path. Nothing ever changes, so nothing is watched. */
function logsOf(files: Readonly<Record<string, string>>) {
  const open = (path: string): LogFile | undefined => {
    const text = files[path];
    if (text === undefined) return undefined;
    const bytes = new TextEncoder().encode(text);
    return {
      identity: path,
      sizeBytes: () => Promise.resolve(bytes.length),
      read: (offset, length) =>
        Promise.resolve(bytes.slice(offset, offset + length)),
      close() {},
    };
  };
  return {
    files: {
      list: (path: string) =>
        Promise.resolve(
          Object.keys(files).filter((each) => each.startsWith(`${path}/`))
            .map((each) => ({
              name: each.slice(path.length + 1),
              kind: "file" as const,
            })),
        ),
      async *watch(): AsyncGenerator<void> {
        yield await Promise.resolve();
      },
    },
    logFiles: {
      open: (path: string) => Promise.resolve(open(path)),
      identity: (path: string) => Promise.resolve(open(path)?.identity),
    },
    clock: {
      nowMs: () => NOW,
      sleep: () => Promise.withResolvers<void>().promise,
    },
  };
}

async function ask(
  pods: readonly PodView[],
  target: string,
  more: { logs?: Record<string, string>; method?: string } = {},
): Promise<OutgoingResponse> {
  const url = new URL(target, "http://unix");
  const handler = adminHandler(anAgent(pods), logsOf(more.logs ?? {}));
  return await handler({
    method: more.method ?? "GET",
    path: url.pathname,
    query: new Map(url.searchParams),
    signal: new AbortController().signal,
  });
}

async function textOf({ body }: OutgoingResponse): Promise<string> {
  if (typeof body === "string") return body;
  let text = "";
  for await (const chunk of body) text += new TextDecoder().decode(chunk);
  return text;
}

async function messageOf(
  pods: readonly PodView[],
  target: string,
  more: Parameters<typeof ask>[2] = {},
): Promise<[number, string]> {
  const answer = await ask(pods, target, more);
  assert.equal(answer.contentType, "application/json");
  return [answer.status, JSON.parse(await textOf(answer)).message];
}

Deno.test("adminHandler() lists pods as a v1 PodList, in order", async () => {
  const other = aView({ pod: aPod({ name: "a", namespace: "x" }) });
  const answer = await ask([other, aView()], "/pods");
  const list = JSON.parse(await textOf(answer));
  assert.equal(answer.status, 200);
  assert.deepEqual([list.apiVersion, list.kind], ["v1", "PodList"]);
  assert.deepEqual(
    list.items.map((pod: { metadata: { name: string } }) => pod.metadata.name),
    ["web", "a"],
  );
  const [web] = list.items;
  assert.deepEqual([web.apiVersion, web.kind], ["v1", "Pod"]);
  assert.equal(web.spec.containers[0].image, "app:1");
  assert.equal(web.status.phase, "Running");
  const some = await ask([other, aView()], "/pods?namespace=x");
  assert.equal(JSON.parse(await textOf(some)).items.length, 1);
});

Deno.test("adminHandler() answers tables and explanations", async () => {
  const pods = [aCrashLoop()];
  const table = JSON.parse(await textOf(await ask(pods, "/pods/table")));
  assert.equal(table.nodeName, "n1");
  assert.equal(table.rows[0].status, "CrashLoopBackOff");
  const one = JSON.parse(await textOf(await ask(pods, "/explain/default/web")));
  assert.match(one.headline, /^Waiting to restart container app/);
  assert.ok(one.text.startsWith(one.headline));
  const node = JSON.parse(await textOf(await ask(pods, "/explain")));
  assert.equal(node.waiting[0].headline, one.headline);
});

Deno.test("adminHandler() says what is wrong with a question", async () => {
  const pods = [aView(), aView({ pod: aPod({ namespace: "x" }) })];
  assert.deepEqual(await messageOf(pods, "/explain/default/wbe"), [
    404,
    "No pod default/wbe here; near: default/web, x/web",
  ]);
  assert.deepEqual(await messageOf([], "/logs/default/web"), [
    404,
    "No pod default/web here: there are no pods",
  ]);
  for (const path of ["/", "/nodes", "/explain/x", "/run/default/web"]) {
    const [status, message] = await messageOf(pods, path);
    assert.equal(status, 404, path);
    assert.match(message, /^No such path; there are: \/pods/);
  }
  assert.equal((await messageOf(pods, "/explain/%E0%A4%A/web"))[0], 400);
  const [status] = await messageOf(pods, "/pods", { method: "POST" });
  assert.equal(status, 405);
});

Deno.test("adminHandler() chooses the container of a log", async () => {
  const two = [aView({ pod: aPod({ containers: ["app", "side"] }) })];
  assert.deepEqual(await messageOf(two, "/logs/default/web"), [
    400,
    "Pod default/web has 2 containers: choose one of app, side",
  ]);
  assert.deepEqual(await messageOf(two, "/logs/default/web?container=x"), [
    400,
    "Pod default/web has no container x; it has: app, side",
  ]);
  const logs = { [`${DIRECTORY}/side/0.log`]: line("hello") };
  const found = await ask(two, "/logs/default/web?container=side", { logs });
  assert.deepEqual([found.status, await textOf(found)], [200, "hello\n"]);
  assert.deepEqual(
    await messageOf(two, "/logs/default/web?container=app", { logs }),
    [
      404,
      "Container app of default/web has no log yet. " +
      "Running: 1 of 2 containers run; not running: side",
    ],
  );
});

Deno.test("adminHandler() knows the logs of init and ephemeral containers", async () => {
  const plain = aPod();
  const pod = {
    ...plain,
    spec: {
      ...plain.spec,
      containers: plain.spec?.containers ?? [],
      initContainers: [{ name: "first", image: "first:1" }],
      ephemeralContainers: [{ name: "look", image: "look:1" }],
    },
  };
  const status = aStatus({
    initContainerStatuses: [aContainer({ name: "first", restartCount: 2 })],
  });
  const views = [aView({ pod, status })];
  const logs = {
    [`${DIRECTORY}/first/0.log`]: line("prepared"),
    [`${DIRECTORY}/look/0.log`]: line("seen"),
  };
  for (const [name, text] of [["first", "prepared"], ["look", "seen"]]) {
    const target = `/logs/default/web?container=${name}`;
    assert.equal(await textOf(await ask(views, target, { logs })), `${text}\n`);
  }
  const ofInit = { container: "first", attempt: 2 };
  assert.equal(
    hasAttemptEnded(anAgent(views), views[0] ?? aView(), ofInit),
    false,
  );
  const [, message] = await messageOf(views, "/logs/default/web?container=x");
  assert.match(message, /it has: first, app, look$/);
});

Deno.test("adminHandler() checks the options of a log", async () => {
  for (const query of ["tailLines=-1", "tailLines=x", "follow=maybe"]) {
    const target = `/logs/default/web?${query}`;
    assert.equal((await messageOf([aView()], target))[0], 400, query);
  }
  const logs = { [`${DIRECTORY}/app/3.log`]: line("a") + line("b") };
  const target = "/logs/default/web?tailLines=1&timestamps=true&follow=0";
  const answer = await ask([aView()], target, { logs });
  assert.equal(await textOf(answer), "2026-07-31T10:02:00.100000000Z b\n");
});

Deno.test("adminHandler() finds the newest and the previous log", async () => {
  const logs = {
    [`${DIRECTORY}/app/9.log`]: line("nine"),
    [`${DIRECTORY}/app/10.log`]: line("ten"),
    [`${DIRECTORY}/app/10.log.20260731-100000`]: line("rotated"),
  };
  const read = async (
    target: string,
    pod = aView(),
    all: Record<string, string> = logs,
  ) => await textOf(await ask([pod], target, { logs: all }));
  assert.equal(await read("/logs/default/web"), "ten\n");
  assert.equal(await read("/logs/default/web?previous=true"), "nine\n");
  const one = { [`${DIRECTORY}/app/10.log`]: line("only") };
  // Between two runs, the one that ended last is the previous one.
  const previous = "/logs/default/web?previous=true";
  assert.equal(await read(previous, aCrashLoop(), one), "only\n");
  const [status, message] = await messageOf([aView()], previous, { logs: one });
  assert.equal(status, 404);
  assert.match(message, /has no earlier log\. Running: its container runs$/);
});

Deno.test("adminHandler() finds the log of a pod that is being replaced", async () => {
  const directory = "/var/log/pods/default_web_old";
  const old = aView({
    uid: podUid("old"),
    state: { kind: "cleaning" },
    logDirectory: directory,
  });
  const young = aView({ state: { kind: "waiting", for: "name" } });
  const logs = { [`${directory}/app/0.log`]: line("last words") };
  const answer = await ask([old, young], "/logs/default/web", { logs });
  assert.equal(await textOf(answer), "last words\n");
});

Deno.test("adminHandler() ends a followed log of an ended container", async () => {
  const logs = { [`${DIRECTORY}/app/4.log`]: line("bye") };
  const target = "/logs/default/web?follow=true";
  const answer = await ask([aCrashLoop()], target, { logs });
  assert.equal(await textOf(answer), "bye\n");
});

Deno.test("hasAttemptEnded() tells from the status which runs are over", () => {
  const id = "containerd://app-0";
  const waiting = { waiting: { reason: "CrashLoopBackOff" } };
  const over = { terminated: ended({ containerID: id }) };
  const older = { terminated: ended({ containerID: "containerd://older" }) };
  const { containerID: _id, ...unknown } = aContainer({ state: waiting });
  const cases: [string, ReturnType<typeof aContainer>, number, boolean][] = [
    ["running", aContainer({ restartCount: 2 }), 2, false],
    ["not heard of yet", aContainer({ restartCount: 2 }), 3, false],
    ["restarted since", aContainer({ restartCount: 3 }), 2, true],
    ["ended", aContainer({ state: over }), 0, true],
    ["will restart", aContainer({ state: waiting, lastState: over }), 0, true],
    ["begins", aContainer({ state: waiting, lastState: older }), 0, false],
    ["gone from the runtime", unknown, 0, true],
  ];
  for (const [what, status, attempt, expected] of cases) {
    const view = aView({ status: aStatus({ containerStatuses: [status] }) });
    const at = { container: "app", attempt };
    assert.equal(hasAttemptEnded(anAgent([view]), view, at), expected, what);
  }
  const at = { container: "app", attempt: 0 };
  assert.equal(hasAttemptEnded(anAgent([]), aView(), at), true, "pod gone");
});
