import assert from "node:assert/strict";
import { SETTINGS } from "../../tests/build.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { type Sweep, sweepFiles } from "./sweep.ts";

const { podsDir, podLogsDir } = SETTINGS;

function sweep(isKnown: Sweep["isKnown"]): Sweep {
  return { isKnown, release: () => Promise.resolve() };
}

Deno.test("sweepFiles() removes what pods left that nobody knows", async () => {
  const files = new FakeFiles();
  for (const uid of ["known", "gone"]) {
    files.put(`${podsDir}/${uid}/containers/app/message`, "");
    files.put(`${podLogsDir}/default_web_${uid}/app/0.log`, "");
  }
  const removed = await sweepFiles(
    files,
    SETTINGS,
    sweep((uid) => uid === "known"),
  );
  assert.deepEqual(removed, [
    `${podsDir}/gone`,
    `${podLogsDir}/default_web_gone`,
  ]);
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
  assert.deepEqual(await sweepFiles(files, SETTINGS, sweep(() => false)), []);
  assert.equal(files.text(`${podLogsDir}/somebody_elses/note`), "");
});

Deno.test("sweepFiles() has nothing to do without directories", async () => {
  const nothing = await sweepFiles(
    new FakeFiles(),
    SETTINGS,
    sweep(() => false),
  );
  assert.deepEqual(nothing, []);
});
