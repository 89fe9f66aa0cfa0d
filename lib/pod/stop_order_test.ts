import assert from "node:assert/strict";
import { aContainer, anInstance, aPod } from "../../tests/build.ts";
import { aSandbox, NOW_MS, running, someFacts } from "../../tests/build.ts";
import type { ContainerToStop } from "./action.ts";
import { decide } from "./decide.ts";
import { stopRank } from "./stop_rank.ts";

const SIDECAR = { restartPolicy: "Always" } as const;
const POD = aPod({
  spec: {
    initContainers: [
      aContainer({ name: "setup" }),
      aContainer({ name: "proxy", ...SIDECAR }),
      aContainer({ name: "log", ...SIDECAR }),
    ],
  },
  containers: [aContainer({ name: "web" }), aContainer({ name: "job" })],
});
const NAMES = ["setup", "proxy", "log", "web", "job"];
const INSTANCES = NAMES.map((name) => {
  const spec = [
    ...POD.spec?.initContainers ?? [],
    ...POD.spec?.containers ?? [],
  ].find((container) => container.name === name);
  return anInstance({ id: `c-${name}`, pod: POD, name, ...spec && { spec } });
});

function ordersFor(containers = INSTANCES): readonly ContainerToStop[] {
  const { actions } = decide(
    someFacts({
      pod: undefined,
      state: running(),
      sandboxes: [aSandbox({ pod: POD })],
      containers,
    }),
    NOW_MS,
  );
  return actions.flatMap((action) =>
    action.kind === "stop-containers" ? action.containers : []
  );
}

const waits = (orders: readonly ContainerToStop[]) =>
  Object.fromEntries(
    orders.map(({ name, after = [] }) => [
      name,
      after.map((id) => id.slice(2)).sort(),
    ]),
  );

Deno.test("stopRank() grows from the last sidecar to the first", () => {
  assert.deepEqual(NAMES.map((name) => stopRank(POD, name)), [0, 2, 1, 0, 0]);
  assert.equal(stopRank(POD, "unknown"), 0);
});

Deno.test("orderStops() lets sidecars outlive what they serve, by what is written on them", () => {
  assert.deepEqual(waits(ordersFor()), {
    setup: [],
    proxy: ["job", "log", "setup", "web"],
    log: ["job", "setup", "web"],
    web: [],
    job: [],
  });
});

Deno.test("orderStops() waits for nothing that does not run", () => {
  const left = INSTANCES.filter(({ name }) =>
    name === "proxy" || name === "log"
  );
  assert.deepEqual(waits(ordersFor(left)), { proxy: ["log"], log: [] });
});

Deno.test("orderStops() restores a hook from the container", () => {
  const pod = aPod({
    containers: [aContainer({
      ports: [{ name: "web", containerPort: 8080 }],
      lifecycle: { preStop: { httpGet: { path: "/bye", port: "web" } } },
    })],
  });
  const [order] = ordersFor([anInstance({ pod })]);
  assert.ok(order?.preStop?.kind === "http-get");
  assert.deepEqual(
    [order.preStop.host, order.preStop.port, order.preStop.path],
    ["10.0.0.5", 8080, "/bye"],
  );
});
