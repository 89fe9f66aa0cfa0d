import assert from "node:assert/strict";
import { aPod } from "../../tests/build.ts";
import type { PodStatusJson } from "../api/status.ts";
import { unseenStatus } from "./status.ts";
import { waitSteps } from "./wait_steps.ts";

const POD = aPod();

function waiting(reason: string): PodStatusJson {
  const container = {
    name: "web",
    state: { waiting: { reason } },
    lastState: {},
    ready: false,
    started: false,
    restartCount: 1,
    image: "",
    imageID: "",
  };
  return { ...unseenStatus(POD), containerStatuses: [container] };
}

Deno.test("waitSteps() tells of a crash loop once it waits", () => {
  const loop = waiting("CrashLoopBackOff");
  assert.deepEqual(waitSteps(POD, undefined, loop), [{
    type: "Warning",
    reason: "BackOff",
    message: "Back-off restarting failed container web in pod " +
      "shop_prod(11111111-2222-3333-4444-555555555555)",
    container: "web",
  }]);
  assert.deepEqual(waitSteps(POD, loop, loop), []);
});

Deno.test("waitSteps() tells of an image that is not pulled yet", () => {
  const failed = waiting("ErrImagePull");
  const wait = waiting("ImagePullBackOff");
  assert.deepEqual(waitSteps(POD, undefined, failed), []);
  assert.deepEqual(
    waitSteps(POD, failed, wait).map(({ type, message }) => [type, message]),
    [
      ["Normal", 'Back-off pulling image "busybox:1"'],
      ["Warning", "Error: ImagePullBackOff"],
    ],
  );
  assert.deepEqual(waitSteps(POD, wait, failed), []);
});
