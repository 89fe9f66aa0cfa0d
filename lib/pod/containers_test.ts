import assert from "node:assert/strict";
import {
  aContainer,
  aFailed,
  aFailure,
  anInstance,
  aPod,
  aSandbox,
  type FactParts,
  NOW_MS,
  PRESENT,
  running,
  someFacts,
} from "../../tests/build.ts";
import { uidOf } from "../api/pod.ts";
import type { V1Container, V1Pod } from "../api/types.ts";
import { ensureImage } from "./container_start.ts";
import { planContainer } from "./containers.ts";

function planned(
  parts: FactParts,
  what: { readonly pod?: V1Pod; readonly container?: V1Container } = {},
) {
  const container = what.container ?? aContainer();
  const pod = what.pod ?? aPod({ containers: [container] });
  const facts = someFacts({ ...parts, pod, state: running() });
  return planContainer(facts, {
    pod,
    container,
    role: "regular",
    sandbox: aSandbox(),
  }, NOW_MS);
}

const actionsOf = (plan: ReturnType<typeof planned>) =>
  plan.kind === "act" || plan.kind === "wait"
    ? plan.actions.map(({ kind }) => kind)
    : [];

Deno.test("planContainer() follows the restart policy, the container's before the pod's", () => {
  const table: [string | undefined, string | undefined, number, boolean][] = [
    ["Always", undefined, 0, true],
    ["Always", undefined, 1, true],
    ["OnFailure", undefined, 0, false],
    ["OnFailure", undefined, 1, true],
    ["Never", undefined, 0, false],
    ["Never", undefined, 1, false],
    [undefined, undefined, 0, true],
    ["Always", "Never", 1, false],
    ["Never", "Always", 0, true],
    ["Never", "OnFailure", 0, false],
    ["Never", "OnFailure", 137, true],
  ];
  for (const [ofPod, own, exitCode, expected] of table) {
    const container = aContainer(
      own === undefined ? {} : {
        restartPolicy: own,
      },
    );
    const pod = aPod({
      containers: [container],
      spec: ofPod === undefined ? {} : { restartPolicy: ofPod },
    });
    const plan = planned({
      containers: [aFailed({ pod, exitCode })],
      images: { web: PRESENT },
    }, { pod, container });
    assert.equal(
      plan.kind,
      expected ? "act" : "finished",
      `${ofPod} ${own} ${exitCode}`,
    );
  }
});

Deno.test("planContainer() stops a running container whose image changed", () => {
  const plan = planned({
    containers: [anInstance({ spec: aContainer({ image: "busybox:0" }) })],
  });
  assert.deepEqual(plan, {
    kind: "act",
    actions: [{
      kind: "stop-containers",
      containers: [{
        id: "c0",
        name: "web",
        graceSeconds: 30,
        message: "Container web definition changed, will be restarted",
      }],
    }],
  });
});

Deno.test("planContainer() keeps a running container whose other fields changed", () => {
  const made = aContainer({ env: [{ name: "A", value: "1" }], args: ["x"] });
  assert.equal(
    planned({ containers: [anInstance({ spec: made })] }).kind,
    "kept",
  );
});

Deno.test("planContainer() kills what may still run before it starts another", () => {
  const plan = planned({
    containers: [anInstance({ state: "unknown" })],
    images: { web: PRESENT },
  });
  assert.deepEqual(actionsOf(plan), ["stop-containers"]);
});

Deno.test("planContainer() goes on with a container that was only created", () => {
  const plan = planned({
    containers: [anInstance({ state: "created", attempt: 2 })],
    images: { web: PRESENT },
  });
  assert.deepEqual(plan, {
    kind: "act",
    actions: [{
      kind: "start-created-container",
      id: "c0",
      name: "web",
      log: {
        directory: "/var/log/pods/" +
          "prod_shop_11111111-2222-3333-4444-555555555555/web",
        file: "/var/log/pods/" +
          "prod_shop_11111111-2222-3333-4444-555555555555/web/2.log",
        linkPrefix: "/var/log/containers/shop_prod_web-",
      },
    }],
  });
});

Deno.test("planContainer() never starts the old image of a created container", () => {
  const plan = planned({
    containers: [
      anInstance({
        state: "created",
        spec: aContainer({ image: "busybox:0" }),
      }),
    ],
    images: { web: PRESENT },
  });
  assert.ok(!actionsOf(plan).includes("start-created-container"));
});

Deno.test("planContainer() counts from the log files when the runtime forgot", () => {
  const plan = planned({
    images: { web: PRESENT },
    loggedAttempts: new Map([["web", 7]]),
  });
  const action = plan.kind === "act" ? plan.actions[0] : undefined;
  assert.ok(action?.kind === "start-container");
  assert.equal(action.container.attempt, 7);
  assert.equal(action.container.logPath, "web/7.log");
});

Deno.test("planContainer() waits after a failed start, and says why", () => {
  const failure = aFailure({ count: 2 });
  const early = planned({
    failures: { web: failure },
    images: { web: PRESENT },
  });
  assert.deepEqual(early, {
    kind: "wait",
    actions: [],
    blocker: {
      what: "CreateContainerError",
      message: "no space left on device",
      untilMs: failure.retryAtMs,
      count: 2,
    },
  });
  const due = planned({
    failures: { web: { ...failure, retryAtMs: NOW_MS } },
    images: { web: PRESENT },
  });
  assert.deepEqual(actionsOf(due), ["start-container"]);
});

Deno.test("planContainer() shows minutes of back-off as Go does", () => {
  for (const [ms, text] of [[80_000, "1m20s"], [300_000, "5m0s"]] as const) {
    const plan = planned({ containers: [aFailed({ crashDelayMs: ms })] });
    assert.ok(plan.kind === "wait");
    assert.match(plan.blocker.message, new RegExp(`^back-off ${text} `));
  }
});

Deno.test("planContainer() refuses what cannot be started as written", () => {
  const fieldRef = { fieldPath: "status.phase" };
  const env = [{ name: "X", valueFrom: { fieldRef } }];
  const container = aContainer({ env });
  const plan = planned({ images: { web: PRESENT } }, { container });
  assert.equal(plan.kind, "refused");
});

Deno.test("ensureImage() pulls always when the tag is latest or missing", () => {
  const table: [string, string | undefined, string][] = [
    ["busybox", undefined, "Always"],
    ["busybox:latest", undefined, "Always"],
    ["busybox:1", undefined, "IfNotPresent"],
    ["host:5000/busybox", undefined, "Always"],
    ["host:5000/busybox:1", undefined, "IfNotPresent"],
    ["busybox@sha256:ab", undefined, "IfNotPresent"],
    ["busybox:latest@sha256:ab", undefined, "IfNotPresent"],
    ["busybox", "Never", "Never"],
    ["busybox", "IfNotPresent", "IfNotPresent"],
    ["busybox:1", "Always", "Always"],
  ];
  for (const [image, imagePullPolicy, expected] of table) {
    const action = ensureImage(
      aContainer({
        image,
        ...imagePullPolicy === undefined ? {} : { imagePullPolicy },
      }),
      undefined,
    );
    assert.equal(
      action.kind === "ensure-image" && action.policy,
      expected,
      `${image} ${imagePullPolicy}`,
    );
  }
});

Deno.test("planContainer() tells for which sandbox an image is pulled", () => {
  const plan = planned({});
  assert.ok(plan.kind === "wait");
  const [action] = plan.actions;
  assert.ok(action?.kind === "ensure-image");
  assert.equal(action.sandbox?.podUid, uidOf(aPod()));
});
