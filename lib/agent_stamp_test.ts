import assert from "node:assert/strict";
import { FakeFiles } from "../tests/fakes/fake_host.ts";
import { readStamp, stampState, STATE_FORMAT } from "./agent_stamp.ts";
import { createLogger } from "./base/log.ts";

const PATH = "/node/denolet.json";

async function started(before: string | undefined) {
  const files = new FakeFiles();
  if (before !== undefined) files.put(PATH, before);
  const lines: string[] = [];
  const log = createLogger({
    write: (text) => void lines.push(text),
    ...{ format: "text", verbosity: 0 },
  });
  const done = await stampState(
    { files, log },
    { rootDir: "/node", version: "1.2.3" },
  ).then(() => "", (error: Error) => error.message);
  const bytes = await files.read(PATH, 4096);
  const text = new TextDecoder().decode(bytes ?? new Uint8Array());
  return { done, text, lines };
}

Deno.test("stampState() leaves its own stamp, whatever was there before", async () => {
  const own = JSON.stringify({ stateFormat: STATE_FORMAT, version: "1.2.3" });
  const older = JSON.stringify({ stateFormat: STATE_FORMAT, version: "1.0.0" });
  for (const before of [undefined, own, older]) {
    const { done, text, lines } = await started(before);
    assert.equal(done, "");
    assert.equal(text.trim(), own);
    assert.deepEqual(lines, []);
  }
  for (const before of ["", "{", "[]", "null", '{"stateFormat":"1"}']) {
    const { done, text, lines } = await started(before);
    assert.equal(done, "", before);
    assert.equal(text.trim(), own);
    assert.equal(lines.length, 1, before);
  }
});

Deno.test("stampState() refuses state of a newer agent, and writes nothing", async () => {
  const newer = JSON.stringify({
    ...{ stateFormat: STATE_FORMAT + 1, version: "9.0.0" },
  });
  const { done, text } = await started(newer);
  assert.match(
    done,
    /^Cannot start: \/node\/denolet\.json says that denolet 9\.0\.0 wrote state/,
  );
  assert.match(done, /this is 1\.2\.3, which knows format 1 and older/);
  assert.equal(text, newer);
});

Deno.test("readStamp() takes nothing odd for a stamp", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const odd = ["1", '{"stateFormat":1}', '{"stateFormat":1.5,"version":"1"}'];
  for (const text of odd) {
    assert.equal(readStamp(bytes(text)).kind, "garbled", text);
  }
  assert.equal(readStamp(undefined).kind, "absent");
});
