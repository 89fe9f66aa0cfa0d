/**
 * What every `PodNet` promises. Run on the fake and on real servers on
 * loopback; both in no time worth naming.
 */
import assert from "node:assert/strict";
import { AgentError } from "../../lib/base/errors.ts";
import type { PodHttpRequest, PodNet, PodTarget } from "../../lib/port/net.ts";
import type { Behaviour } from "../fakes/fake_pod_net.ts";

export interface PodNetWorld {
  readonly net: PodNet;
  /** Somebody who behaves so, or nobody. */
  serve(
    behaviour: Behaviour | "nobody",
  ): Promise<{ readonly host: string; readonly port: number }>;
  /** The headers of the last request there, lower case. */
  arrived(port: number): ReadonlyMap<string, string> | undefined;
  /** Lets time pass until `work` is over, where it does not by itself. */
  over<T>(work: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

interface Case extends PodNetWorld {
  readonly signal: AbortSignal;
}

export function podNetContract(
  name: string,
  make: () => Promise<PodNetWorld>,
): void {
  for (const [promise, keep] of Object.entries(PROMISES)) {
    Deno.test(`PodNet (${name}) ${promise}`, async () => {
      const world = await make();
      const signal = new AbortController().signal;
      try {
        await keep(Object.assign(world, { signal }));
      } finally {
        await world.close();
      }
    });
  }
}

const PROMISES: Readonly<Record<string, (world: Case) => Promise<void>>> = {
  "gets status and body": async (world) => {
    const at = await world.serve({ kind: "http", status: 418, body: "tea" });
    const answer = await world.net.get(asking(at), world.signal);
    assert.equal(answer.status, 418);
    assert.equal(textOf(answer.body), "tea");
    assert.equal(answer.elsewhere, undefined);
  },
  "has time for an answer, however much time it is given": async (world) => {
    const at = await world.serve({ kind: "http", status: 200 });
    const timeoutMs = (2 ** 31 - 1) * 1000;
    const request = asking(at, { timeoutMs });
    const { status } = await world.net.get(request, world.signal);
    assert.equal(status, 200);
  },
  "sends the headers given, and no empty Accept": async (world) => {
    const at = await world.serve({ kind: "http", status: 200 });
    const headers = [
      ["Host", "inner.example"],
      ["User-Agent", "kube-probe/1.36"],
      ["Accept", ""],
      ["X-Own", "yes"],
    ] as const;
    await world.net.get(asking(at, { headers }), world.signal);
    const arrived = world.arrived(at.port);
    assert.equal(arrived?.get("host"), "inner.example");
    assert.equal(arrived?.get("user-agent"), "kube-probe/1.36");
    assert.equal(arrived?.get("x-own"), "yes");
    assert.equal(arrived?.get("accept") ?? "", "");
  },
  "keeps no more of a body than asked": async (world) => {
    const body = "x".repeat(100_000);
    const at = await world.serve({ kind: "http", status: 200, body });
    const answer = await world.net.get(asking(at), world.signal);
    assert.equal(answer.body.length, 10_240);
  },
  "does not wait for a body nobody wants": async (world) => {
    const at = await world.serve({ kind: "drip", status: 503 });
    const request = asking(at, { limitBytes: 0 });
    const { status } = await world.net.get(request, world.signal);
    assert.equal(status, 503);
  },
  "cuts a body that drips, and says it was the body": async (world) => {
    const at = await world.serve({ kind: "drip", status: 200 });
    const error = await failure(world, world.net.get(asking(at), world.signal));
    assert.equal(error.reason, "BodyBroken");
    assert.match(error.message, /while reading body\)$/);
  },
  "cuts a server that says nothing": async (world) => {
    const at = await world.serve({ kind: "silent" });
    const error = await failure(world, world.net.get(asking(at), world.signal));
    assert.equal(error.reason, "TimedOut");
    assert.equal(
      error.message,
      `Get "http://${at.host}:${at.port}/x?a=1": context deadline exceeded ` +
        "(Client.Timeout exceeded while awaiting headers)",
    );
  },
  "tells that nobody is there": async (world) => {
    const at = await world.serve("nobody");
    const error = await failure(world, world.net.get(asking(at), world.signal));
    assert.equal(
      error.message,
      `Get "http://${at.host}:${at.port}/x?a=1": ` +
        `dial tcp ${at.host}:${at.port}: connect: connection refused`,
    );
    assert.equal(error.reason, undefined);
  },
  "tells that somebody hung up": async (world) => {
    const at = await world.serve({ kind: "hangs-up" });
    const error = await failure(world, world.net.get(asking(at), world.signal));
    assert.match(error.message, /\/x\?a=1": EOF$/);
  },
  "follows redirects to the same host": async (world) => {
    const goal = await world.serve({
      kind: "http",
      status: 200,
      body: "there",
    });
    const location = `http://${goal.host}:${goal.port}/new`;
    const at = await world.serve({ kind: "http", status: 302, location });
    const answer = await world.net.get(asking(at), world.signal);
    assert.equal(answer.status, 200);
    assert.equal(textOf(answer.body), "there");
    assert.equal(answer.elsewhere, undefined);
  },
  "asks nobody on another host": async (world) => {
    const location = "http://169.254.169.254/latest";
    const at = await world.serve({
      kind: "http",
      status: 307,
      location,
      body: "moved",
    });
    const answer = await world.net.get(asking(at), world.signal);
    assert.equal(answer.status, 307);
    assert.equal(textOf(answer.body), "moved");
    assert.equal(answer.elsewhere, location);
  },
  "gives up after ten redirects": async (world) => {
    const location = "/again";
    const at = await world.serve({ kind: "http", status: 301, location });
    const error = await failure(world, world.net.get(asking(at), world.signal));
    assert.equal(error.message, 'Get "/again": stopped after 10 redirects');
  },
  "takes a redirect to nowhere as the answer": async (world) => {
    const at = await world.serve({ kind: "http", status: 304 });
    const answer = await world.net.get(asking(at), world.signal);
    assert.equal(answer.status, 304);
    assert.equal(answer.elsewhere, undefined);
  },
  "connects": async (world) => {
    const at = await world.serve({ kind: "silent" });
    await world.net.connect(timed(at), world.signal);
  },
  "tells that a port is closed": async (world) => {
    const at = await world.serve("nobody");
    const work = world.net.connect(timed(at), world.signal);
    const error = await failure(world, work);
    assert.equal(
      error.message,
      `dial tcp ${at.host}:${at.port}: connect: connection refused`,
    );
  },
  "asks for the health of a service": async (world) => {
    const services = new Map([["", "SERVING"], ["db", "NOT_SERVING"]]);
    const at = await world.serve({ kind: "grpc", services });
    const ask = (service: string) =>
      world.net.health({ ...timed(at), service }, world.signal);
    assert.equal(await ask(""), "SERVING");
    assert.equal(await ask("db"), "NOT_SERVING");
    const error = await failure(world, ask("else"));
    assert.equal(
      error.message,
      "error: health rpc probe failed: " +
        "rpc error: code = NotFound desc = unknown service",
    );
  },
  "dials a gRPC server until the time is over": async (world) => {
    const at = await world.serve("nobody");
    const ask = { ...timed(at), service: "" };
    const error = await failure(world, world.net.health(ask, world.signal));
    assert.equal(error.reason, "TimedOut");
    assert.equal(
      error.message,
      `timeout: failed to connect service "${at.host}:${at.port}" within ` +
        "0.2s: context deadline exceeded",
    );
  },
  "ends with its caller": async (world) => {
    const at = await world.serve({ kind: "silent" });
    const caller = new AbortController();
    const reason = new Error("nobody asks any more");
    const request = asking(at, { timeoutMs: 60_000 });
    const works = [
      world.net.get(request, caller.signal),
      world.net.health({ ...request, service: "" }, caller.signal),
    ];
    caller.abort(reason);
    await Promise.all(works.map((work) => assert.rejects(work, reason)));
    await assert.rejects(world.net.connect(request, caller.signal), reason);
  },
};

function timed({ host, port }: { host: string; port: number }): PodTarget {
  return { host, port, timeoutMs: 200 };
}

function asking(
  at: { readonly host: string; readonly port: number },
  own: Partial<PodHttpRequest> = {},
): PodHttpRequest {
  return {
    ...timed(at),
    scheme: "http",
    path: "/x?a=1",
    headers: [],
    limitBytes: 10_240,
    ...own,
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

async function failure(
  world: PodNetWorld,
  work: Promise<unknown>,
): Promise<AgentError> {
  try {
    await world.over(work);
  } catch (error) {
    assert.ok(error instanceof AgentError, `not an AgentError: ${error}`);
    return error;
  }
  assert.fail("nothing failed");
}
