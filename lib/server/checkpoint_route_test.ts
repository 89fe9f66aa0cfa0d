import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { AgentError } from "../base/errors.ts";
import { silentLogger } from "../base/log.ts";
import { containerId, podUid, sandboxId } from "../api/id.ts";
import type { Checkpoints } from "../port/checkpoints.ts";
import { checkpointRoute } from "./checkpoint_route.ts";
import { anAgent, aView, NOW } from "./fixture_test.ts";

interface Asked {
  readonly pod?: string;
  readonly container?: string;
  readonly timeout?: string;
}

/** What the route says, and what was asked of the runtime. */
function aWorld(
  { isRunning = true, error }: {
    readonly isRunning?: boolean;
    readonly error?: Error;
  } = {},
) {
  const asked: Parameters<Checkpoints["checkpoint"]>[0][] = [];
  const route = checkpointRoute({
    checkpoints: {
      checkpoint: (request) => {
        asked.push(request);
        return error === undefined ? Promise.resolve() : Promise.reject(error);
      },
    },
    runtime: {
      listContainers: () =>
        Promise.resolve(
          isRunning
            ? [{
              id: containerId("c1"),
              sandboxId: sandboxId("s1"),
              name: "app",
              podUid: podUid("uid-web"),
              attempt: 0,
              state: "running",
              createdAtMs: 0,
              image: "app:1",
              imageRef: "sha256:1",
              labels: new Map(),
              annotations: new Map(),
            }]
            : [],
        ),
    },
    index: { view: anAgent([aView()]), translated: (uid) => uid },
    clock: new FakeClock(NOW),
    log: silentLogger,
    folder: "/var/lib/kubelet/checkpoints",
  });
  const post = async ({ pod = "web", container = "app", timeout }: Asked) => {
    const query = timeout === undefined
      ? new Map()
      : new Map([["timeout", [timeout]]]);
    const answer = await route.answer({
      request: {
        method: "POST",
        path: "",
        query,
        headers: new Map(),
        certificate: undefined,
        remote: "10.0.0.1",
        isUpgrade: false,
        signal: new AbortController().signal,
        body: () => Promise.resolve(new Uint8Array()),
      },
      user: { name: "admin", uid: "", groups: [], extra: new Map() },
      params: new Map([["namespace", "default"], ["pod", pod], [
        "container",
        container,
      ]]),
    });
    assert.ok(answer.kind === "response");
    return `${answer.status} ${answer.body}`;
  };
  return { post, asked };
}

Deno.test("checkpointRoute() names the archive by pod, container and time", async () => {
  const { post, asked } = aWorld();
  const location = "/var/lib/kubelet/checkpoints/" +
    "checkpoint-web_default-app-2026-07-31T10:02:21Z.tar";
  assert.equal(await post({}), `200 {"items":["${location}"]}`);
  assert.equal(await post({ timeout: "+7" }), `200 {"items":["${location}"]}`);
  assert.deepEqual(asked, [
    { id: "c1", location, timeoutSeconds: 0 },
    { id: "c1", location, timeoutSeconds: 7 },
  ]);
});

Deno.test("checkpointRoute() refuses in the kubelet's words", async () => {
  const { post } = aWorld();
  const start = "500 checkpointing of default/web/app failed";
  const cannotParse = "404 cannot parse value of timeout parameter";
  const cases: readonly (readonly [Asked, string])[] = [
    [{ pod: "no" }, "404 pod does not exist"],
    [{ container: "no" }, "404 container no does not exist"],
    [{ timeout: "x" }, cannotParse],
    [{ timeout: "1.5" }, cannotParse],
    [{ timeout: "9223372036854775808" }, cannotParse],
    [
      { timeout: "-1" },
      `${start} (CheckpointContainer requires the timeout value to be > 0)`,
    ],
  ];
  for (const [asked, expected] of cases) {
    assert.equal(await post(asked), expected);
  }
  assert.equal(
    await aWorld({ isRunning: false }).post({}),
    `${start} (container app not found)`,
  );
  const error = new AgentError("criu is not there", { next: "give-up" });
  assert.equal(
    await aWorld({ error }).post({}),
    `${start} (criu is not there)`,
  );
});

Deno.test("checkpointRoute() writes ten archives a minute", async () => {
  const { post, asked } = aWorld();
  for (let at = 0; at < 12; at++) await post({});
  assert.equal(asked.length, 10);
  assert.match(await post({}), /^429 /);
});
