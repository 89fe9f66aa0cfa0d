import assert from "node:assert/strict";
import { type HealthCheck, healthHandler } from "./health.ts";

const SYNC: HealthCheck = { name: "syncloop", check: () => undefined };
const BROKEN: HealthCheck = {
  name: "runtime",
  check: () => "containerd is silent\nfor 2m",
};

function ask(
  checks: readonly HealthCheck[],
  path: string,
  more: { method?: string; query?: Record<string, string> } = {},
) {
  return healthHandler(checks)({
    method: more.method ?? "GET",
    path,
    query: new Map(Object.entries(more.query ?? {})),
    signal: new AbortController().signal,
  });
}

Deno.test("healthHandler() says ok, and nothing else, when all is well", async () => {
  const answer = await ask([SYNC], "/healthz");
  assert.deepEqual([answer.status, answer.body], [200, "ok"]);
  assert.match(answer.contentType, /^text\/plain/);
});

Deno.test("healthHandler() lists every check when asked to", async () => {
  const { status, body } = await ask([SYNC], "/healthz", {
    query: { verbose: "" },
  });
  assert.equal(status, 200);
  assert.equal(body, "[+]ping ok\n[+]syncloop ok\nhealthz check passed\n");
});

Deno.test("healthHandler() names what fails, and why, on one line", async () => {
  const { status, body } = await ask([SYNC, BROKEN], "/healthz");
  assert.equal(status, 500);
  assert.equal(
    body,
    "[+]ping ok\n[+]syncloop ok\n" +
      "[-]runtime failed: containerd is silent for 2m\nhealthz check failed\n",
  );
});

Deno.test("healthHandler() knows one path and two methods", async () => {
  for (const path of ["/", "/healthz/", "/healthz/ping", "/metrics"]) {
    assert.equal((await ask([], path)).status, 404, path);
  }
  assert.equal((await ask([], "/healthz", { method: "HEAD" })).status, 200);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    assert.equal((await ask([], "/healthz", { method })).status, 405, method);
  }
});
