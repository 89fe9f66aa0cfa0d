import assert from "node:assert/strict";
import { silentLogger } from "../base/log.ts";
import type { NodeRequest, NodeResponse } from "../port/node_server.ts";
import type { User } from "../port/reviews.ts";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeCluster } from "../../tests/fakes/fake_cluster.ts";
import { Authenticator } from "./authenticate.ts";
import { Authorizer } from "./authorize.ts";
import { nodeApi } from "./node_api.ts";
import { text } from "./node_answer.ts";

const SIGNAL = new AbortController().signal;

function aRequest(
  method: string,
  path: string,
  token?: string,
): NodeRequest {
  return {
    method,
    path,
    query: new Map(),
    headers: new Map(
      token === undefined ? [] : [["authorization", `Bearer ${token}`]],
    ),
    certificate: undefined,
    remote: "192.0.2.9",
    isUpgrade: false,
    signal: SIGNAL,
    body: () => Promise.resolve(new Uint8Array()),
  };
}

function user(name: string): User {
  return { name, uid: "", groups: [], extra: new Map() };
}

class ApiWorld {
  readonly clock = new FakeClock();
  readonly cluster = new FakeCluster();
  asked = 0;
  readonly handler;

  constructor(
    more: { anonymous?: boolean; verbRule?: "strict" | "loose" } = {},
  ) {
    const { clock } = this;
    const reviews = {
      token: (token: string, signal: AbortSignal) => {
        this.asked++;
        return this.cluster.reviews.token(token, signal);
      },
      access: this.cluster.reviews.access,
    };
    this.handler = nodeApi({
      nodeName: "node-a",
      log: silentLogger,
      serving: SIGNAL,
      verbRule: more.verbRule ?? "strict",
      authenticator: new Authenticator({
        reviews,
        clock,
        tokenLifeMs: 120_000,
        isAnonymousAllowed: more.anonymous ?? false,
      }),
      authorizer: new Authorizer({
        reviews,
        clock,
        allowedLifeMs: 300_000,
        deniedLifeMs: 30_000,
      }),
      routes: ["/pods", "/exec/:namespace/:pod/:container", "/healthz"].map(
        (path) => ({
          path,
          methods: ["GET", "POST"],
          answer: ({ params, user }) =>
            Promise.resolve(text(200, `${user.name} ${[...params.values()]}`)),
        }),
      ),
    });
  }

  async ask(method: string, path: string, token?: string): Promise<string> {
    const answer = await this.handler(aRequest(method, path, token));
    assert.equal(answer.kind, "response");
    const { status, body } = answer as NodeResponse;
    return `${status} ${body}`;
  }
}

Deno.test("S24: nodeApi() tells nobody anything: 401 for each path and method", async () => {
  const world = new ApiWorld();
  const paths = ["/pods", "/exec/a/b/c", "/healthz", "/nope", "/"];
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]) {
      assert.equal(await world.ask(method, path), "401 Unauthorized");
    }
  }
  assert.equal(await world.ask("GET", "/pods", "unknown"), "401 Unauthorized");
});

Deno.test("nodeApi() asks for the finer sub-resource first, then for proxy", async () => {
  const world = new ApiWorld();
  world.cluster.tokens.set("t", user("u"));
  world.cluster.grants.add("u get pods");
  assert.equal(await world.ask("GET", "/pods", "t"), "200 u ");
  assert.equal(
    await world.ask("GET", "/healthz", "t"),
    "403 Forbidden (user=u, verb=get, resource=nodes, " +
      "subresource(s)=[healthz proxy])\n",
  );
  await world.clock.advance(30_000);
  world.cluster.grants.add("u get proxy");
  assert.equal(await world.ask("GET", "/healthz", "t"), "200 u ");
  assert.equal(await world.ask("GET", "/nope", "t"), "404 404: Page Not Found");
  assert.match(
    await world.ask("GET", "/podsx", "t"),
    /^404/,
    "a prefix counts at the borders of parts only",
  );
});

Deno.test("S25: nodeApi() lets nobody exec who may only get", async () => {
  const strict = new ApiWorld();
  strict.cluster.tokens.set("t", user("u"));
  strict.cluster.grants.add("u get proxy");
  for (const path of ["/exec/a/b/c", "/%65xec/a/b/c"]) {
    assert.match(await strict.ask("GET", path, "t"), /^403 .*verb=create/);
  }
  await strict.clock.advance(30_000);
  strict.cluster.grants.add("u create proxy");
  assert.equal(await strict.ask("GET", "/exec/a/b/c", "t"), "200 u a,b,c");
  const loose = new ApiWorld({ verbRule: "loose" });
  loose.cluster.tokens.set("t", user("u"));
  loose.cluster.grants.add("u get proxy");
  assert.equal(await loose.ask("GET", "/exec/a/b/c", "t"), "200 u a,b,c");
});

Deno.test("S43: nodeApi() fails closed while the API server is away, but for what it knows", async () => {
  const world = new ApiWorld();
  world.cluster.tokens.set("t", user("u"));
  world.cluster.grants.add("u get pods");
  assert.equal(await world.ask("GET", "/pods", "t"), "200 u ");
  world.cluster.outage = "away";
  assert.equal(await world.ask("GET", "/pods", "t"), "200 u ");
  const failing = world.ask("POST", "/pods", "t");
  await world.clock.advance(20_000);
  assert.equal(
    await failing,
    "500 Authorization error (user=u, verb=create, resource=nodes, " +
      "subresource=pods)",
  );
  const unknown = world.ask("GET", "/pods", "other");
  await world.clock.advance(20_000);
  assert.equal(await unknown, "401 Unauthorized");
  await world.clock.advance(300_000);
  const later = world.ask("GET", "/pods", "t");
  await world.clock.advance(20_000);
  assert.equal(await later, "401 Unauthorized");
});

Deno.test("S42: nodeApi() asks once about a token for 2 minutes", async () => {
  const world = new ApiWorld();
  world.cluster.tokens.set("t", user("u"));
  world.cluster.grants.add("u get pods");
  await Promise.all([1, 2, 3].map(() => world.ask("GET", "/pods", "t")));
  assert.equal(world.asked, 1);
  await world.clock.advance(119_999);
  await world.ask("GET", "/pods", "t");
  assert.equal(world.asked, 1);
  await world.clock.advance(1);
  await world.ask("GET", "/pods", "t");
  assert.equal(world.asked, 2);
});

Deno.test("nodeApi() serves anonymous callers only where that is allowed, and only what they may", async () => {
  const world = new ApiWorld({ anonymous: true });
  assert.match(await world.ask("GET", "/pods"), /^403 .*system:anonymous/);
  await world.clock.advance(30_000);
  world.cluster.grants.add("system:anonymous get pods");
  assert.equal(await world.ask("GET", "/pods"), "200 system:anonymous ");
  assert.equal(await world.ask("GET", "/pods", "wrong"), "401 Unauthorized");
});

Deno.test("nodeApi() refuses paths that are not well formed", async () => {
  const world = new ApiWorld({ anonymous: true });
  for (const path of ["/%ff", "/pods%00", "pods", "/%0a", "*"]) {
    assert.match(await world.ask("GET", path), /^400/);
  }
});
