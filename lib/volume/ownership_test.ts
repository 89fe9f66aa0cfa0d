import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeMounts } from "../../tests/fakes/fake_mounts.ts";
import { podUid } from "../api/id.ts";
import type { Step } from "../api/step.ts";
import { giveToGroup } from "./ownership.ts";

Deno.test("giveToGroup() tells after 30 s, then every 60 s, how far it is", async () => {
  const clock = new FakeClock();
  const files = new FakeFiles();
  const mounts = new FakeMounts(files, "/pods");
  const path = "/pods/u1/volumes/kubernetes.io~local-volume/pv";
  await files.makeDirectory(path, 0o755);
  const steps: Step[] = [];
  const times = [0, 29_999, 30_000, 89_999, 90_000, 150_000];
  mounts.entries.set(path, times.map((_, index) => 100 * (index + 1)));
  let next = 0;
  mounts.slice = () =>
    clock.advance((times[next] ?? 0) - (times[next++ - 1] ?? 0));
  await giveToGroup({
    mounts,
    clock,
    recorder: { record: (_uid, step) => steps.push(step) },
  }, {
    path,
    owner: { gid: 5 },
    isReadOnly: false,
    uid: podUid("u1"),
    signal: new AbortController().signal,
  });
  const shown = "Setting volume ownership for u1/volumes/" +
    "kubernetes.io~local-volume/pv";
  assert.deepEqual(steps.map(({ reason, message }) => [reason, message]), [
    [
      "VolumePermissionChangeInProgress",
      `${shown} is taking longer than expected, consider using ` +
      "OnRootMismatch - https://kubernetes.io/docs/tasks/" +
      "configure-pod-container/security-context/#configure-volume-" +
      "permission-and-ownership-change-policy-for-pods",
    ],
    ["VolumePermissionChangeInProgress", `${shown}, processed 500 files.`],
    ["VolumePermissionChangeInProgress", `${shown}, processed 600 files.`],
  ]);
  assert.equal((await files.stat(path))?.gid, 5);
});
