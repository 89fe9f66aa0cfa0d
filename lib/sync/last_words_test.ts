import assert from "node:assert/strict";
import { podUid } from "../api/id.ts";
import type { ContainerStatus } from "../port/runtime_status.ts";
import { aContainer, aFailed, aPod } from "../../tests/build.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeLogFiles } from "../../tests/fakes/fake_log_files.ts";
import { lastWordsFrom } from "./last_words.ts";

const UID = podUid("u1");
const PODS = "/var/lib/kubelet/pods";
const FILE = `${PODS}/u1/containers/web/00000000`;
const LOG = "/var/log/pods/prod_shop_u1/web/0.log";

function aWorld() {
  const files = new FakeFiles();
  const words = lastWordsFrom(new FakeLogFiles(files), PODS);
  const tell = (own: Partial<ContainerStatus> = {}) =>
    words(UID, { ...aStatus(), ...own });
  return { files, tell };
}

function aStatus(policy = "File", hostPath = FILE): ContainerStatus {
  const container = aContainer({ terminationMessagePolicy: policy });
  return {
    ...aFailed({ pod: aPod({ containers: [container] }) }),
    logPath: LOG,
    mounts: [{
      containerPath: "/dev/termination-log",
      hostPath,
      isReadOnly: false,
      isRecursiveReadOnly: false,
      isSelinuxRelabelled: true,
      propagation: "private",
      uidMappings: [],
      gidMappings: [],
    }],
  };
}

const line = (text: string) => `2026-01-01T00:00:00Z stdout F ${text}\n`;

Deno.test("lastWordsFrom() reads the end of the message file", async () => {
  const { files, tell } = aWorld();
  assert.equal(await tell(), "", "nothing was left");
  files.put(FILE, "all is lost");
  assert.equal(await tell(), "all is lost");
  assert.equal(await tell({ exitCode: 0 }), "all is lost");
  files.put(FILE, `${"x".repeat(5000)}end`);
  const long = await tell();
  assert.equal(long.length, 4096);
  assert.ok(long.endsWith("xend"));
});

Deno.test("lastWordsFrom() reads no link, no pipe and no other file", async () => {
  const { files, tell } = aWorld();
  files.put("/etc/shadow", "secret");
  files.put(`${PODS}/u1/containers/web/.keep`, "");
  await files.link(FILE, "/etc/shadow");
  assert.match(await tell(), /^Error on reading termination log .*regular/);
  await files.remove(FILE);
  files.putOther(FILE);
  assert.match(await tell(), /^Error on reading termination log .*regular/);
  const elsewhere = await tell(aStatus("File", "/etc/shadow"));
  assert.match(
    elsewhere,
    /^Error on reading termination log \/etc\/shadow: not/,
  );
});

Deno.test("lastWordsFrom() falls back to the log of an error only", async () => {
  const { files, tell } = aWorld();
  const fallsBack = aStatus("FallbackToLogsOnError");
  assert.match(await tell(fallsBack), /failed to open log file/);
  files.put(LOG, line("one") + line("two"));
  assert.equal(await tell(fallsBack), "one\ntwo\n");
  assert.equal(await tell(), "", "the policy is another");
  assert.equal(await tell({ ...fallsBack, exitCode: 0 }), "");
  const reason = "ContainerCannotRun";
  assert.equal(await tell({ ...fallsBack, reason }), "");
  files.put(FILE, "own words");
  assert.equal(await tell(fallsBack), "own words");
});

Deno.test("lastWordsFrom() takes 80 lines and 2048 bytes of a log at most", async () => {
  const { files, tell } = aWorld();
  const fallsBack = aStatus("FallbackToLogsOnError");
  const lines = Array.from({ length: 200 }, (_, n) => `line ${n}`);
  files.put(LOG, lines.map(line).join(""));
  assert.equal(await tell(fallsBack), `${lines.slice(-80).join("\n")}\n`);
  files.put(LOG, line("y".repeat(3000)) + line("end"));
  const long = await tell(fallsBack);
  assert.equal(long.length, 2048);
  assert.ok(long.endsWith("y\nend\n"));
});
