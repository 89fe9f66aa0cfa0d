import assert from "node:assert/strict";
import {
  aContainer,
  aFailure,
  anInstance,
  aPod,
  aSandbox,
  NOW_MS,
  running,
  SETTINGS,
  someFacts,
} from "../../tests/build.ts";
import type { PodConditionJson } from "../api/status.ts";
import { allocationOf } from "./allocation.ts";
import type { Facts } from "./facts.ts";
import { resizeConditions } from "./resize_conditions.ts";
import { NO_RESIZE, type ResizeFacts } from "./resize_facts.ts";
import { containerResources } from "./runtime_resources.ts";

const OLD = pod("100m");
const NOW = pod("200m");
const EARLIER = "2026-01-02T03:00:00Z";
const NOW_TEXT = "2026-01-02T03:04:05Z";
const PENDING = {
  reason: "Deferred",
  message: "no room",
  generation: 7,
  words: "",
} as const;

function pod(cpu: string) {
  const container = aContainer({ resources: { requests: { cpu } } });
  const made = aPod({ containers: [container] });
  return { ...made, metadata: { ...made.metadata, generation: 7 } };
}

/** It runs as the old pod says and is to have what the new one says. */
function facts(resize: Partial<ResizeFacts>, failure?: string): Facts {
  const [container] = OLD.spec?.containers ?? [];
  assert.ok(container);
  const resources = containerResources(SETTINGS, OLD, container);
  return someFacts({
    pod: NOW,
    state: running(),
    sandboxes: [aSandbox({ pod: NOW })],
    containers: [anInstance({ pod: NOW, resources })],
    ...failure === undefined
      ? {}
      : { failures: { resize: aFailure({ message: failure }) } },
    resize: {
      ...NO_RESIZE,
      actuated: allocationOf(OLD, SETTINGS.gates),
      ...resize,
    },
  });
}

function told(at: Facts, previous: readonly PodConditionJson[] = []) {
  const pod = at.pod ?? NOW;
  return resizeConditions({ facts: at, pod }, previous, NOW_MS);
}

function underWay(own: Partial<PodConditionJson> = {}): PodConditionJson {
  return {
    type: "PodResizeInProgress",
    status: "True",
    observedGeneration: 7,
    lastTransitionTime: EARLIER,
    ...own,
  };
}

Deno.test("resizeConditions() tells of nothing where nothing is left to do", () => {
  const actuated = allocationOf(NOW, SETTINGS.gates);
  assert.deepEqual(told(facts({ actuated }), [underWay()]), []);
});

Deno.test("resizeConditions() says which generation waits, and since when", () => {
  const actuated = allocationOf(NOW, SETTINGS.gates);
  const [waits, ...rest] = told(facts({ actuated, pending: PENDING }));
  assert.deepEqual(rest, []);
  assert.deepEqual(waits, {
    type: "PodResizePending",
    observedGeneration: 7,
    status: "True",
    reason: "Deferred",
    message: "no room",
    lastTransitionTime: NOW_TEXT,
  });
  const before = {
    ...waits,
    message: "less room",
    lastTransitionTime: EARLIER,
  };
  const again = told(facts({ actuated, pending: PENDING }), [before]);
  assert.equal(again[0]?.lastTransitionTime, EARLIER);
  const never = { ...PENDING, reason: "Infeasible" } as const;
  const other = told(facts({ actuated, pending: never }), [before]);
  assert.equal(other[0]?.lastTransitionTime, NOW_TEXT);
});

Deno.test("resizeConditions() keeps the generation that is being set", () => {
  const started = { generation: 6, atMs: NOW_MS - 60_000 };
  assert.deepEqual(told(facts({ started })), [
    underWay({ observedGeneration: 6, lastTransitionTime: NOW_TEXT }),
  ]);
  // Another agent began it.
  const before = underWay({ observedGeneration: 5 });
  assert.deepEqual(told(facts({}), [before]), [before]);
  assert.deepEqual(told(facts({})), [
    underWay({ lastTransitionTime: NOW_TEXT }),
  ]);
});

Deno.test("resizeConditions() tells an error until it is over, or another begins", () => {
  const started = { generation: 7, atMs: NOW_MS - 60_000 };
  const [failed] = told(facts({ started }, "refused"), [underWay()]);
  assert.deepEqual(failed, {
    ...underWay(),
    reason: "Error",
    message: "refused",
    lastTransitionTime: NOW_TEXT,
  });
  assert.ok(failed);
  // It is tried again, by another agent perhaps: it has not worked yet.
  assert.deepEqual(told(facts({ started }), [failed]), [failed]);
  const next = { generation: 8, atMs: NOW_MS };
  assert.deepEqual(told(facts({ started: next }, "refused"), [failed]), [
    underWay({ observedGeneration: 8, lastTransitionTime: NOW_TEXT }),
  ]);
});
