import assert from "node:assert/strict";
import type { ProbeView } from "../probe/types.ts";
import { explanationText } from "./explain.ts";
import { aView, NOW, SECOND } from "./fixture_test.ts";
import { headline } from "./headline.ts";

const FAILING: ProbeView = {
  container: "app",
  kind: "readiness",
  last: {
    result: "failure",
    message: "HTTP probe failed with statuscode: 503",
    atMs: NOW - 2 * SECOND,
  },
  streak: 7,
  threshold: 3,
  isInTheWay: true,
  nextAtMs: NOW + 8 * SECOND,
};

const LIVE: ProbeView = {
  ...FAILING,
  kind: "liveness",
  last: undefined,
  isInTheWay: false,
};

Deno.test("headline() names the probe that holds a pod back", () => {
  assert.equal(
    headline(aView({ probes: [LIVE, FAILING] }), NOW),
    "Not ready: the readiness probe of container app failed at 10:02:19Z " +
      "(3 of 3): HTTP probe failed with statuscode: 503; " +
      "asked again in 8s, at 10:02:29Z",
  );
  assert.match(headline(aView({ probes: [LIVE] }), NOW), /^Running/);
});

Deno.test("explanationText() lists where each probe stands", () => {
  const text = explanationText(aView({ probes: [LIVE, FAILING] }), NOW);
  assert.match(
    text,
    /Probes:\n {2}app liveness: has not been asked yet; asked again in 8s/,
  );
  assert.match(text, /\n {2}app readiness: failed at 10:02:19Z \(3 of 3\)/);
  assert.doesNotMatch(explanationText(aView({}), NOW), /Probes:/);
});
