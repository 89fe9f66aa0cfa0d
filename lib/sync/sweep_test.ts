import assert from "node:assert/strict";
import { SETTINGS } from "../../tests/build.ts";
import { podUid } from "../api/id.ts";
import { podCgroups } from "../pod/paths.ts";
import { FakeCgroups } from "../../tests/fakes/fake_cgroups.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { type Sweep, sweepCgroups, sweepFiles } from "./sweep.ts";

const { podsDir, podLogsDir } = SETTINGS;

function sweep(isKnown: Sweep["isKnown"]): Sweep {
  const { signal } = new AbortController();
  return { isKnown, release: () => Promise.resolve(), signal };
}

const NOTHING = { removed: [], podCount: 0, failures: [] };

Deno.test("sweepFiles() removes what pods left that nobody knows", async () => {
  const files = new FakeFiles();
  for (const uid of ["known", "gone"]) {
    files.put(`${podsDir}/${uid}/containers/app/message`, "");
    files.put(`${podLogsDir}/default_web_${uid}/app/0.log`, "");
  }
  const swept = await sweepFiles(
    files,
    SETTINGS,
    sweep((uid) => uid === "known"),
  );
  assert.deepEqual(swept, {
    removed: [`${podsDir}/gone`, `${podLogsDir}/default_web_gone`],
    podCount: 1,
    failures: [],
  });
  assert.deepEqual(
    (await files.list(podsDir))?.map(({ name }) => name),
    ["known"],
  );
  assert.deepEqual(
    (await files.list(podLogsDir))?.map(({ name }) => name),
    ["default_web_known"],
  );
});

Deno.test("sweepFiles() leaves alone what is named otherwise", async () => {
  const files = new FakeFiles();
  files.put(`${podLogsDir}/somebody_elses/note`, "");
  const swept = await sweepFiles(files, SETTINGS, sweep(() => false));
  assert.deepEqual(swept, NOTHING);
  assert.equal(files.text(`${podLogsDir}/somebody_elses/note`), "");
});

Deno.test("sweepFiles() has nothing to do without directories", async () => {
  const nothing = await sweepFiles(
    new FakeFiles(),
    SETTINGS,
    sweep(() => false),
  );
  assert.deepEqual(nothing, NOTHING);
});

Deno.test("sweepFiles() goes on behind one that cannot be removed", async () => {
  const files = new FakeFiles();
  for (const uid of ["bad", "gone"]) files.put(`${podsDir}/${uid}/x`, "");
  const swept = await sweepFiles(files, SETTINGS, {
    ...sweep(() => false),
    release: (uid) =>
      uid === "bad" ? Promise.reject(new Error("mounted")) : Promise.resolve(),
  });
  assert.deepEqual([swept.removed, swept.podCount], [[`${podsDir}/gone`], 1]);
  assert.match(String(swept.failures), /mounted/);
});

Deno.test("sweepCgroups() removes those of pods that nobody knows", async () => {
  const uid = "0d0fb4b2-f060-45a9-8146-1da59df1ea78";
  for (const cgroupDriver of ["cgroupfs", "systemd"] as const) {
    const settings = { ...SETTINGS, cgroupDriver, usesQosCgroups: true };
    const gone = podCgroups(settings, podUid(uid));
    const known = podCgroups(settings, podUid("known"));
    const other = `${gone[0]?.slice(0, gone[0].lastIndexOf("/"))}/other`;
    const cgroups = new FakeCgroups();
    for (const path of [...gone, ...known, other]) {
      cgroups.present.add(`${path}/inside`);
    }
    const isKnown = (each: string) => each === "known";
    const removed = await sweepCgroups(cgroups, settings, { isKnown });
    assert.deepEqual([...removed].sort(), [...gone].sort());
    assert.equal(cgroups.present.size, 4);
    assert.deepEqual(await sweepCgroups(cgroups, settings, { isKnown }), []);
  }
});
