import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { openLibc } from "../host/libc.ts";
import { HostFiles } from "../host/files.ts";
import { HostListener } from "../host/listener.ts";
import { HostLogFiles } from "../host/log_files.ts";
import { unixClient } from "../host/unix_client.ts";
import { systemClock } from "../base/clock.ts";
import { adminHandler } from "./admin.ts";
import { type CliPorts, findPod, type Question, runQuestion } from "./cli.ts";
import { aCrashLoop, anAgent, aPod, aView, NOW } from "./fixture_test.ts";
import { podTable } from "./table.ts";
import type { AgentView } from "./view.ts";

const SOCKET = "/run/denolet.sock";
const PODS: Question = {
  kind: "pods",
  output: "table",
  namespace: undefined,
  hostRoot: "/",
};
const WEB = { namespace: undefined, name: "web" };
const LOGS: Question = {
  kind: "logs",
  pod: WEB,
  container: undefined,
  isFollowing: false,
  tailLines: undefined,
  isPrevious: false,
  hostRoot: "/",
};

/** Runs a question; what it printed, and how it ended. */
async function run(
  question: Question,
  get: CliPorts["get"],
  signal = new AbortController().signal,
) {
  const printed = { out: "", err: "", code: -1 };
  const decoder = new TextDecoder();
  printed.code = await runQuestion(question, {
    socketPath: SOCKET,
    get,
    write: (bytes) => {
      printed.out += decoder.decode(bytes, { stream: true });
      return Promise.resolve();
    },
    writeError: (text) => {
      printed.err += text;
      return Promise.resolve();
    },
  }, signal);
  return printed;
}

/** The agent's own handler, without a socket between. */
function getFrom(view: AgentView): CliPorts["get"] {
  const fail = () => Promise.reject(new Error("not in this test"));
  const handler = adminHandler(view, {
    files: { list: () => Promise.resolve([]), async *watch() {} },
    logFiles: { open: fail, identity: fail },
    clock: { nowMs: () => NOW, sleep: fail },
  });
  return async (target, signal) => {
    const url = new URL(target, "http://unix");
    const query = new Map(url.searchParams);
    const answer = await handler({
      method: "GET",
      path: url.pathname,
      query,
      signal,
    });
    return { status: answer.status, body: bodyOf(answer.body) };
  };
}

async function* bodyOf(
  body: string | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (typeof body !== "string") return yield* body;
  // In small chunks, as a socket may deliver them.
  const bytes = new TextEncoder().encode(body);
  for (let at = 0; at < bytes.length; at += 7) {
    yield await Promise.resolve(bytes.subarray(at, at + 7));
  }
}

Deno.test("runQuestion() prints the table of pods", async () => {
  const get = getFrom(anAgent([
    aView(),
    aView({
      pod: aPod({ namespace: "x", name: "other" }),
    }),
  ]));
  const all = await run(PODS, get);
  assert.equal(all.code, 0);
  assert.match(all.out, /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP\n/);
  assert.equal(all.out.split("\n").length, 4);
  const some = await run({ ...PODS, namespace: "x" }, get);
  assert.match(some.out, /^NAME +READY/);
  assert.match(some.out, /\nother +1\/1 +Running +0 +3m +10.88.0.7\n$/);
  const none = await run({ ...PODS, namespace: "y" }, get);
  assert.deepEqual(none, { out: "", err: "No pods in y.\n", code: 0 });
});

Deno.test("runQuestion() passes JSON on as it is", async () => {
  const { out, code } = await run(
    { ...PODS, output: "json" },
    getFrom(anAgent([aView()])),
  );
  assert.equal(code, 0);
  assert.equal(JSON.parse(out).kind, "PodList");
  assert.ok(out.endsWith("}\n"));
});

Deno.test("runQuestion() explains a pod, or the node", async () => {
  const get = getFrom(anAgent([aCrashLoop()]));
  const one = await run({ kind: "explain", pod: WEB }, get);
  assert.match(one.out, /^Waiting to restart container app: next restart in/);
  assert.deepEqual([one.code, one.err], [0, ""]);
  const node = await run({ kind: "explain", pod: undefined }, get);
  assert.match(node.out, /^1 of 1 pods waits\nNode n1/);
});

Deno.test("runQuestion() says in one line what is wrong", async () => {
  const get = getFrom(anAgent([aView()]));
  const near = await run({
    kind: "explain",
    pod: { namespace: undefined, name: "wbe" },
  }, get);
  assert.deepEqual(near, {
    out: "",
    err: "No pod wbe here; near: default/web\n",
    code: 1,
  });
  const noLog = await run(LOGS, get);
  assert.equal(noLog.code, 1);
  assert.match(noLog.err, /^Container app of default\/web has no log yet\. /);
});

Deno.test("runQuestion() says that no agent answers", async () => {
  const cause = new Error("connect ENOENT");
  const get = () =>
    Promise.reject(new AgentError("Cannot reach", { next: "retry", cause }));
  assert.deepEqual(await run(PODS, get), {
    out: "",
    err: `No agent answers at ${SOCKET}: is it running? (connect ENOENT)\n`,
    code: 1,
  });
});

Deno.test("runQuestion() copes with an agent that breaks off or is another", async () => {
  const answer = (status: number, body: AsyncIterable<Uint8Array>) => () =>
    Promise.resolve({ status, body });
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode('{"nodeName"');
    throw await Promise.resolve(new Error("socket hang up"));
  };
  const cases: [CliPorts["get"], RegExp][] = [
    [answer(200, broken()), /^The agent went away .*: socket hang up\n$/],
    [answer(200, bodyOf("<html>")), /is not this version of the agent\n$/],
    [answer(500, bodyOf("Internal error\n")), /status 500\); its log/],
  ];
  for (const [get, expected] of cases) {
    const { err, code } = await run(PODS, get);
    assert.match(err, expected);
    assert.equal(code, 1);
  }
});

Deno.test("runQuestion() ends when it is interrupted", async () => {
  const stop = new AbortController();
  const get: CliPorts["get"] = (_target, signal) => {
    stop.abort();
    return Promise.reject(signal.reason);
  };
  const printed = await run(PODS, get, stop.signal);
  assert.deepEqual(printed, { out: "", err: "", code: 1 });
});

Deno.test("findPod() finds what is meant and asks when it is not clear", () => {
  const table = podTable("n1", [
    aView({ pod: aPod({ name: "web" }) }),
    aView({ pod: aPod({ name: "web", namespace: "x" }) }),
    aView({ pod: aPod({ name: "db", namespace: "x" }) }),
    aView({ pod: aPod({ name: "log-n1", namespace: "x" }) }),
    aView({ pod: aPod({ name: "both", namespace: "x" }) }),
    aView({ pod: aPod({ name: "both", namespace: "y" }) }),
  ], NOW);
  const cases: [string | undefined, string, string][] = [
    [undefined, "web", "default/web"],
    ["x", "web", "x/web"],
    [undefined, "db", "x/db"],
    [undefined, "log", "x/log-n1"],
    ["x", "log", "x/log-n1"],
    [undefined, "both", "choose one of x/both, y/both"],
    ["y", "db", "No pod y/db here; near: x/db"],
  ];
  for (const [namespace, name, expected] of cases) {
    const found = findPod({ namespace, name }, table);
    const shown = found.kind === "pod" ? found.title : found.message;
    assert.ok(shown.endsWith(expected), `${shown}: ${expected}`);
  }
});

/** The listener does not tell when it is ready. */
async function listening(path: string): Promise<void> {
  const { signal } = new AbortController();
  for (;;) {
    try {
      const { body } = await unixClient(path).get("/pods", signal);
      for await (const _ of body);
      return;
    } catch (error) {
      assert.ok(error instanceof AgentError);
    }
  }
}

Deno.test("runQuestion() follows a log over a real socket", async () => {
  const libc = openLibc();
  const directory = await Deno.makeTempDir();
  const trees = { libc, roots: [directory], links: "refuse" } as const;
  const running = new AbortController();
  const pod = aView({ logDirectory: directory });
  let pods = [pod];
  const socket = `${directory}/admin/denolet.sock`;
  const log = `${directory}/app/0.log`;
  await Deno.mkdir(`${directory}/app`);
  const line = (text: string) => `2026-07-31T10:02:00.1Z stdout F ${text}\n`;
  await Deno.writeTextFile(log, line("one") + line("two"));
  const serving = new HostListener(libc).serve(
    { kind: "unix", path: socket },
    adminHandler({ ...anAgent([]), pods: () => pods }, {
      files: new HostFiles(trees),
      logFiles: new HostLogFiles(trees),
      clock: systemClock,
    }),
    running.signal,
  );
  await listening(socket);
  let out = "";
  const code = await runQuestion(
    { ...LOGS, isFollowing: true, tailLines: 1 },
    {
      socketPath: socket,
      get: unixClient(socket).get,
      writeError: (text) => Promise.reject(new Error(text)),
      // Each thing seen causes the next one; nothing waits for time to pass.
      write: async (bytes) => {
        out += new TextDecoder().decode(bytes);
        const more = out === "two\n" ? "three" : "end";
        if (out.endsWith("end\n")) return;
        if (more === "end") pods = [];
        await Deno.writeTextFile(log, line(more), { append: true });
      },
    },
    running.signal,
  );
  assert.deepEqual([code, out], [0, "two\nthree\nend\n"]);
  running.abort();
  await serving;
  await Deno.remove(directory, { recursive: true });
  libc.close();
});
