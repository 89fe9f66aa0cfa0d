import assert from "node:assert/strict";
import { FakeClock } from "../../tests/fakes/fake_clock.ts";
import { FakeFiles } from "../../tests/fakes/fake_host.ts";
import { FakeLogFiles } from "../../tests/fakes/fake_log_files.ts";
import { firstWords } from "./first_words.ts";

const DIRECTORY = "/var/log/pods/p/app";
const FILE = `${DIRECTORY}/0.log`;
const SIGNAL = new AbortController().signal;

function aLog(text: string | undefined, ageMs: number) {
  const clock = new FakeClock();
  const files = new FakeFiles();
  if (text !== undefined) files.put(FILE, text);
  let isDone = false;
  const startedAtMs = clock.nowMs() - ageMs;
  const log = { directory: DIRECTORY, attempt: 0, startedAtMs };
  const ports = { clock, files, logFiles: new FakeLogFiles(files) };
  const done = firstWords(ports, log, SIGNAL).then(() => isDone = true);
  return { clock, files, done, isDone: () => isDone };
}

Deno.test("firstWords() waits until a young container has said something", async () => {
  const { clock, files, done, isDone } = aLog("", 100);
  await clock.advance(200);
  assert.ok(!isDone());
  files.put(FILE, "words");
  await clock.advance(0);
  assert.ok(isDone());
  await done;
});

Deno.test("firstWords() does not wait long for one that says nothing", async () => {
  const { clock, done, isDone } = aLog("", 0);
  await clock.advance(999);
  assert.ok(!isDone());
  await clock.advance(1);
  await done;
});

Deno.test("firstWords() keeps nobody waiting who has something to read", async () => {
  for (const [text, ageMs] of [["a", 0], ["", 2001], ["a", 2001]] as const) {
    const { clock, done, isDone } = aLog(text, ageMs);
    await clock.advance(0);
    assert.ok(isDone(), `${text} after ${ageMs}`);
    await done;
  }
});

Deno.test("firstWords() waits for a log that is just being rotated", async () => {
  const { clock, files, done, isDone } = aLog(undefined, 60_000);
  files.put(`${FILE}.20260101-000000`, "old");
  await clock.advance(300);
  assert.ok(!isDone());
  files.put(FILE, "");
  await clock.advance(0);
  assert.ok(isDone());
  await done;
});
