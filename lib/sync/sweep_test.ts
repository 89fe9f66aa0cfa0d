import assert from "node:assert/strict";
import { SETTINGS } from "../../tests/build.ts";
import { AgentError } from "../base/errors.ts";
import { podUid } from "../api/id.ts";
import { podCgroups } from "../pod/paths.ts";
import { FakeCgroups } from "../../tests/fakes/fake_cgroups.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { type Sweep, sweepCgroups, sweepFiles, type Swept } from "./sweep.ts";

const { podsDir, podLogsDir } = SETTINGS;

const NOTHING: Swept = { removed: [], left: [] };
const UID = "0d0fb4b2-f060-45a9-8146-1da59df1ea78";
const OTHER = "1d0fb4b2-f060-45a9-8146-1da59df1ea78";

function sweep(isKnown: Sweep["isKnown"]): Sweep {
  return { isKnown, release: () => Promise.resolve(), running: new Set() };
}

Deno.test("sweepFiles() removes what pods left that nobody knows", async () => {
  const files = new FakeFiles();
  for (const uid of ["known", "gone"]) {
    files.put(`${podsDir}/${uid}/containers/app/message`, "");
    files.put(`${podLogsDir}/default_web_${uid}/app/0.log`, "");
  }
  const { removed } = await sweepFiles(
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
  assert.deepEqual(
    await sweepFiles(files, SETTINGS, sweep(() => false)),
    NOTHING,
  );
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
    const { removed } = await sweepCgroups(cgroups, settings, { isKnown });
    assert.deepEqual([...removed].sort(), [...gone].sort());
    assert.equal(cgroups.present.size, 4);
    assert.deepEqual(
      await sweepCgroups(cgroups, settings, { isKnown }),
      NOTHING,
    );
  }
});

Deno.test("sweepFiles() keeps what is not provably a pod's, and says so", async () => {
  const files = new FakeFiles();
  files.put(`${podsDir}/lost+found/x`, "");
  files.put(`${podsDir}/mine/volumes/x`, "");
  files.put(`${podsDir}/mine/notes`, "");
  files.put(`${podsDir}/${UID}/anything`, "");
  files.put(`${podsDir}/readme`, "");
  const { removed, left } = await sweepFiles(
    files,
    SETTINGS,
    sweep(() => false),
  );
  assert.deepEqual(removed, [`${podsDir}/${UID}`]);
  assert.deepEqual(
    left.map(({ path }) => path).sort(),
    ["lost+found", "mine", "readme"].map((name) => `${podsDir}/${name}`),
  );
  assert.match(left[0]?.reason ?? "", /not named as a pod/);
});

Deno.test("sweepFiles() goes on after one that cannot be removed", async () => {
  const files = new FakeFiles();
  for (const uid of [UID, OTHER]) files.put(`${podsDir}/${uid}/etc-hosts`, "");
  const { removed, left } = await sweepFiles(files, SETTINGS, {
    ...sweep(() => false),
    release: (uid) =>
      uid === UID
        ? Promise.reject(new AgentError("In use", { next: "retry" }))
        : Promise.resolve(),
  });
  assert.deepEqual(removed, [`${podsDir}/${OTHER}`]);
  assert.deepEqual(left, [{ path: `${podsDir}/${UID}`, reason: "In use" }]);
  assert.ok(await files.stat(`${podsDir}/${UID}/etc-hosts`));
});

Deno.test("sweepFiles() removes links to logs that are gone, of what has ended", async () => {
  const files = new FakeFiles();
  const { containerLogsDir } = SETTINGS;
  const [ended, running, kept] = ["a", "b", "c"].map((one) => one.repeat(64));
  const link = (id = "") => `${containerLogsDir}/web_default_app-${id}.log`;
  const log = (id = "") => `${podLogsDir}/default_web_${UID}/app/${id}.log`;
  await files.makeDirectory(containerLogsDir, 0o755);
  for (const id of [ended, running, kept]) await files.link(link(id), log(id));
  files.put(log(kept), "");
  await files.link(`${containerLogsDir}/of-others.log`, "/nowhere");
  const elsewhere = "d".repeat(64);
  await files.link(link(elsewhere), "/nowhere");
  const { removed } = await sweepFiles(files, SETTINGS, {
    ...sweep(() => true),
    running: new Set([running ?? ""]),
  });
  assert.deepEqual(removed, [link(ended)]);
});
