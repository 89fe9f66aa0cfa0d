/** Probes of real containers, asked over the pods' network and by commands. */
import assert from "node:assert/strict";
import type { V1Container } from "../../lib/api/types.ts";
import { pause, until } from "./agent_world.ts";
import {
  aContainer,
  aPod,
  apply,
  eventsOf,
  isReady,
  kubectl,
  memberTest,
  pod,
  ready,
  requests,
  restartMember,
  restarts,
} from "./member_world.ts";

/** Serves /up from the third second on, until /tmp/ill is there. */
const SERVER = "trap 'exit 0' TERM; mkdir /www; " +
  "(sleep 2; echo yes > /www/up; httpd -f -p 8080 -h /www) & " +
  "while [ ! -e /tmp/ill ]; do sleep 0.1; done; rm /www/up; " +
  "while :; do sleep 0.1; done";
const LISTENER = "trap 'exit 0' TERM; httpd -f -p 9000 -h / & wait";
const SLEEPER = "trap 'exit 0' TERM; touch /tmp/alive; sleep 600 & wait";

const fast = { periodSeconds: 1, failureThreshold: 1 };

function probed(name: string, script: string, own: Partial<V1Container>) {
  return aPod(name, { containers: [aContainer(script, own)] });
}

memberTest("readiness follows what a server says", async () => {
  const port = { name: "web", containerPort: 8080 };
  const path = "/up";
  await apply(probed("speaker", SERVER, {
    ports: [port],
    readinessProbe: { httpGet: { path, port: "web" }, ...fast },
  }));
  await apply(probed("listener", LISTENER, {
    readinessProbe: { tcpSocket: { port: 9000 }, ...fast },
  }));
  await apply(probed("deaf", LISTENER, {
    readinessProbe: { tcpSocket: { port: 9001 }, ...fast },
  }));
  await ready("app=listener", 1, 15_000);
  await ready("app=speaker", 1, 15_000);
  await kubectl("exec", "speaker", "--", "touch", "/tmp/ill");
  await until("it not to be ready", async () => {
    const found = await pod("speaker");
    return found !== undefined && !isReady(found);
  }, 5_000);
  const words = await eventsOf("speaker");
  assert.match(
    words,
    /^Unhealthy spec\.containers\{app\} Readiness probe failed: HTTP probe failed with statuscode: 404$/m,
  );
  const deaf = await pod("deaf");
  assert.equal(deaf?.status?.phase, "Running");
  assert.equal(deaf.status.containerStatuses?.[0]?.started, true);
  assert.equal(deaf.status.containerStatuses?.[0]?.ready, false);
  assert.match(
    await eventsOf("deaf"),
    /Readiness probe failed: dial tcp [\d.]+:9001: connect: connection refused/,
  );
  assert.equal(restarts(await pod("speaker")), 0);
});

memberTest("liveness ends a container that is ill, and no other", async () => {
  const exec = (command: string) => ({
    exec: { command: ["sh", "-c", command] },
  });
  await apply(probed("patient", SLEEPER, {
    startupProbe: { ...exec("cat /tmp/alive"), periodSeconds: 1 },
    livenessProbe: {
      ...exec("cat /tmp/alive"),
      ...fast,
      terminationGracePeriodSeconds: 1,
    },
  }));
  await apply(probed("hanging", SLEEPER, {
    livenessProbe: { ...exec("sleep 100"), ...fast, timeoutSeconds: 60 },
    readinessProbe: { ...exec("true"), ...fast },
  }));
  await apply(probed("slow", SLEEPER, {
    livenessProbe: { ...exec("sleep 100"), ...fast, timeoutSeconds: 1 },
  }));
  await ready("app=patient", 1, 15_000);
  await ready("app=hanging", 1, 15_000);
  await kubectl("exec", "patient", "--", "rm", "/tmp/alive");
  await until(
    "it to be started again",
    async () => restarts(await pod("patient")) === 1,
    15_000,
  );
  const words = await eventsOf("patient");
  assert.match(
    words,
    /^Unhealthy spec\.containers\{app\} Liveness probe failed: cat: /m,
  );
  assert.match(
    words,
    /^Killing .* Container app failed liveness probe, will be restarted$/m,
  );
  await until(
    "the slow one to be started again",
    async () => restarts(await pod("slow")) >= 1,
    15_000,
  );
  assert.match(
    await eventsOf("slow"),
    /Liveness probe failed: command timed out: "sh -c sleep 100" timed out after 1s/,
  );
  assert.equal(restarts(await pod("hanging")), 0);
});

memberTest("a restart of the agent makes no pod unready", async () => {
  const probe = { exec: { command: ["cat", "/tmp/alive"] } };
  const names = Array.from({ length: 4 }, (_, at) => `kept-${at}`);
  for (const name of names) {
    const { metadata, ...rest } = probed(name, SLEEPER, {
      startupProbe: { ...probe, periodSeconds: 1 },
      readinessProbe: { ...probe, periodSeconds: 2, successThreshold: 2 },
      livenessProbe: { ...probe, periodSeconds: 2 },
    });
    await apply({
      ...rest,
      metadata: { ...metadata, labels: { app: "kept" } },
    });
  }
  await ready("app=kept", names.length);
  await pause(1_000);
  for (const how of ["terminate", "kill"] as const) {
    const sinceMs = Date.now();
    await restartMember(how);
    await pause(4_000);
    const counts = await requests(sinceMs);
    assert.equal(counts.get("patch pods/status"), undefined, how);
  }
  const found = await ready("app=kept", names.length);
  assert.ok(found.every((each) => restarts(each) === 0));
});
