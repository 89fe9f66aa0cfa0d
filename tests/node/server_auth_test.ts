/**
 * Who gets what from the node's own API, asked directly and without the API
 * server in between: every kind of caller, every path.
 */
import assert from "node:assert/strict";
import { until } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  inPhase,
  memberTest,
} from "./member_world.ts";
import {
  asking,
  type Caller,
  dropRoles,
  grantRoles,
  impostors,
  knownCallers,
  raw,
} from "./server_world.ts";

const PATHS = [
  "/",
  "/pods",
  "/runningpods/",
  "/healthz",
  "/healthz/ping",
  "/configz",
  "/flagz",
  "/statusz",
  "/metrics",
  "/metrics/probes",
  "/stats/summary",
  "/logs/",
  "/debug/pprof/",
  "/debug/flags/v",
  "/containerLogs/default/web/app",
  "/exec/default/web/app?command=id&output=1",
  "/attach/default/web/app?output=1",
  "/run/default/web/app?cmd=id",
  "/portForward/default/web",
  "/checkpoint/default/web/app",
  "/nope",
];
const METHODS = ["GET", "POST", "PUT", "DELETE"];

/** Until the server shows the certificate that the cluster's CA signed. */
async function untilServed(): Promise<void> {
  await until("a serving certificate of the cluster", async () => {
    try {
      return await asking({}, (ask) => ask("GET", "/healthz")).then(() => true);
    } catch {
      return false;
    }
  });
}

memberTest("S24 S41: nobody in particular gets nothing at all", async () => {
  await untilServed();
  for (const [name, caller] of await impostors()) {
    await asking(caller, async (ask) => {
      for (const path of PATHS) {
        for (const method of METHODS) {
          const { status, text } = await ask(method, path);
          const what = `${name} ${method} ${path}`;
          assert.equal(`${what} ${status}`, `${what} 401`);
          assert.equal(text, "Unauthorized");
        }
      }
    });
  }
});

/** What each known caller gets, by path; missing: 403. */
const GRANTS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "API server": {
    "GET /pods": 200,
    "GET /metrics": 200,
    "GET /healthz": 200,
    "GET /configz": 200,
    "GET /runningpods/": 200,
    "GET /containerLogs/default/web/app": 200,
    "POST /run/default/web/app?cmd=echo+hi": 200,
    "GET /exec/default/web/app?command=id&output=1": 400,
    "GET /nope": 404,
    "DELETE /pods": 405,
  },
  "admin": {
    "GET /pods": 200,
    "GET /metrics": 200,
    "GET /healthz": 200,
    "GET /configz": 200,
    "GET /runningpods/": 200,
    "GET /statusz": 200,
    "GET /containerLogs/default/web/app": 200,
    "POST /run/default/web/app?cmd=echo+hi": 200,
    "GET /exec/default/web/app?command=id&output=1": 400,
    "GET /nope": 404,
    "DELETE /pods": 405,
  },
  "reader": {
    "GET /pods": 200,
    "GET /metrics": 200,
    "GET /healthz": 200,
    "GET /runningpods/": 200,
  },
  // Reading is not running: the kubelet would let this one run commands.
  "getter": {
    "GET /pods": 200,
    "GET /healthz": 200,
    "GET /configz": 200,
    "GET /runningpods/": 200,
    "GET /containerLogs/default/web/app": 200,
    "GET /nope": 404,
  },
  "stranger": {},
};

memberTest(
  "S25 S42 S43: each known caller gets what the API server allows",
  async () => {
    await untilServed();
    await apply(
      aPod("web", { containers: [aContainer("echo hi; sleep 1000")] }),
    );
    await inPhase("web", "Running");
    await grantRoles();
    try {
      const callers = await knownCallers();
      for (const [name, grants] of Object.entries(GRANTS)) {
        const asked = new Set(Object.values(GRANTS).flatMap(Object.keys));
        for (const what of asked) {
          const expected = grants[what] ?? 403;
          const status = await statusOf(callers.get(name) ?? {}, what);
          assert.equal(
            `${name} ${what} ${status}`,
            `${name} ${what} ${expected}`,
          );
        }
      }
    } finally {
      await dropRoles();
    }
  },
);

async function statusOf(caller: Caller, what: string): Promise<number> {
  const [method = "", path = ""] = what.split(" ");
  const { status } = await asking(caller, (ask) => ask(method, path));
  return status;
}

memberTest(
  "S07 S10 S20 S33: odd requests get an answer and nothing more",
  async () => {
    await untilServed();
    const caller = (await knownCallersWithoutRoles()).get("admin") ?? {};
    const head = (path: string, more = "") =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}`;
    const upgrade = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";
    // A refused upgrade ends the connection: what is sent behind it is nobody's.
    const behind = head("/pods", "\r\n");
    const refused = await raw(
      head("/exec/default/nope/app?output=1", upgrade) + behind,
      caller,
    );
    assert.match(refused, /^HTTP\/1\.1 404 [^]*pod does not exist$/);
    const unknown = await raw(
      head("/exec/default/web/app?output=1", upgrade) + behind,
    );
    assert.match(unknown, /^HTTP\/1\.1 401 [^]*Unauthorized$/);
    assert.match(
      await raw(head("/healthz", `X: ${"a".repeat(80_000)}\r\n\r\n`), caller),
      /^HTTP\/1\.1 431 /,
    );
    assert.match(await raw("nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
    for (
      const path of [
        "/logs/../../etc/shadow",
        "/logs/%2e%2e/%2e%2e/etc/shadow",
        "/logs/..%2f..%2fetc/shadow",
        "/logs//etc/shadow",
        "/logs/%2fetc/shadow",
      ]
    ) {
      const answer = await raw(head(path, "Connection: close\r\n\r\n"), caller);
      assert.match(answer, /^HTTP\/1\.1 404 /, path);
    }
    await asking(caller, async (ask) => {
      for (let each = 0; each < 200; each++) await ask("GET", `/x${each}/y`);
      const { text } = await ask("GET", "/metrics");
      const series = text.split("\n").filter((line) =>
        line.startsWith("kubelet_http_requests_total{")
      );
      assert.ok(series.length < 40, `${series.length} series`);
    });
  },
);

/** Callers that need no role of their own. */
async function knownCallersWithoutRoles(): Promise<Map<string, Caller>> {
  await grantRoles();
  try {
    return await knownCallers();
  } finally {
    await dropRoles();
  }
}
