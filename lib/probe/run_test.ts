import assert from "node:assert/strict";
import { AgentError } from "../base/errors.ts";
import { podUid } from "../api/id.ts";
import { exits, hangs, probed, ProbeWorld, SECOND } from "./fixture_test.ts";

function story(name: string, tell: (world: ProbeWorld) => Promise<void>) {
  Deno.test(`ProbeRunner ${name}`, async () => {
    const world = new ProbeWorld();
    try {
      await tell(world);
    } finally {
      await world.close();
    }
  });
}

story("asks for readiness as soon as a container runs", async (world) => {
  const containers = probed({ readiness: {} });
  world.watch({ containers });
  await world.advance(500);
  world.answer(2, 200);
  world.watch({ containers, id: "c1" });
  assert.deepEqual(world.verdict(), {
    isStarted: true,
    isReady: false,
    failed: undefined,
  });
  assert.deepEqual(world.hinted, []);
  await world.advance(0);
  assert.equal(world.asked(2), 1);
  assert.equal(world.verdict()?.isReady, true);
  assert.deepEqual(world.hinted, ["u1"]);
  await world.advance(3 * SECOND);
  assert.equal(world.asked(2), 4);
  assert.deepEqual(world.hinted, ["u1"]);
});

story(
  "lets startup pass before the others, then asks no more",
  async (world) => {
    const containers = probed({ startup: {}, readiness: {}, liveness: {} });
    world.watch({ containers, id: "c1" });
    for (const port of [2, 3]) world.answer(port, 200);
    await world.advance(3.5 * SECOND);
    assert.deepEqual([1, 2, 3].map((port) => world.asked(port)), [3, 0, 0]);
    assert.equal(world.verdict()?.failed, "startup");
  },
);

story("asks for readiness the moment startup passes", async (world) => {
  const containers = probed({
    startup: { failureThreshold: 30 },
    readiness: { periodSeconds: 60 },
  });
  world.watch({ containers, id: "c1" });
  world.answer(2, 200);
  await world.advance(2 * SECOND);
  world.answer(1, 200);
  await world.advance(1 * SECOND);
  assert.deepEqual(world.verdict(), {
    isStarted: true,
    isReady: true,
    failed: undefined,
  });
  await world.advance(10 * SECOND);
  assert.deepEqual([world.asked(1), world.asked(2)], [3, 1]);
});

story(
  "gives a container a whole period before liveness counts",
  async (world) => {
    const containers = probed({ liveness: { periodSeconds: 10 } });
    world.watch({ containers });
    await world.advance(9 * SECOND);
    world.watch({ containers, id: "c1" });
    await world.advance(9 * SECOND);
    assert.equal(world.asked(3), 0);
    await world.advance(1 * SECOND);
    assert.equal(world.asked(3), 1);
  },
);

story("holds after liveness failed, until there is another", async (world) => {
  const containers = probed({ liveness: {} });
  world.watch({ containers, id: "c1" });
  await world.advance(5 * SECOND);
  assert.equal(world.asked(3), 3);
  assert.equal(world.verdict()?.failed, "liveness");
  world.watch({ containers });
  assert.equal(world.verdict(), undefined);
  world.watch({ containers, id: "c2" });
  assert.equal(world.verdict("c2")?.failed, undefined);
  await world.advance(2.5 * SECOND);
  assert.equal(world.asked(3), 5);
  assert.equal(world.verdict("c2")?.failed, undefined);
});

story("waits for the initial delay, from the start on", async (world) => {
  const containers = probed({ readiness: { initialDelaySeconds: 5 } });
  const startedAtMs = world.clock.nowMs() - 2 * SECOND;
  world.watch({ containers, id: "c1", startedAtMs: startedAtMs + 2 * SECOND });
  await world.advance(4.9 * SECOND);
  assert.equal(world.asked(2), 0);
  await world.advance(0.1 * SECOND);
  assert.equal(world.asked(2), 1);
});

story("tells failures, warnings and errors as events", async (world) => {
  const containers = probed({ readiness: { failureThreshold: 1 } });
  world.answer(2, 500);
  world.watch({ containers, id: "c1" });
  await world.advance(0);
  const location = "http://192.0.2.9/";
  world.net.put("10.0.0.7", 2, {
    kind: "http",
    status: 302,
    body: "x",
    location,
  });
  await world.advance(1 * SECOND);
  assert.equal(world.verdict()?.isReady, true);
  world.net.put("10.0.0.7", 2, { kind: "drip", status: 200 });
  const before = world.asked(2);
  await world.advance(4.5 * SECOND);
  // An error is asked again at once, three times in all, and counts for none.
  assert.equal(world.asked(2) - before >= 3, true);
  assert.equal(world.verdict()?.isReady, true);
  assert.deepEqual(world.steps.slice(0, 3), [
    {
      type: "Warning",
      reason: "Unhealthy",
      message: "Readiness probe failed: HTTP probe failed with statuscode: 500",
      container: "web",
    },
    {
      type: "Warning",
      reason: "ProbeWarning",
      message: "Readiness probe warning: " +
        "Probe terminated redirects, Response body: x",
      container: "web",
    },
    {
      type: "Warning",
      reason: "Unhealthy",
      message: "Readiness probe errored and resulted in failure state: " +
        "context deadline exceeded " +
        "(Client.Timeout or context cancellation while reading body)",
      container: "web",
    },
  ]);
});

story("runs commands, and counts no failure to run them", async (world) => {
  const exec = { command: ["check"] };
  const [web] = probed({ liveness: { httpGet: undefined, exec } });
  const containers = web === undefined ? [] : [web];
  world.watch({ containers, id: "c1" });
  world.exec = () =>
    Promise.reject(new AgentError("Cannot run: away", { next: "retry" }));
  await world.advance(5 * SECOND);
  assert.equal(world.verdict()?.failed, undefined);
  assert.equal(world.commands.length, 15);
  world.exec = () => Promise.resolve(exits(3, "ill"));
  await world.advance(3 * SECOND);
  assert.equal(world.verdict()?.failed, "liveness");
  assert.equal(world.steps.at(-1)?.message, "Liveness probe failed: ill");
});

story("goes on asking for readiness while a pod is stopped", async (world) => {
  const containers = probed({ readiness: {}, liveness: {} });
  world.answer(2, 200);
  world.watch({ containers, id: "c1" });
  await world.advance(2.5 * SECOND);
  assert.equal(world.asked(3), 2);
  world.watch({ containers, id: "c1", isStopping: true });
  world.net.take("10.0.0.7", 2);
  await world.advance(5 * SECOND);
  assert.equal(world.asked(3), 2);
  assert.deepEqual(world.verdict(), {
    isStarted: true,
    isReady: false,
    failed: undefined,
  });
});

story("drops the answer of a container that is gone", async (world) => {
  const containers = probed({ readiness: {} });
  world.net.put("10.0.0.7", 2, { kind: "silent" });
  world.watch({ containers, id: "c1" });
  await world.advance(500);
  world.watch({ containers, id: "c2" });
  await world.advance(499);
  assert.deepEqual(world.steps, []);
  await world.advance(1);
  assert.equal(world.verdict("c1"), undefined);
  world.runner.forget(podUid("u1"));
  assert.equal(world.runner.verdicts.size, 0);
  const before = world.asked(2);
  await world.advance(10 * SECOND);
  assert.equal(world.asked(2), before);
});

story(
  "keeps what was told before it began, and spreads the rest",
  async (world) => {
    world.fraction = 0.7;
    const containers = probed({
      startup: {},
      readiness: { periodSeconds: 10, failureThreshold: 1 },
    });
    const startedAtMs = world.clock.nowMs() - 60 * SECOND;
    const told = { isStarted: true, isReady: true };
    world.watch({ containers, id: "c1", startedAtMs, told });
    const ready = { isStarted: true, isReady: true, failed: undefined };
    assert.deepEqual(world.verdict(), ready);
    await world.advance(6.9 * SECOND);
    assert.deepEqual([world.asked(1), world.asked(2)], [0, 0]);
    assert.deepEqual(world.verdict(), ready);
    assert.deepEqual(world.hinted, []);
    await world.advance(0.1 * SECOND);
    assert.deepEqual([world.asked(1), world.asked(2)], [0, 1]);
    assert.deepEqual(world.verdict(), { ...ready, isReady: false });
  },
);

story("delays by hanging probes nobody else", async (world) => {
  const exec = (word: string) => ({
    httpGet: undefined,
    exec: { command: [word] },
  });
  const slow = Array.from(
    { length: 20 },
    (_, at) =>
      probed({ liveness: exec("hang") }).map((each) => ({
        ...each,
        name: `slow-${at}`,
      })),
  ).flat();
  world.exec = ([word], signal) =>
    word === "hang" ? hangs(signal) : Promise.resolve(exits(0));
  world.watch({ uid: "slow", containers: slow, id: "s" });
  world.answer(2, 200);
  world.watch({
    containers: probed({ readiness: {}, liveness: exec("check") }),
    id: "c1",
  });
  await world.advance(10 * SECOND);
  const count = (word: string) =>
    world.commands.filter(([first]) => first === word).length;
  assert.equal(count("hang"), 8);
  assert.equal(count("check"), 10);
  assert.equal(world.asked(2), 11);
});

story("counts answers by pod, and forgets them with it", async (world) => {
  const containers = probed({ readiness: {}, liveness: {} });
  world.answer(2, 200);
  world.watch({ containers, id: "c1" });
  await world.advance(2.5 * SECOND);
  const text = await world.probes.text();
  const labels = 'container="web",pod="shop",namespace="prod",pod_uid="u1"';
  assert.ok(
    text.includes(
      `prober_probe_total{probe_type="Readiness",${labels},result="successful"} 3`,
    ),
    text,
  );
  assert.ok(
    text.includes(
      `prober_probe_total{probe_type="Liveness",${labels},result="failed"} 2`,
    ),
    text,
  );
  world.runner.forget(podUid("u1"));
  assert.ok(!(await world.probes.text()).includes("web"));
});

story("shows people where each probe stands", async (world) => {
  const containers = probed({ readiness: {}, liveness: { periodSeconds: 30 } });
  world.answer(2, 503);
  world.watch({ containers, id: "c1" });
  await world.advance(1.5 * SECOND);
  const nowMs = world.clock.nowMs();
  assert.deepEqual(world.runner.viewsOf(podUid("u1")), [
    {
      container: "web",
      kind: "readiness",
      last: {
        result: "failure",
        message: "HTTP probe failed with statuscode: 503",
        atMs: nowMs - 500,
      },
      streak: 2,
      threshold: 3,
      isInTheWay: true,
      nextAtMs: nowMs + 500,
    },
    {
      container: "web",
      kind: "liveness",
      last: undefined,
      streak: 0,
      threshold: 1,
      isInTheWay: false,
      nextAtMs: nowMs + 28_500,
    },
  ]);
  assert.deepEqual(world.runner.viewsOf(podUid("else")), []);
});
